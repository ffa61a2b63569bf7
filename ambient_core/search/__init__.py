"""``?search=``: expressions over declared fields as SQL conditions whose every value is bound.

SQL's logic has three values: a comparison with "no value" is neither true nor false, and so is its negation. A list takes
only what is true, so a condition that stands under no ``not`` may be any SQL that is true for the same rows. That is how a
question for a part of a JSON field becomes a containment, which an index serves; under ``not`` it is spelt out.

The room has a list's query string as values and SQL terms: the language and its grammar, order, fields, pages and their tokens.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from ambient_core.errors import BadQuery
from ambient_core.search.columns import Column, Type, typed
from ambient_core.search.expressions import Condition, Expression, Joined, Negation, Value, parse
from ambient_core.search.parts import Part, holds

LONGEST_PATTERN = 256
MOST_WILDCARDS = 8

Clause = sa.ColumnElement[bool]
_NOTHING = ("is_null", "is_not_null")
_LIKE = ("like", "ilike")
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def where(expression: Expression, columns: Mapping[str, Column], *, negated: bool = False) -> Clause:
    """The SQL condition of an expression.

    Args:
        expression: what `parse` gave.
        columns: the fields that may be searched, by name.
        negated: whether it stands under an odd number of ``not``.

    Raises:
        BadQuery: a field is not known, or a literal does not fit its field.
    """
    if isinstance(expression, Negation):
        return sa.not_(where(expression.part, columns, negated=not negated))
    if isinstance(expression, Joined):
        parts = [where(part, columns, negated=negated) for part in expression.parts]
        return sa.and_(*parts) if expression.word == "and" else sa.or_(*parts)
    field = expression.field
    column = columns.get(field.name)
    if column is None:
        known = ", ".join(sorted(columns))
        raise BadQuery(f"search: there is no field {field.name!r} (position {field.at}); known fields: {known}.")
    name = expression.operator.removeprefix("not_")
    opposite = name != expression.operator or name == "is_not_null"
    plain = Condition(field, "is_null" if name in _NOTHING else name, expression.values)
    exact = negated or opposite
    clause = _of_part(plain, Part(column, field), exact=exact) if field.path else _of_field(plain, column)
    return sa.not_(clause) if opposite else clause


def _of_field(condition: Condition, column: Column) -> Clause:
    name, literals = condition.operator, condition.values
    if name == "is_null":
        return column.expression.is_(None)
    if name == "contains" and column.type == "json":
        return holds(column, literals[0])
    if name in _LIKE or name == "contains":
        if column.type != "string":
            raise BadQuery(
                f"search: {name} is for text; field {column.name!r} is of type {column.type} (position {literals[0].at})."
            )
        return _matches(column.expression, name, literals[0])
    if column.type == "json":
        part = f"for a part of it, as in {column.name}.name = 'x', or with contains"
        asked = (
            f"what it contains, as in {column.name} contains 'x'" if column.format in ("array", "string-list") else part
        )
        raise BadQuery(
            f"search: field {column.name!r} holds JSON; ask {asked}, is null or is not null (position {condition.field.at})."
        )
    if column.type == "boolean" and name not in ("=", "!=", "<>"):
        raise BadQuery(f"search: field {column.name!r} is true or false; compare it with = or !=.")
    values = [sa.bindparam(None, typed(value, column), type_=column.expression.type) for value in literals]
    return _compared(column.expression, name, values)


def _of_part(condition: Condition, part: Part, *, exact: bool) -> Clause:
    name, literals = condition.operator, condition.values
    if name == "is_null":
        return part.is_nothing()
    if len({literal.kind for literal in literals}) > 1:
        raise BadQuery(f"search: {part.name} is compared with values of one type (position {literals[1].at}).")
    if name in ("=", "within") and not exact:
        return sa.or_(*[part.equals(literal) for literal in literals])
    if name == "contains":
        text = _matches(part.text(), name, literals[0]) if literals[0].kind == "string" else None
        listed = part.lists(literals[0], exact=exact)
        return listed if text is None else _either(text, listed)
    if name in _LIKE:
        return _matches(part.text(), name, literals[0])
    if any(literal.kind == "boolean" for literal in literals) and name not in ("=", "!=", "<>", "within"):
        raise BadQuery(f"search: {part.name} is compared with true or false by = or != (position {literals[0].at}).")
    pairs = [part.value(literal) for literal in literals]
    return _compared(pairs[0][0], name, [sa.bindparam(None, value, type_=left.type) for left, value in pairs])


def _either(first: Clause, second: Clause) -> Clause:
    """One of two conditions that never both have a value: the one that has."""
    return sa.func.coalesce(first, second, type_=sa.Boolean)


def _compared(left: "sa.ColumnElement[Any]", name: str, values: "list[sa.BindParameter[Any]]") -> Clause:
    if name == "within":
        return left.in_(values)
    if name == "between":
        return left.between(values[0], values[1])
    result: Clause = _COMPARE[name](left, values[0])
    return result


def _matches(text: "sa.ColumnElement[Any]", name: str, literal: Value) -> Clause:
    if literal.kind != "string":
        raise BadQuery(f"search: {name} takes a quoted string (position {literal.at}).")
    pattern = str(literal.value)
    if len(pattern) > LONGEST_PATTERN:
        raise BadQuery(f"search: {name} takes at most {LONGEST_PATTERN} characters (position {literal.at}).")
    if name == "contains":
        for special in ("\\", "%", "_"):
            pattern = pattern.replace(special, "\\" + special)
        return text.ilike(f"%{pattern}%")
    if pattern.count("%") + pattern.count("_") > MOST_WILDCARDS * 4 or pattern.count("%") > MOST_WILDCARDS:
        raise BadQuery(
            f"search: a pattern has at most {LONGEST_PATTERN} characters and {MOST_WILDCARDS} of % (position {literal.at})."
        )
    if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
        raise BadQuery(f"search: a pattern must not end in a single backslash (position {literal.at}); write two.")
    return text.ilike(pattern) if name == "ilike" else text.like(pattern)


__all__ = ["Column", "Type", "parse", "where"]
