"""A part of what a JSON field holds, as SQL conditions.

A part has the type of the literal that it is compared with: what has another type, or is not there, is no value.
"""

import re
from collections.abc import Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from ambient_core.errors import BadQuery
from ambient_core.search.columns import Column, number
from ambient_core.search.expressions import Field, Value

_LONGEST_STEP = 317
"""A label's name: a prefix of 253 characters, a slash, and 63 more."""


class Part:
    """What lies at a path of a JSON field.

    Args:
        column: the field.
        field: as it was asked for, with a path.

    Raises:
        BadQuery: this field has no such parts.
    """

    def __init__(self, column: Column, field: Field) -> None:
        if column.type != "json" or column.format in ("array", "string-list"):
            raise BadQuery(f"search: field {column.name!r} has no parts (position {field.at}); write it without a dot.")
        if column.format == "string-map" and len(field.path) > 1:
            raise BadQuery(
                f"search: field {column.name!r} maps names to strings (position {field.at}); a name with dots is quoted: "
                f"{column.name}.'{'.'.join(field.path)}'."
            )
        for step in field.path:
            if not step or len(step) > _LONGEST_STEP:
                raise BadQuery(f"search: a name in a path has 1 to {_LONGEST_STEP} characters (position {field.at}).")
        if any(re.fullmatch(r"-?\d+", step) for step in field.path[1:]):
            raise BadQuery(f"search: a path leads through objects, not to places of a list (position {field.at}).")
        self.name = str(field)
        self._column = column
        self._path = field.path
        self._json = sa.cast(column.expression, JSONB)

    def equals(self, literal: Value) -> "sa.ColumnElement[bool]":
        """Where the part is this value: true for the same rows as the comparison, and served by an index."""
        self._check(literal)
        return self._contains(scalar(literal))

    def value(self, literal: Value) -> "tuple[sa.ColumnElement[Any], Any]":
        """The part as a value of the literal's type, and the literal's value.

        Raises:
            BadQuery: the field holds strings alone, and the literal is none.
        """
        self._check(literal)
        if literal.kind == "string":
            return self.text(), str(literal.value)
        kind: Any = sa.Numeric() if literal.kind == "number" else sa.Boolean()
        return sa.cast(self._of_type(literal.kind), kind), number(
            literal
        ) if literal.kind == "number" else literal.value

    def text(self) -> "sa.ColumnElement[Any]":
        """The part as text; NULL unless it is a string."""
        return self._extracted() if self._column.format == "string-map" else self._of_type("string")

    def is_nothing(self) -> "sa.ColumnElement[bool]":
        """Where the part is not there, or null."""
        return self._extracted().is_(None)

    def lists(self, literal: Value, *, exact: bool) -> "sa.ColumnElement[bool]":
        """Where the part is an array with this value in it.

        Args:
            exact: whether "is no array" must be told from "does not hold it".
        """
        if not exact:
            return self._contains([scalar(literal)])
        inner = sa.func.jsonb_extract_path(self._json, *self._steps(), type_=JSONB)
        holds = inner.op("@>", is_comparison=True)(_document([scalar(literal)]))
        return sa.case((sa.func.jsonb_typeof(inner) == "array", holds))

    def _check(self, literal: Value) -> None:
        if self._column.format == "string-map" and literal.kind != "string":
            raise BadQuery(
                f"search: field {self._column.name!r} holds strings; quote the value (position {literal.at})."
            )

    def _contains(self, value: Any) -> "sa.ColumnElement[bool]":
        for step in reversed(self._path):
            value = {step: value}
        # The bare column, not its cast, is what an index is over.
        column = self._column.expression if isinstance(self._column.expression.type, JSONB) else self._json
        return column.op("@>", is_comparison=True)(_document(value))

    def _extracted(self) -> "sa.ColumnElement[Any]":
        return sa.func.jsonb_extract_path_text(self._json, *self._steps(), type_=sa.Text)

    def _of_type(self, name: str) -> "sa.ColumnElement[Any]":
        inner = sa.func.jsonb_extract_path(self._json, *self._steps(), type_=JSONB)
        return sa.case((sa.func.jsonb_typeof(inner) == name, self._extracted()))

    def _steps(self) -> "Sequence[sa.BindParameter[str]]":
        return [sa.bindparam(None, step, type_=sa.Text) for step in self._path]


def scalar(literal: Value) -> Any:
    """A literal as JSON knows it."""
    if literal.kind != "number":
        return literal.value
    return orjson.Fragment(str(number(literal)))


def holds(column: Column, literal: Value) -> "sa.ColumnElement[bool]":
    """Where a JSON array has this value in it, or a JSON object this name.

    Raises:
        BadQuery: the field cannot hold such a value.
    """
    listed = column.format in ("array", "string-list")
    if literal.kind != "string" and column.format != "array":
        raise BadQuery(f"search: field {column.name!r} takes a quoted string here (position {literal.at}).")
    if listed:
        whole = column.expression if isinstance(column.expression.type, JSONB) else sa.cast(column.expression, JSONB)
        return whole.op("@>", is_comparison=True)(_document([scalar(literal)]))
    name = sa.bindparam(None, str(literal.value), type_=sa.Text)
    return sa.func.jsonb_exists(sa.cast(column.expression, JSONB), name, type_=sa.Boolean)


def _document(value: Any) -> "sa.ColumnElement[Any]":
    # As text: the statements' parameters go to the driver as they are.
    return sa.cast(sa.bindparam(None, orjson.dumps(value).decode(), type_=sa.Text), JSONB)
