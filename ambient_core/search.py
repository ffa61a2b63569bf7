"""``?search=``: the Tree Search Language over declared fields, as SQL conditions whose every value is bound.

The text is checked for length and nesting before it is parsed, so that a hostile one costs microseconds. The tree is pure;
`where` alone knows columns.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, Literal

import sqlalchemy as sa
from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput
from sqlalchemy.dialects.postgresql import JSON, JSONB

from ambient_core.errors import BadQuery

LONGEST = 4096
DEEPEST = 32
MOST_TERMS = 200
LONGEST_PATTERN = 256
MOST_WILDCARDS = 8

Type = Literal["string", "integer", "number", "boolean", "time", "json"]

_STRING = re.compile(r"'(?:[^']|'')*'")
_TIME = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)?)?")
_WHOLE = re.compile(r"[+-]?\d{1,19}")
_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_NOTHING = {"is_null": operator.eq, "is_not_null": operator.ne}
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Value:
    """A value in the text: its kind, itself, and where it stands (1-based)."""

    kind: Literal["string", "number", "boolean"]
    value: str | bool
    at: int


@dataclass(frozen=True, slots=True)
class Condition:
    """``field operator values``."""

    field: str
    at: int
    operator: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """Conditions joined by ``and`` or ``or``."""

    word: Literal["and", "or"]
    parts: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Negation:
    """``not`` something."""

    part: "Expression"


Expression = Condition | Joined | Negation


@dataclass(frozen=True, slots=True)
class Column:
    """One field that may be searched.

    Args:
        name: as the caller writes it.
        expression: the SQL column.
        type: which literals it takes.
        bits: width of an integer field.
        choices: the values an enum field may have; informative.
    """

    name: str
    expression: "sa.ColumnElement[Any]"
    type: Type
    bits: int = 64
    choices: tuple[str, ...] = ()

    @classmethod
    def of(cls, column: "sa.Column[Any]", choices: tuple[str, ...] = ()) -> "Column":
        """Describe a table's column."""
        kinds: tuple[tuple[tuple[type, ...], Type], ...] = (
            ((sa.Boolean,), "boolean"),
            ((sa.DateTime,), "time"),
            ((JSON, JSONB, sa.JSON), "json"),
            ((sa.Integer,), "integer"),
            ((sa.Float, sa.Numeric), "number"),
        )
        found: Type = next((name for types, name in kinds if isinstance(column.type, types)), "string")
        bits = 64 if isinstance(column.type, sa.BigInteger) else 16 if isinstance(column.type, sa.SmallInteger) else 32
        return cls(column.name, column, found, bits, choices)


def parse(text: str) -> Expression:
    """Read a search text.

    Raises:
        BadQuery: with the position (1-based) of what is wrong and what would be right.
    """
    _check_size(text)
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as fault:
        raise _unexpected(fault, text) from None
    expression: Expression = _Tree().transform(tree)
    terms = sum(max(1, len(condition.values)) for condition in _conditions(expression))
    if terms > MOST_TERMS:
        raise BadQuery(f"search has {terms} values; {MOST_TERMS} are the most.")
    return expression


def where(expression: Expression, columns: Mapping[str, Column]) -> "sa.ColumnElement[bool]":
    """The SQL condition of an expression.

    Args:
        expression: what `parse` gave.
        columns: the fields that may be searched, by name.

    Raises:
        BadQuery: a field is not known, or a literal does not fit its field.
    """
    if isinstance(expression, Negation):
        return sa.not_(where(expression.part, columns))
    if isinstance(expression, Joined):
        parts = [where(part, columns) for part in expression.parts]
        return sa.and_(*parts) if expression.word == "and" else sa.or_(*parts)
    column = columns.get(expression.field)
    if column is None:
        known = ", ".join(sorted(columns))
        raise BadQuery(
            f"search: there is no field {expression.field!r} (position {expression.at}); known fields: {known}."
        )
    return _condition(expression, column)


def _condition(condition: Condition, column: Column) -> "sa.ColumnElement[bool]":
    name = condition.operator
    negated = name.startswith("not_") or name == "is_not_null"
    if name in _NOTHING:
        clause: sa.ColumnElement[bool] = column.expression.is_(None)
    elif name.removeprefix("not_") in ("like", "ilike"):
        clause = _like(condition, column)
    else:
        if column.type == "json":
            raise BadQuery(
                f"search: field {column.name!r} holds JSON; only 'is null' and 'is not null' can ask for it."
            )
        values = [_typed(value, column) for value in condition.values]
        if name in _COMPARE:
            return _compare(name, column, values[0])
        clause = column.expression.in_(values) if name.endswith("within") else column.expression.between(*values)
    return sa.not_(clause) if negated else clause


def _compare(name: str, column: Column, value: Any) -> "sa.ColumnElement[bool]":
    if column.type == "boolean" and name not in ("=", "!=", "<>"):
        raise BadQuery(f"search: field {column.name!r} is true or false; compare it with = or !=.")
    result: sa.ColumnElement[bool] = _COMPARE[name](
        column.expression, sa.bindparam(None, value, type_=column.expression.type)
    )
    return result


