"""Places: where a role can be given, what a binding names to say which one, and where the objects of a kind lie.

An agent is a place unlike the others, and only this module knows how: agents are kept elsewhere, and nothing here knows which there
are; the same id in another project is another agent; and what is of a session lies at the agent of its session.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table

from ambient_core import Kind, Resource

PLACES = ("project", "agent", "session", "credential")
BESIDE: Mapping[str, tuple[str, ...]] = {
    "global": (),
    "project": (),
    "agent": ("project",),
    "session": ("project", "agent"),
    "credential": ("project",),
}
"""By scope, what a binding may name beside the place itself: where this lies in turn."""
ELSEWHERE = frozenset({"agent"})
"""Places that may be named although no plugin keeps them."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is given: everywhere when nothing is named. What is named lies in each other: an agent in its project."""

    project_id: str | None = None
    agent_id: str | None = None
    session_id: str | None = None
    credential_id: str | None = None

    @classmethod
    def of(cls, binding: Mapping[str, Any]) -> "Place":
        """The place of a binding; a credential lives in no project, and what one may in a project says nothing about it."""
        if binding["scope"] == "credential":
            return cls(credential_id=binding["credential_id"])
        return cls(*(binding.get(f"{place}_id") for place in PLACES))

    def parameters(self) -> dict[str, str | None]:
        """Its parts by name: the parameters of `held_here`."""
        return {f"{place}_id": getattr(self, f"{place}_id") for place in PLACES}


@dataclass(frozen=True, slots=True)
class Where:
    """What says of an object at which place of a scope it is.

    Args:
        table: whose rows say it.
        columns: by column of a binding, the column of that table that has the same there.
        by: the object's field that names its row of the table; ``None`` where that is the object itself.
    """

    table: Table
    columns: Mapping[str, str]
    by: str | None = None


def parts_of(scope: str) -> tuple[str, ...]:
    """What a binding names to say which place of a scope it means."""
    return ("project", "agent") if scope == "agent" else (scope,)


def held_here(scope: str) -> str:
    """SQL: a binding ``b`` holds at the place of this scope that the parameters say."""
    same = " AND ".join(f"b.{part}_id = %({part}_id)s::text" for part in parts_of(scope))
    return f"(b.scope = '{scope}' AND {same})"


def where_of(kind: Kind, scope: str) -> Where | None:
    """Where the objects of a kind are among the places of a scope; ``None`` when they are at none."""
    own = {f"{part}_id": column for part in parts_of(scope) if (column := _column_of(kind, part)) is not None}
    if len(own) == len(parts_of(scope)):
        return Where(kind.table, own)
    sessions = Resource.metadata.tables.get(kind.references.get("session_id", ""))
    names = {f"{part}_id": f"{part}_id" for part in parts_of(scope)}
    if scope != "agent" or sessions is None or not names.keys() <= set(sessions.c.keys()):
        return None
    return Where(sessions, names, by="session_id")


def _column_of(kind: Kind, place: str) -> str | None:
    if place == "project":
        return kind.project_column
    column = "id" if kind.name.lower() == place else f"{place}_id"
    return column if column in kind.table.columns else None
