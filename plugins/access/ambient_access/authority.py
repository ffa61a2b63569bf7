"""Who may give what to whom: nobody gives what they do not have, and what is owned keeps an owner."""

from collections.abc import Mapping
from typing import Any

from ambient_access.grants import LIMIT, grants_of
from ambient_access.permissions import ALL, EVERYBODYS, Permissions, lacking, permissions_of, spelled_out
from ambient_access.places import PLACES, Place, held_here
from ambient_access.subject import MINE, is_governed, subject_of
from ambient_core import Conflict, Forbidden, Store

OWNERS = {"project": "project-owner", "credential": "credential-owner"}
"""By scope, the role of its owners; who makes such a thing has it, and one of them stays."""
INTERNAL = frozenset({"agent-runner", "credential-token-reader", "platform-control-plane"})
GIVING: Permissions = frozenset({("role_binding", "create")})
"""What giving a role takes; an editor's `role_binding:delete` is for credentials that were lent, and ends nobody's role."""

_COLUMNS = ("id", "scope", "role_id", *(f"{place}_id" for place in PLACES))
SELECT_BINDINGS = f"SELECT {', '.join(f'b.{column}' for column in _COLUMNS)} FROM role_bindings AS b"
"""SQL: bindings with what says where they hold."""
_HELD = (
    "SELECT roles.permissions FROM roles WHERE roles.name = ANY(%(names_)s::text[]) OR EXISTS (SELECT 1 FROM role_bindings AS b "
    f"WHERE b.role_id = roles.id AND {MINE} AND (b.scope = 'global' OR {' OR '.join(map(held_here, PLACES))}))"
)
_KNOWN = f"SELECT 1 FROM role_bindings AS b WHERE {held_here('agent')} AND {MINE} LIMIT 1"
_ROLE = "SELECT roles.permissions FROM roles WHERE roles.id = %(id)s"
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, 0))"
_OTHER_OWNER = {
    scope: f"SELECT 1 FROM role_bindings AS b WHERE b.scope = '{scope}' AND b.{scope}_id = %(place)s AND b.role_id = %(role)s "
    "AND b.id <> ALL(%(leaving)s) LIMIT 1"
    for scope in OWNERS
}


def held_at(store: Store, place: Place) -> Permissions:
    """Everything that the caller may do at a place."""
    principal = store.principal
    if not is_governed(principal):
        return ALL
    asked = {**subject_of(principal).parameters(), **place.parameters(), "names_": sorted(principal.roles)}
    rows = store.transaction.as_system(_HELD, asked).fetchall()
    held: Permissions = frozenset().union(*(permissions_of(row[0]) for row in rows))
    return spelled_out(held, store.surroundings.registry)


def is_at_agent(store: Store, place: Place) -> bool:
    """Whether the caller has a role at the very agent of a place, and so knows the project, which it may not see."""
    asked = {**subject_of(store.principal).parameters(), **place.parameters()}
    return store.transaction.as_system(_KNOWN, asked).fetchone() is not None


def held_anywhere(store: Store) -> Permissions:
    """Everything that the caller may do somewhere, with what everybody may."""
    if not is_governed(store.principal):
        return ALL
    held = (role.permissions for role in grants_of(store.principal).roles if role.scopes)
    return spelled_out(EVERYBODYS.union(*held), store.surroundings.registry)


def check_gift(store: Store, role_id: str, place: Place, also: Permissions = frozenset()) -> None:
    """Refuse to give or take a role that allows more than the caller may do at this place.

    Args:
        also: what the caller must be let to do there beside.

    Raises:
        Forbidden: naming what is lacking.
    """
    held = held_at(store, place)
    if role_id in INTERNAL and not held >= ALL:
        raise Forbidden("This role is for the platform itself; only a platform administrator gives it.")
    row = store.transaction.as_system(_ROLE, {"id": role_id}).fetchone()
    check_held(store, held, also | permissions_of(row[0] if row else ()))


def check_held(store: Store, held: Permissions, given: Permissions) -> None:
    """Refuse to give what the caller does not have.

    Raises:
        Forbidden: naming what is lacking.
    """
    limit = store.principal.attributes.get(LIMIT)
    left = ALL if limit is None else spelled_out(permissions_of(limit.split()), store.surroundings.registry)
    short = lacking(held, given) or lacking(left, given)
    if short:
        shown = ", ".join(short[:5]) + (f" and {len(short) - 5} more" if len(short) > 5 else "")
        raise Forbidden(f"Nobody gives or takes what they do not have; you lack here: {shown}.")


def keep_an_owner(store: Store, *leaving: Mapping[str, Any]) -> None:
    """Refuse to take the last owner of a project or a credential away; others who try the same wait until this transaction ends.

    Args:
        leaving: bindings that are about to go, with their place.

    Raises:
        Conflict: something would be left without an owner.
    """
    owning = [row for row in leaving if row["role_id"] == OWNERS.get(row["scope"])]
    for scope, place in sorted({(row["scope"], row[f"{row['scope']}_id"]) for row in owning}):
        store.transaction.begin()
        store.transaction.as_system(_LOCK, {"key": f"owners of {place}"})
        asked = {"place": place, "role": OWNERS[scope], "leaving": [row["id"] for row in owning]}
        if store.transaction.as_system(_OTHER_OWNER[scope], asked).fetchone() is None:
            raise Conflict(
                f"{scope.capitalize()} {place} would be left without an owner; make somebody else owner first."
            )


def bindings_of(store: Store, statement: str, identifier: str) -> list[dict[str, Any]]:
    """Bindings as `Place.of` and `keep_an_owner` take them, in the order of the statement.

    Args:
        statement: begins with `SELECT_BINDINGS`, and asks for one ``%(id)s``.
    """
    rows = store.transaction.as_system(statement, {"id": identifier}).fetchall()
    return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
