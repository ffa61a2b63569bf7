from typing import Literal

RoleBindingScope = Literal['agent', 'credential', 'global', 'project', 'session']

ROLE_BINDING_SCOPE_VALUES: set[RoleBindingScope] = { 'agent', 'credential', 'global', 'project', 'session',  }

def check_role_binding_scope(value: str) -> RoleBindingScope:
    if value in ROLE_BINDING_SCOPE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {ROLE_BINDING_SCOPE_VALUES!r}")
