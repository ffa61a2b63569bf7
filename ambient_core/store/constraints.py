"""What PostgreSQL refuses, in the caller's words: by SQLSTATE and constraint name, never by driver text."""

from collections.abc import Iterable
from typing import Any

import psycopg
from sqlalchemy import Column, ForeignKeyConstraint, UniqueConstraint

from ambient_core.errors import AmbientError, Conflict, Fault, Invalid
from ambient_core.kinds import Kind, Registry


def explain(fault: Exception, registry: Registry) -> AmbientError | None:
    """The refusal that a database error means, or ``None`` when it is a fault of ours or an outage."""
    original = getattr(fault, "orig", fault)
    if not isinstance(original, psycopg.Error):
        return None
    kind = registry.by_plural(original.diag.table_name or "")
    name = original.diag.constraint_name
    if isinstance(original, psycopg.errors.UniqueViolation):
        return _taken(kind, name)
    if isinstance(original, psycopg.errors.ForeignKeyViolation):
        return _reference(kind, name, registry, "still referenced" in (original.diag.message_detail or ""))
    if isinstance(original, psycopg.errors.NotNullViolation | psycopg.errors.CheckViolation):
        field = original.diag.column_name or ""
        return Invalid.of([Fault(f"/{field}", "constraint", "has a value that the database refuses.")])
    if isinstance(original, psycopg.errors.ProgramLimitExceeded):
        return Invalid("A value is too long for a field that is indexed; shorten it.")
    if isinstance(original, psycopg.DataError):
        return Invalid("A value does not fit its field; see the documented type and length of each.")
    return None


def no_reference(name: str, wanted: str) -> Fault:
    """The fault of a reference to something that is not there, or not to be seen."""
    return Fault(f"/{name}", "reference", f"refers to no {wanted}; give the id of one that exists.")


def _taken(kind: Kind | None, constraint: str | None) -> Conflict:
    if kind is None:
        return Conflict("An object with the same unique values exists already.")
    names = list(_unique_fields(kind, constraint)) or [kind.id_from or "id"]
    return Conflict(
        f"A {kind.name} with the same {' and '.join(names)} exists already; choose another value.",
        [Fault(f"/{name}", "unique", "is taken.") for name in names],
    )


def _unique_fields(kind: Kind, constraint: str | None) -> Iterable[str]:
    found: Iterable[Column[Any]] = ()
    for candidate in kind.table.constraints:
        if isinstance(candidate, UniqueConstraint) and candidate.name == constraint:
            found = candidate.columns
    for index in kind.table.indexes:
        if index.unique and index.name == constraint:
            found = index.columns
    names = [column.name for column in found]
    if names:
        return names
    text = (constraint or "").removeprefix(f"uq_{kind.plural}_")
    return next((group for group in kind.unique if "_".join(group) == text), ())


def _reference(kind: Kind | None, constraint: str | None, registry: Registry, still_used: bool) -> AmbientError:
    if kind is None or still_used:
        what = f"A {kind.name}" if kind is not None else "Something"
        return Conflict(f"{what} still refers to this object; delete or change that first.")
    for candidate in kind.table.constraints:
        if isinstance(candidate, ForeignKeyConstraint) and candidate.name == constraint:
            target = registry.by_plural(candidate.elements[0].target_fullname.split(".")[0])
            wanted = target.name if target is not None else "object"
            return Invalid.of([no_reference(c.name, wanted) for c in candidate.columns])
    return Invalid("A field refers to an object that does not exist.")
