"""What a principal holds: one read of the roles, kept for a moment.

What is kept decides whether a verb is possible at all, and which roles allow it. On which rows is asked of the bindings in the
very statement that reads or writes them: a binding that is gone is gone at once.
"""

import time
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from ambient_access.permissions import Permissions, allows, permissions_of
from ambient_access.subject import MINE, subject_of
from ambient_core import Principal, current
from ambient_core.database import Database
from ambient_core.operation import Operation

KEPT = 2.0
"""Seconds; with the time that a request takes it stays well below the five that a lost role may last."""
LIMIT = "permissions"
"""The attribute of a principal that narrows what it may do: permissions, separated by blanks."""
_MOST_KEPT = 10_000

_HELD = (
    "SELECT roles.id, roles.name, roles.permissions, "
    f"ARRAY(SELECT DISTINCT b.scope FROM role_bindings AS b WHERE b.role_id = roles.id AND {MINE}) FROM roles ORDER BY roles.id"
)


@dataclass(frozen=True, slots=True)
class Held:
    """A role, and the scopes in which a principal has it."""

    id: str
    name: str
    permissions: Permissions
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Grants:
    """All roles as one principal holds them.

    Args:
        roles: also those that it does not have: without a scope.
        limit: what a token of the principal is narrowed to; ``None`` for no limit.
    """

    roles: tuple[Held, ...]
    limit: Permissions | None = None

    def allow(self, wanted: Permissions) -> bool:
        """Whether a role allows one of these anywhere, and the token does too."""
        return self.pass_limit(wanted) and any(role.scopes and allows(role.permissions, wanted) for role in self.roles)

    def pass_limit(self, wanted: Permissions) -> bool:
        """Whether the token leaves one of these."""
        return self.limit is None or allows(self.limit, wanted)

    def allowing(self, wanted: Permissions) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """By scope in which some role is held that allows one of these: the ids of the roles that allow it."""
        roles = [role for role in self.roles if allows(role.permissions, wanted)]
        held = sorted({scope for role in roles for scope in role.scopes})
        return tuple((scope, tuple(role.id for role in roles)) for scope in held)


class _Kept:
    """What was read in one process, of one database."""

    def __init__(self) -> None:
        self.found: dict[tuple[object, ...], tuple[float, Grants]] = {}


_KEPT: "WeakKeyDictionary[Database, _Kept]" = WeakKeyDictionary()
_CHANGED: "WeakKeyDictionary[Operation, bool]" = WeakKeyDictionary()


def grants_of(principal: Principal) -> Grants:
    """What a principal holds, at most `KEPT` seconds old."""
    operation = current()
    if operation in _CHANGED:
        # What this request has changed is not committed: it is for nobody else.
        return _read(operation, principal)
    kept = _KEPT.setdefault(operation.database, _Kept()).found
    key = (principal.actor, principal.groups, principal.roles, principal.attributes.get(LIMIT))
    at, grants = kept.get(key, (0.0, None))
    now = time.monotonic()
    if grants is None or now > at + KEPT:
        if len(kept) >= _MOST_KEPT:
            kept.clear()
        grants = _read(operation, principal)
        kept[key] = (now, grants)
    return grants


def forget() -> None:
    """Note that the current request changes roles or bindings: this process reads anew, others within `KEPT` seconds."""
    operation = current()
    _CHANGED[operation] = True
    _KEPT.pop(operation.database, None)


def _read(operation: Operation, principal: Principal) -> Grants:
    rows = operation.transaction.as_system(_HELD, subject_of(principal).parameters()).fetchall()
    roles = tuple(
        Held(
            identifier,
            name,
            permissions_of(permissions),
            frozenset({*scopes, *(["global"] if name in principal.roles else [])}),
        )
        for identifier, name, permissions, scopes in rows
    )
    limit = principal.attributes.get(LIMIT)
    return Grants(roles, None if limit is None else permissions_of(limit.split()))
