"""The past of a kind: its objects as the change log says they were at a time, as a table of the kind's own name.

A statement over the kind's table becomes one over its past by a common table expression that takes the table's name. Search,
scope, order, fields and pages are then what they are for the present.
"""

from datetime import datetime

from ambient_core.errors import BadQuery
from ambient_core.parameters import one


def time_of(name: str) -> datetime | None:
    """A query parameter that is an RFC 3339 time.

    Raises:
        BadQuery: it is none.
    """
    text = one(name)
    if text is None:
        return None
    try:
        value = datetime.fromisoformat(text.upper().replace(" ", "+"))
    except ValueError:
        value = None
    if value is None or value.tzinfo is None or "T" not in text.upper():
        raise BadQuery(f"{name} must be an RFC 3339 time such as 2026-01-31T12:00:00Z; it is {text[:40]!r}.")
    return value
