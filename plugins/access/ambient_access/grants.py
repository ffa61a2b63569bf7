"""What a principal holds: one read of the roles, kept for a moment.

What is kept decides whether a verb is possible at all, and which roles allow it. On which rows is asked of the bindings in the
very statement that reads or writes them: a binding that is gone is gone at once. What is kept may be too little as well, on every
server but the one that gave the role: so it never says no by itself (`grants_anew`), and who made a project is in it everywhere.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from ambient_access.permissions import Permissions, allows, permissions_of
from ambient_access.subject import MINE, subject_of
from ambient_core import Principal, current
from ambient_core.database import Database
from ambient_core.rest.operation import Operation

KEPT = 2.0
"""Seconds; with the time that a request takes it stays well below the five that a lost role may last."""
LIMIT = "permissions"
"""The attribute of a principal that narrows what it may do: permissions, separated by blanks."""
MANY = 50
"""Bindings of one scope from which on a list reads them all at once, and not object by object."""
_MOST_KEPT = 10_000

_HELD = (
    "SELECT roles.id, roles.name, roles.permissions, (SELECT json_object_agg(h.scope, h.held) FROM (SELECT b.scope, count(*) AS held "
    f"FROM role_bindings AS b WHERE b.role_id = roles.id AND {MINE} GROUP BY b.scope) AS h) FROM roles ORDER BY roles.id"
)


@dataclass(frozen=True, slots=True)
class Held:
    """A role, and the scopes in which a principal has it, each with the number of bindings."""

    id: str
    name: str
    permissions: Permissions
    scopes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Allowing:
    """What allows a verb in the places of one scope.

    Args:
        scope: the kind of place.
        roles: ids of the roles that allow it.
        many: whether this is for a list, and the principal has them in many places; it decides how is asked, never what is shown.
    """

    scope: str
    roles: tuple[str, ...]
    many: bool


@dataclass(frozen=True, slots=True)
class Grants:
    """All roles as one principal holds them.

    Args:
        roles: also those that it does not have: without a scope.
        limit: what a token of the principal is narrowed to; ``None`` for no limit.

    What was asked once is kept: the same questions come with every request.
    """

    roles: tuple[Held, ...]
    limit: Permissions | None = None
    _answered: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)

    def allow(self, wanted: Permissions) -> bool:
        """Whether a role allows one of these anywhere, and the token does too."""
        found = self._answered.get(wanted)
        if found is None:
            has = any(role.scopes and allows(role.permissions, wanted) for role in self.roles)
            found = self._answered[wanted] = has and self.pass_limit(wanted)
        return bool(found)

    def pass_limit(self, wanted: Permissions) -> bool:
        """Whether the token leaves one of these."""
        return self.limit is None or allows(self.limit, wanted)

    def allowing(self, wanted: Permissions, *, lists: bool) -> tuple[Allowing, ...]:
        """What allows one of these, for each scope in which some role is held that does.

        Args:
            lists: whether it is for a list; of a single object it does not matter how many bindings there are.
        """
        key = wanted, lists
        if key not in self._answered:
            self._answered[key] = tuple(self._allowing(wanted, lists))
        found: tuple[Allowing, ...] = self._answered[key]
        return found

    def _allowing(self, wanted: Permissions, lists: bool) -> Iterator[Allowing]:
        roles = [role for role in self.roles if allows(role.permissions, wanted)]
        names = tuple(role.id for role in roles)
        held: Counter[str] = Counter()
        for role in roles:
            held.update(role.scopes)
        for scope, count in sorted(held.items()):
            yield Allowing(scope, names, lists and count >= MANY)


class _Kept:
    """What was read in one process, of one database."""

    def __init__(self) -> None:
        self.found: dict[tuple[object, ...], tuple[float, Grants]] = {}


_KEPT: "WeakKeyDictionary[Database, _Kept]" = WeakKeyDictionary()
_CHANGED: "WeakKeyDictionary[Operation, bool]" = WeakKeyDictionary()
_READ: "WeakKeyDictionary[Operation, set[tuple[object, ...]]]" = WeakKeyDictionary()


def grants_of(principal: Principal) -> Grants:
    """What a principal holds, at most `KEPT` seconds old."""
    operation = current()
    # Each request asks twice, and nearly none has changed anything: a look that makes nothing comes first.
    if len(_CHANGED) and operation in _CHANGED:
        # What this request has changed is not committed: it is for nobody else.
        return _read(operation, principal)
    kept, key = _kept(operation), _key(principal)
    at, grants = kept.get(key, (0.0, None))
    if grants is None or time.monotonic() > at + KEPT:
        return _keep(operation, principal)
    return grants


def grants_anew(principal: Principal) -> Grants:
    """What a principal holds, read in this very request: what is kept may miss a role that was given a moment ago."""
    operation = current()
    if _key(principal) in _READ.get(operation, ()):
        return grants_of(principal)
    return _keep(operation, principal)


def forget() -> None:
    """Note that the current request changes roles or bindings: this process reads anew, others within `KEPT` seconds."""
    operation = current()
    _CHANGED[operation] = True
    _KEPT.pop(operation.database, None)


def _key(principal: Principal) -> tuple[object, ...]:
    return principal.actor, principal.groups, principal.roles, principal.attributes.get(LIMIT)


def _kept(operation: Operation) -> dict[tuple[object, ...], tuple[float, Grants]]:
    return (_KEPT.get(operation.database) or _KEPT.setdefault(operation.database, _Kept())).found


def _keep(operation: Operation, principal: Principal) -> Grants:
    kept, key, now = _kept(operation), _key(principal), time.monotonic()
    if len(kept) >= _MOST_KEPT:
        kept.clear()
    grants = _read(operation, principal)
    kept[key] = (now, grants)
    _READ.setdefault(operation, set()).add(key)
    return grants


def _read(operation: Operation, principal: Principal) -> Grants:
    rows = operation.transaction.as_system(_HELD, subject_of(principal).parameters()).fetchall()
    roles = tuple(
        Held(
            identifier,
            name,
            permissions_of(permissions),
            {**(scopes or {}), **({"global": 1} if name in principal.roles else {})},
        )
        for identifier, name, permissions, scopes in rows
    )
    limit = principal.attributes.get(LIMIT)
    return Grants(roles, None if limit is None else permissions_of(limit.split()))