def _like(condition: Condition, column: Column) -> "sa.ColumnElement[bool]":
    value = condition.values[0]
    if column.type != "string" or value.kind != "string":
        raise BadQuery(
            f"search: like and ilike compare text; field {column.name!r} is of type {column.type} (position {value.at})."
        )
    pattern = str(value.value)
    if (
        len(pattern) > LONGEST_PATTERN
        or pattern.count("%") + pattern.count("_") > MOST_WILDCARDS * 4
        or pattern.count("%") > MOST_WILDCARDS
    ):
        raise BadQuery(
            f"search: a pattern has at most {LONGEST_PATTERN} characters and {MOST_WILDCARDS} of % (position {value.at})."
        )
    if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
        raise BadQuery(f"search: a pattern must not end in a single backslash (position {value.at}); write two.")
    return column.expression.ilike(pattern) if "ilike" in condition.operator else column.expression.like(pattern)


def _typed(literal: Value, column: Column) -> Any:
    reader = {"string": _string, "integer": _integer, "number": _number, "boolean": _boolean, "time": _time}[
        column.type
    ]
    value = reader(literal, column)
    if value is None:
        wanted = {
            "string": "a quoted string",
            "integer": f"a whole number of at most {column.bits} bits",
            "number": "a number",
            "boolean": "true or false",
            "time": "a quoted RFC 3339 time, such as '2026-01-31T12:00:00Z'",
        }[column.type]
        raise BadQuery(f"search: field {column.name!r} takes {wanted} (position {literal.at}).")
    return value


def _string(literal: Value, _column: Column) -> str | None:
    return str(literal.value) if literal.kind == "string" else None


def _integer(literal: Value, column: Column) -> int | None:
    if literal.kind == "boolean" or not _WHOLE.fullmatch(str(literal.value)):
        return None
    value = int(str(literal.value))
    return value if -(2 ** (column.bits - 1)) <= value < 2 ** (column.bits - 1) else None


def _number(literal: Value, _column: Column) -> float | None:
    if literal.kind == "boolean" or not _DECIMAL.fullmatch(str(literal.value)):
        return None
    value = float(Decimal(str(literal.value)))
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


def _check_size(text: str) -> None:
    if len(text) > LONGEST:
        raise BadQuery(f"search has {len(text)} characters; {LONGEST} are the most.")
    if "\0" in text or any(0xD800 <= ord(c) <= 0xDFFF for c in text):
        raise BadQuery("search holds a character that no text may hold (U+0000 or a lone surrogate).")
    depth, deepest = 0, 0
    bare = _STRING.sub("", text)
    for character in bare:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    nots = len(re.findall(r"\bnot\b", bare, re.IGNORECASE))
    if deepest > DEEPEST or nots > MOST_TERMS:
        raise BadQuery(f"search is nested too deep; {DEEPEST} levels of parentheses are the most.")


@cache
def _parser() -> Lark:
    grammar = resources.files("ambient_core").joinpath("search.lark").read_text()
    return Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def _unexpected(fault: UnexpectedInput, text: str) -> BadQuery:
    at = (fault.pos_in_stream or 0) + 1
    if isinstance(fault, UnexpectedCharacters) and text[at - 1 : at] == "'":
        return BadQuery(f"search: the string that starts at position {at} has no closing quote.")
    if at > len(text) or getattr(getattr(fault, "token", None), "type", "") == "$END":
        return BadQuery("search ends too early; a condition is: field operator value, such as name = 'x'.")
    near = text[at - 1 : at + 15]
    return BadQuery(
        f"search: {near!r} at position {at} does not fit; a condition is: field operator value, such as name = 'x'."
    )


def _conditions(expression: Expression) -> Iterator[Condition]:
    stack = [expression]
    while stack:
        part = stack.pop()
        if isinstance(part, Condition):
            yield part
        elif isinstance(part, Negation):
            stack.append(part.part)
        else:
            stack.extend(part.parts)


class _Tree(Transformer[Token, Any]):
    """From lark's tree to ours."""

    def any(self, parts: list[Any]) -> Joined:
        return Joined("or", tuple(parts))

    def all(self, parts: list[Any]) -> Joined:
        return Joined("and", tuple(parts))

    def negation(self, parts: list[Any]) -> Negation:
        return Negation(parts[0])

    def string(self, parts: list[Token]) -> Value:
        return Value("string", parts[0][1:-1].replace("''", "'"), (parts[0].start_pos or 0) + 1)

    def number(self, parts: list[Token]) -> Value:
        return Value("number", str(parts[0]), (parts[0].start_pos or 0) + 1)

    def true(self, parts: list[Token]) -> Value:
        return Value("boolean", True, (parts[0].start_pos or 0) + 1)

    def false(self, parts: list[Token]) -> Value:
        return Value("boolean", False, (parts[0].start_pos or 0) + 1)

    def comparison(self, parts: list[Any]) -> Condition:
        name, sign, value = parts
        return Condition(str(name), (name.start_pos or 0) + 1, str(sign), (value,))

    def __default__(self, data: Any, children: list[Any], meta: Any) -> Any:
        name, *values = children
        return Condition(str(name), (name.start_pos or 0) + 1, str(data), tuple(values))
