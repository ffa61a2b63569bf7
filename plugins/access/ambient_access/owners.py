"""Who makes a project or a credential owns it, from the same transaction on; and nobody's deletion takes the last owner along unseen."""

from typing import Any

from ambient_access.authority import OWNERS, SELECT_BINDINGS, bindings_of, keep_an_owner
from ambient_access.grants import forget
from ambient_access.rules import OWNED
from ambient_access.stores import RoleBindingStore
from ambient_access.subject import may_own, subject_of
from ambient_core import Kind, Principal, current, hookimpl
from ambient_core.database.statements import remove
from ambient_core.hooks import only_for

_OF_USER = f"{SELECT_BINDINGS} WHERE b.user_id = %(id)s ORDER BY b.id"
_OF_PROJECT = (
    f"{SELECT_BINDINGS} JOIN service_accounts ON service_accounts.id = b.service_account_id "
    "WHERE service_accounts.project_id = %(id)s AND b.project_id IS DISTINCT FROM %(id)s "
    f"UNION {SELECT_BINDINGS} WHERE b.project_id = %(id)s AND b.scope = 'credential'"
)
"""What goes with a project and holds elsewhere: of its service accounts, and of credentials where the binding names it."""
_TOKENS = "SELECT tokens.id FROM tokens WHERE tokens.user_id = %(id)s ORDER BY tokens.id"


@hookimpl
@only_for("Project", "User", "Credential")
def ambient_before_write(kind: Kind, verb: str, row: dict[str, Any], principal: Principal) -> None:
    """Make the maker of something its owner; let who is deleted take no last owner along, nor leave rights behind."""
    if (kind.name, verb) in OWNED and may_own(principal):
        _own(kind.name.lower(), row["id"], principal)
    elif (kind.name, verb) == ("Project", "delete"):
        store = _bindings()
        keep_an_owner(store, *bindings_of(store, _OF_PROJECT, row["id"]))
    elif (kind.name, verb) == ("User", "delete"):
        _leave(row["id"])
    elif (kind.name, verb) == ("Credential", "delete"):
        _release(row["id"])


def _own(scope: str, identifier: str, principal: Principal) -> None:
    subject, store = subject_of(principal), _bindings("create")
    store.vouched = True
    store.create(
        {
            "role_id": OWNERS[scope],
            "scope": scope,
            f"{scope}_id": identifier,
            "user_id": subject.user_id,
            "service_account_id": subject.service_account_id,
        }
    )


def _release(credential: str) -> None:
    """Take back what was bound to a credential: no foreign key does, as the plugin that keeps credentials may not be there."""
    forget()
    store = _bindings()
    parameters: dict[str, Any] = {"ids_": [credential], "version_": None}
    store.logged(remove(store.kind, "credential_id", store.scope.text), parameters)


def _leave(user: str) -> None:
    """Take a person's roles and tokens away: whoever is made again under this id, by a restore, has none of them."""
    store = _bindings()
    found = bindings_of(store, _OF_USER, user)
    keep_an_owner(store, *found)
    for binding in found:
        store.delete(binding["id"])
    tokens = current().system_store("Token", "delete")
    for (token,) in current().transaction.as_system(_TOKENS, {"id": user}).fetchall():
        tokens.delete(token)


def _bindings(verb: str = "delete") -> RoleBindingStore:
    store = current().system_store("RoleBinding", verb)
    assert isinstance(store, RoleBindingStore)
    return store
