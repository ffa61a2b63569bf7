"""The two answers that the core asks for: may this caller use a verb, and on which rows."""

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import (
    ColumnElement,
    String,
    Table,
    bindparam,
    exists,
    false,
    literal,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    union_all,
)

from ambient_access.grants import Allowing, grants_anew, grants_of
from ambient_access.loans import LENDING
from ambient_access.model import RoleBinding
from ambient_access.permissions import needed
from ambient_access.places import parts_of, where_of
from ambient_access.sieves import falls_through, outer
from ambient_access.subject import Subject, is_governed, may_own, subject_of
from ambient_core import Kind, Principal, hookimpl
from ambient_core.database.paged import Paged
from ambient_core.identity import CONTROL_PLANE

OWNED = frozenset({("Project", "create"), ("Credential", "create")})
"""What everybody may make, and owns then."""


@hookimpl
def ambient_may(principal: Principal, verb: str, kind: Kind) -> bool | None:
    """Whatever only reads is possible for everybody, and shows what is in scope; the rest is for who has a role that allows it."""
    if not is_governed(principal):
        return None
    grants, wanted = grants_of(principal), needed(kind, verb)
    if not grants.pass_limit(wanted):
        return False
    if _is_open(kind, verb, principal) or grants.allow(wanted) or grants_anew(principal).allow(wanted):
        return True
    # The core's own hook lets the control plane do everything; where roles are kept, it has its role and no more.
    return False if principal == CONTROL_PLANE else None


@hookimpl
def ambient_scope(principal: Principal, verb: str, kind: Kind) -> "ColumnElement[bool] | None":
    """The rows in the places where the caller has a role that allows the verb; asked of the bindings as they are."""
    if not is_governed(principal) or (kind.name, verb) in OWNED:
        return None
    if kind.name == "Role" and kind.reads(verb):
        return None
    grants, lists, wanted = grants_of(principal), verb == "list", needed(kind, verb)
    allowing = grants.allowing(wanted, lists=lists)
    if _may_be_short(kind, allowing):
        grants = grants_anew(principal)
        allowing = grants.allowing(wanted, lists=lists)
    if kind.name == "RoleBinding" and kind.reads(verb):
        # Who may lend a credential sees who has it, and no other binding by that.
        allowing += tuple(one for one in grants.allowing(LENDING, lists=lists) if one.scope == "credential")
    return condition(kind, subject_of(principal), allowing, kind.reads(verb))


def _is_open(kind: Kind, verb: str, principal: Principal) -> bool:
    secret = any(action.name == verb and action.secret for action in kind.actions)
    owned = (kind.name, verb) in OWNED and may_own(principal)
    return (kind.reads(verb) and not secret) or owned or kind.name == "Token"


def _may_be_short(kind: Kind, allowing: tuple[Allowing, ...]) -> bool:
    """Whether somebody's first project, or first place of this kind, would show only when what is kept is read again."""
    scopes = {one.scope for one in allowing}
    if "global" in scopes:
        return False
    expected = {"project"} if kind.project_column is not None else scopes
    return not any(where_of(kind, scope) for scope in expected & scopes)


@lru_cache(maxsize=8192)
def condition(
    kind: Kind, subject: Subject, allowing: tuple[Allowing, ...], reads: bool
) -> "ColumnElement[bool] | None":
    """The condition over a kind's table; the same object for the same question, so that it is compiled once.

    Args:
        subject: who asks.
        allowing: for each scope, the roles that allow it, and whether all their bindings are read at once: PostgreSQL keeps one
            plan for all callers, and the plan for somebody who has three projects takes seconds for somebody who has a thousand.
        reads: whether nothing is changed: what is somebody's own, that one may see (and of tokens, change).
    """
    found: list[ColumnElement[bool]] = []
    for one in allowing:
        if one.scope == "global":
            return None
        if (there := _reached(kind, one, subject)) is not None:
            found.append(there)
    if (own := _own(kind, subject, reads)) is not None:
        found.append(own)
    return or_(*found) if found else false()


def _reached(kind: Kind, one: Allowing, subject: Subject) -> "ColumnElement[bool] | None":
    """The condition that an object is in a place where somebody has one of these roles; ``None`` when it never is."""
    where = where_of(kind, one.scope)
    if where is None:
        return None
    columns = [where.table.c[name] for name in where.columns.values()]
    there = _within(columns[0], one, subject) if len(columns) == 1 else _within_all(columns, one, subject)
    if where.by is None:
        return there
    return kind.table.c[where.by].in_(select(where.table.c.id).where(there))


def _within(column: "ColumnElement[str]", one: Allowing, subject: Subject) -> "ColumnElement[bool]":
    """The condition that a column names a place where somebody has one of these roles."""
    # The same for everybody, so they are written into the text: the driver looks for each value that is not.
    scope = literal(one.scope, literal_execute=True)
    roles = bindparam(None, one.roles, String, expanding=True, literal_execute=True)
    bindings, name = _bindings().alias("b"), f"{one.scope}_id"
    ours = select(bindings.c[name], bindings.c.role_id).where(bindings.c.scope == scope)
    if not one.many:
        held = ours.with_only_columns(bindings.c[name]).where(bindings.c.role_id.in_(roles), subject.owns(bindings))
        return column.in_(held)
    ways = union_all(*(ours.where(way) for way in subject.ways(bindings))).subquery("h")
    held = select(ways.c[name]).where(ways.c.role_id.in_(roles))
    here = outer(column)
    # What is TRUE is no join to PostgreSQL: it reads the bindings once, into a hash table, and goes along the list's order; with
    # an OFFSET it does not read them all even then, but looks for each place that falls through the sieve.
    found = exists(held.where(ways.c[name] == here).offset(literal_column("0")))
    return Paged(column.in_(held).is_(true()), (falls_through(here, subject) & found).is_(true()))


def _within_all(columns: "Sequence[ColumnElement[str]]", one: Allowing, subject: Subject) -> "ColumnElement[bool]":
    """As `_within`, of the columns that name a place together."""
    bindings = _bindings().alias("b")
    roles = bindparam(None, one.roles, String, expanding=True, literal_execute=True)
    is_one = bindings.c.scope == literal(one.scope, literal_execute=True)
    names = (bindings.c[f"{part}_id"] for part in parts_of(one.scope))
    held = select(*names).where(is_one, bindings.c.role_id.in_(roles))
    if not one.many:
        return tuple_(*columns).in_(held.where(subject.owns(bindings)))
    return tuple_(*columns).in_(union_all(*(held.where(way) for way in subject.ways(bindings)))).is_(true())


def _own(kind: Kind, subject: Subject, reads: bool) -> "ColumnElement[bool] | None":
    if kind.name == "Token":
        own = kind.table.c.user_id if subject.user_id is not None else kind.table.c.service_account_id
        return own == (subject.user_id or subject.service_account_id)
    if not reads:
        return None
    if kind.name == "User":
        return kind.table.c.id == subject.user_id
    if kind.name == "RoleBinding":
        return subject.owns(kind.table)
    return None


def _bindings() -> Table:
    table = RoleBinding.__table__
    assert isinstance(table, Table)
    return table
