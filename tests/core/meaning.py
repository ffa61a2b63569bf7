"""What a search expression means, in plain Python over a row: true, false, or nothing that can be said (None)."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

Truth = bool | None
Row = dict[str, Any]
Said = tuple[str, Callable[[Row], Truth]]
"""An expression as text, and what it means."""


def literal(value: Any) -> str:
    if isinstance(value, datetime):
        return f"'{value.isoformat()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).lower()


def read(row: Row, field: str, beside: Any) -> Any:
    """A field's value; a part of a JSON field has one only if it is of the type that it is compared with."""
    name, *path = re.findall(r"'[^']*'|[^.]+", field)
    value = row[name]
    for step in path:
        value = value.get(step.strip("'")) if isinstance(value, dict) else None
    if path and beside is not None:
        same = isinstance(value, bool) == isinstance(beside, bool) and isinstance(value, str) == isinstance(beside, str)
        return value if same and isinstance(value, str | int | float) else None
    return value


def compare(field: str, sign: str, value: Any) -> Said:
    def holds(row: Row) -> Truth:
        found = read(row, field, value)
        if found is None:
            return None
        signs: dict[str, Callable[[], bool]] = {
            "=": lambda: found == value, "!=": lambda: found != value, "<>": lambda: found != value,
            "<": lambda: found < value, "<=": lambda: found <= value,
            ">": lambda: found > value, ">=": lambda: found >= value,
        }  # fmt: skip
        return signs[sign]()

    return f"{field} {sign} {literal(value)}", holds


def within(field: str, values: list[Any], negated: bool) -> Said:
    def holds(row: Row) -> Truth:
        found = read(row, field, values[0])
        return None if found is None else (found in values) != negated

    listed = ", ".join(literal(value) for value in values)
    return f"{field} {'NOT ' * negated}in ({listed})", holds


def like(field: str, pattern: str, blind: bool, negated: bool) -> Said:
    expression = "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern)
    compiled = re.compile(expression, re.DOTALL | (re.IGNORECASE if blind else 0))

    def holds(row: Row) -> Truth:
        found = read(row, field, pattern)
        return None if found is None else (compiled.fullmatch(found) is not None) != negated

    return f"{field} {'not ' * negated}{'ILIKE' if blind else 'like'} {literal(pattern)}", holds


def contains(field: str, value: Any, negated: bool) -> Said:
    """Text inside text (whatever the case), a value in a list, a name in a map."""

    def holds(row: Row) -> Truth:
        found = read(row, field, None)
        if "." in field and not (isinstance(found, list) or (isinstance(found, str) and isinstance(value, str))):
            return None
        if found is None:
            return None
        inside = value.lower() in found.lower() if isinstance(found, str) else any(same(value, item) for item in found)
        return inside != negated

    return f"{field} {'not ' * negated}contains {literal(value)}", holds


def same(one: Any, other: Any) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def between(field: str, low: Any, high: Any, negated: bool) -> Said:
    def holds(row: Row) -> Truth:
        found = read(row, field, low)
        return None if found is None else (low <= found <= high) != negated

    return f"{field} {'not ' * negated}between {literal(low)} and {literal(high)}", holds


def nothing(field: str, negated: bool) -> Said:
    return f"{field} is {'not ' * negated}null", lambda row: (read(row, field, None) is None) != negated


def join(word: str, parts: list[Said]) -> Said:
    def holds(row: Row) -> Truth:
        values = [part(row) for _, part in parts]
        decisive = word == "or"
        return decisive if decisive in values else None if None in values else not decisive

    return "(" + f" {word} ".join(text for text, _ in parts) + ")", holds


def negate(part: Said) -> Said:
    text, inner = part

    def holds(row: Row) -> Truth:
        found = inner(row)
        return None if found is None else not found

    return f"not {text}" if text.startswith("(") else f"NOT ({text})", holds


def expressions(conditions: st.SearchStrategy[Said]) -> st.SearchStrategy[Said]:
    """Conditions, joined and negated in any depth."""
    return st.recursive(
        conditions,
        lambda inner: st.one_of(
            st.builds(join, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)),
            st.builds(negate, inner),
        ),
        max_leaves=8,
    )
