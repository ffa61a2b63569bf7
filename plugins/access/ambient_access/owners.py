"""Who makes a project or a credential owns it, from the same transaction on; a credential's bindings go with it."""

from typing import Any

from ambient_access.grants import forget
from ambient_access.stores import RoleBindingStore
from ambient_access.subject import is_governed, subject_of
from ambient_core import Kind, Principal, current, hookimpl
from ambient_core.hooks import only_for
from ambient_core.statements import remove


@hookimpl
@only_for("Project", "Credential")
def ambient_before_write(kind: Kind, verb: str, row: dict[str, Any], principal: Principal) -> None:
    """Make the maker of a project or a credential its owner."""
    if verb == "create" and is_governed(principal):
        _own(kind.name.lower(), row["id"], principal)
    elif (kind.name, verb) == ("Credential", "delete"):
        _release(row["id"])


def _own(scope: str, identifier: str, principal: Principal) -> None:
    subject = subject_of(principal)
    store = current().system_store("RoleBinding", "create")
    assert isinstance(store, RoleBindingStore)
    store.vouched = True
    store.create(
        {
            "role_id": f"{scope}-owner",
            "scope": scope,
            f"{scope}_id": identifier,
            "user_id": subject.user_id,
            "service_account_id": subject.service_account_id,
        }
    )


def _release(credential: str) -> None:
    """Take back what was bound to a credential: no foreign key does, as the plugin that keeps credentials may not be there."""
    forget()
    store = current().system_store("RoleBinding", "delete")
    parameters: dict[str, Any] = {"ids_": [credential], "version_": None}
    store.logged(remove(store.kind, "credential_id", store.scope.text), parameters)
