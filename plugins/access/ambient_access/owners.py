"""Who makes a project owns it, from the same transaction on."""

from typing import Any

from ambient_access.authority import OWNER
from ambient_access.stores import RoleBindingStore
from ambient_access.subject import is_governed, subject_of
from ambient_core import Kind, Principal, current, hookimpl
from ambient_core.hooks import only_for


@hookimpl
@only_for("Project")
def ambient_before_write(kind: Kind, verb: str, row: dict[str, Any], principal: Principal) -> None:
    """Make the maker of a project its owner."""
    if (kind.name, verb) != ("Project", "create") or not is_governed(principal):
        return
    subject = subject_of(principal)
    store = current().system_store("RoleBinding", "create")
    assert isinstance(store, RoleBindingStore)
    store.vouched = True
    store.create(
        {
            "role_id": OWNER,
            "scope": "project",
            "project_id": row["id"],
            "user_id": subject.user_id,
            "service_account_id": subject.service_account_id,
        }
    )
