"""The fields that may be searched and ordered, and the literals that each takes."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON, JSONB

from ambient_core.errors import BadQuery
from ambient_core.kinds import rules_of
from ambient_core.search.expressions import Value

Type = Literal["string", "integer", "number", "boolean", "time", "uuid", "json"]

_TIME = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)?)?")
_WHOLE = re.compile(r"[+-]?\d{1,19}")
_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")


@dataclass(frozen=True, slots=True)
class Column:
    """One field that may be searched.

    Args:
        name: as the caller writes it.
        expression: the SQL column.
        type: which literals it takes.
        bits: width of an integer field.
        choices: the values that an enum field may have.
        format: what a JSON field holds: ``object``, ``string-map``, ``array`` or ``string-list``.
    """

    name: str
    expression: "sa.ColumnElement[Any]"
    type: Type
    bits: int = 64
    choices: tuple[str, ...] = ()
    format: str = "object"

    @classmethod
    def of(cls, column: "sa.Column[Any]", choices: tuple[str, ...] = ()) -> "Column":
        """Describe a table's column."""
        kinds: tuple[tuple[tuple[type, ...], Type], ...] = (
            ((sa.Boolean,), "boolean"),
            ((sa.DateTime,), "time"),
            ((JSON, JSONB, sa.JSON), "json"),
            ((sa.Integer,), "integer"),
            ((sa.Float, sa.Numeric), "number"),
            ((sa.Uuid,), "uuid"),
        )
        found: Type = next((name for types, name in kinds if isinstance(column.type, types)), "string")
        bits = 64 if isinstance(column.type, sa.BigInteger) else 16 if isinstance(column.type, sa.SmallInteger) else 32
        return cls(column.name, column, found, bits, choices, rules_of(column).format or "object")


def typed(literal: Value, column: Column) -> Any:
    """A literal as the value of a field.

    Raises:
        BadQuery: it does not fit; says what does.
    """
    value = _READERS[column.type](literal, column)
    if value is None:
        wanted = {
            "integer": f"a whole number of at most {column.bits} bits",
            "number": "a number",
            "boolean": "true or false",
            "time": "a quoted RFC 3339 time, such as '2026-01-31T12:00:00Z'",
            "uuid": "a quoted UUID",
        }.get(column.type, "a quoted string")
        raise BadQuery(f"search: field {column.name!r} takes {wanted} (position {literal.at}).")
    if column.choices and value not in column.choices:
        raise BadQuery(
            f"search: {str(value)[:60]!r} is no value of field {column.name!r} (position {literal.at}); "
            f"it has one of: {', '.join(column.choices)}."
        )
    return value


def number(literal: Value) -> Decimal | None:
    """A literal as a number, if it is one."""
    return Decimal(str(literal.value)) if _DECIMAL.fullmatch(str(literal.value)) else None


def _string(literal: Value, _column: Column) -> str | None:
    return str(literal.value) if literal.kind == "string" else None


def _integer(literal: Value, column: Column) -> int | None:
    if literal.kind == "boolean" or not _WHOLE.fullmatch(str(literal.value)):
        return None
    value = int(str(literal.value))
    return value if -(2 ** (column.bits - 1)) <= value < 2 ** (column.bits - 1) else None


def _number(literal: Value, _column: Column) -> float | None:
    found = None if literal.kind == "boolean" else number(literal)
    value = float("inf") if found is None else float(found)
    return value if abs(value) != float("inf") else None


def _boolean(literal: Value, _column: Column) -> bool | None:
    return {"true": True, "false": False}.get(str(literal.value).lower()) if literal.kind != "number" else None


def _time(literal: Value, _column: Column) -> datetime | None:
    text = str(literal.value)
    if literal.kind != "string" or not _TIME.fullmatch(text):
        return None
    try:
        value = datetime.fromisoformat(text.upper().replace(" ", "T"))
    except ValueError:
        return None
    # A time without an offset means UTC, as everywhere on this wire.
    return value if value.tzinfo else datetime.fromisoformat(value.isoformat() + "+00:00")


def _uuid(literal: Value, column: Column) -> UUID | str | None:
    try:
        value = UUID(str(literal.value)) if literal.kind == "string" else None
    except ValueError:
        return None
    return str(value) if value is not None and not getattr(column.expression.type, "as_uuid", True) else value


_READERS = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "time": _time,
    "uuid": _uuid,
}
