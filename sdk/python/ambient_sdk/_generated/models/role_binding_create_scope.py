from typing import Literal

RoleBindingCreateScope = Literal['agent', 'credential', 'global', 'project', 'session']

ROLE_BINDING_CREATE_SCOPE_VALUES: set[RoleBindingCreateScope] = { 'agent', 'credential', 'global', 'project', 'session',  }

def check_role_binding_create_scope(value: str) -> RoleBindingCreateScope:
    if value in ROLE_BINDING_CREATE_SCOPE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {ROLE_BINDING_CREATE_SCOPE_VALUES!r}")
