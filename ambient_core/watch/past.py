"""The past of a kind: its objects as the change log says they were, as a table of the kind's own name.

A statement over the kind's table becomes one over its past by a common table expression that takes the table's name. Search,
scope, order, fields and pages are then what they are for the present.
"""

from datetime import datetime

from ambient_core import changes
from ambient_core.changes import Run
from ambient_core.changes.visibility import of_this_project
from ambient_core.database.statements import Clause, quote
from ambient_core.errors import BadQuery, Gone
from ambient_core.kinds import Kind
from ambient_core.rest.parameters import one

_STATE = "c.object, c.verb, c.seq, c.at, c.operation_id, c.project_id"
_AT = "SELECT %(at)s::timestamptz > now()"


def time_of(name: str) -> datetime | None:
    """A query parameter that is an RFC 3339 time.

    Raises:
        BadQuery: it is none.
    """
    text = one(name)
    if text is None:
        return None
    try:
        # A plus that was not escaped arrives as a blank.
        value = datetime.fromisoformat(text.upper().replace(" ", "+"))
    except ValueError:
        value = None
    if value is None or value.tzinfo is None or "T" not in text.upper():
        raise BadQuery(f"{name} must be an RFC 3339 time such as 2026-01-31T12:00:00Z; it is {text[:40]!r}.")
    return value


def number_of(name: str) -> int | None:
    """A query parameter that is a version.

    Raises:
        BadQuery: it is none.
    """
    text = one(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19 and int(text) > 0):
        raise BadQuery(f"{name} must be a whole number from 1; it is {text[:40]!r}.")
    return int(text)


def at_time(run: Run, kind: Kind, at: datetime, identifier: str | None = None, *, limited: bool) -> Clause:
    """A kind's objects as they were at a time: what was written by writes that had begun by then.

    Args:
        run: runs a statement.
        kind: whose past.
        at: the time.
        identifier: of the one object that is wanted.
        limited: whether the caller sees the kind within a scope.

    Raises:
        BadQuery: the time is not over yet.
        Gone: what was then is not kept any more.
    """
    kept = changes.horizon(run)
    if kept.at is not None and at < kept.at:
        since = kept.at.isoformat(timespec="seconds")
        raise Gone(f"as_of is older than what the change log keeps; ask for a time from {since} on.")
    if run(_AT, {"at": at}).fetchone()[0]:
        raise BadQuery("as_of must not lie in the future.")
    chosen = "c.kind = %(past_kind_)s AND c.at <= %(past_at_)s"
    parameters = {"past_kind_": kind.name, "past_at_": at}
    if identifier is not None:
        chosen, parameters["past_id_"] = chosen + " AND c.object_id = %(past_id_)s", identifier
    newest = (
        f"SELECT DISTINCT ON (c.object_id) {_STATE} FROM changes AS c WHERE {chosen} ORDER BY c.object_id, c.seq DESC"
    )
    return _table(kind, newest, f"c.verb <> 'delete' AND {_own(kind, limited)}", parameters)


def at_version(kind: Kind, identifier: str, version: int, *, limited: bool) -> Clause:
    """One object as it was at a version.

    Args:
        kind: its kind.
        identifier: its id.
        version: which of its versions.
        limited: whether the caller sees the kind within a scope.
    """
    chosen = "c.kind = %(past_kind_)s AND c.object_id = %(past_id_)s AND c.version = %(past_version_)s"
    newest = f"SELECT {_STATE} FROM changes AS c WHERE {chosen} ORDER BY c.seq DESC LIMIT 1"
    return _table(
        kind, newest, _own(kind, limited), {"past_kind_": kind.name, "past_id_": identifier, "past_version_": version}
    )


def _own(kind: Kind, limited: bool) -> str:
    return of_this_project(kind, "c") if limited else "true"


def _table(kind: Kind, states: str, condition: str, parameters: dict[str, object]) -> Clause:
    table = quote(kind.plural)
    text = (
        f"WITH {table} AS (SELECT r.* FROM ({states}) AS c "
        f"CROSS JOIN LATERAL json_populate_record(NULL::{table}, c.object) AS r WHERE {condition}) "
    )
    return Clause(text, parameters)
