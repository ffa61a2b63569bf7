"""Which credentials a session has: one of each provider, of its agent before its project before everybody's."""

from functools import lru_cache

from sqlalchemy import ColumnElement, and_, case, false, func, or_, select
from sqlalchemy.sql.expression import FromClause

from ambient_core import Kind, Principal, Resource, hookimpl

OWNER = "credential-owner"
SUBJECTS = ("user_id", "group_name", "service_account_id")


@hookimpl
def ambient_may(principal: Principal, verb: str, kind: Kind) -> bool | None:
    """Nobody but a session fetches a token."""
    if kind.name == "Credential" and verb == "fetch_token" and principal.kind != "session":
        return False
    return None


@hookimpl
def ambient_scope(principal: Principal, kind: Kind) -> "ColumnElement[bool] | None":
    """A session sees the credentials that it has."""
    if kind.name != "Credential" or principal.kind != "session":
        return None
    attributes = principal.attributes
    return lent_to(kind, attributes["project_id"], attributes.get("agent_id"))


@lru_cache(maxsize=4096)
def lent_to(kind: Kind, project: str, agent: str | None) -> "ColumnElement[bool]":
    """The condition that a credential is what a session of this project and agent has of its provider.

    Role bindings say so that are of scope `credential` and for nobody: of what is nearest to the session the first that was made.
    The same object for the same question, so that it is compiled once.
    """
    found = Resource.metadata.tables.get("role_bindings")
    if found is None:
        return false()
    one, binding = kind.table.alias("c"), found.alias("b")
    near = case((binding.c.agent_id.is_not(None), 0), (binding.c.project_id.is_not(None), 1), else_=2)
    order = (near, binding.c.created_at, binding.c.id)
    place = func.row_number().over(partition_by=one.c.provider, order_by=order).label("place")
    lent = select(one.c.id, place).join(binding, binding.c.credential_id == one.c.id)
    ranked = lent.where(_reaches(binding, project, agent)).subquery("ranked")
    return kind.table.c.id.in_(select(ranked.c.id).where(ranked.c.place == 1))


def _reaches(binding: FromClause, project: str, agent: str | None) -> "ColumnElement[bool]":
    columns = binding.c
    nobody = [columns[name].is_(None) for name in SUBJECTS]
    there = or_(columns.project_id.is_(None), columns.project_id == project)
    it = columns.agent_id.is_(None) if agent is None else or_(columns.agent_id.is_(None), columns.agent_id == agent)
    return and_(columns.scope == "credential", columns.role_id != OWNER, *nobody, there, it)
