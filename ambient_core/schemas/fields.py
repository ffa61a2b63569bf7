"""Strict marshmallow fields: one JSON type each.

marshmallow's stock fields are lenient (the string "1" is a number, 1 is true); an API that means what it documents needs
strict ones, so each SQL type has a field class here.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import marshmallow as ma

_PYTHON_TYPES: dict[type, str] = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    list: "an array",
    dict: "an object",
}
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
_MAP_LIMIT = 256


class Broken(str):
    """A marshmallow message that knows which rule was broken."""

    rule: str
    __slots__ = ("rule",)

    def __new__(cls, rule: str, reason: str) -> "Broken":
        """Make the message ``reason`` of rule ``rule``."""
        self = super().__new__(cls, reason)
        self.rule = rule
        return self


def broken(rule: str, reason: str) -> ma.ValidationError:
    """The error that a validator raises for one broken rule."""
    return ma.ValidationError(Broken(rule, reason))


class _Strict(ma.fields.Field[Any]):
    """Takes exactly one JSON type and says which when it gets another."""

    wants: ClassVar[str] = "a value"

    def make_error(self, key: str, **kwargs: Any) -> ma.ValidationError:
        """marshmallow's own refusals, with the names of our rules."""
        reasons = {
            "required": ("required", f"is required; give {self.wants}."),
            "null": ("null", f"must not be null; give {self.wants}."),
        }
        rule, reason = reasons.get(key, ("type", f"must be {self.wants}."))
        return broken(rule, reason)

    def _refuse(self, value: Any) -> ma.ValidationError:
        got = "null" if value is None else _PYTHON_TYPES.get(type(value), "something else")
        return broken("type", f"must be {self.wants}, not {got}.")

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not self.fits(value):
            raise self._refuse(value)
        return value

    def fits(self, value: Any) -> bool:
        raise NotImplementedError


class Plain(_Strict):
    """Takes its value as it comes, once it fits and its validators have nothing against it."""


class Text(Plain, ma.fields.String):
    """A JSON string."""

    wants = "a string"

    def fits(self, value: Any) -> bool:
        return isinstance(value, str)


class Integer(Plain, ma.fields.Integer):
    """A JSON integer."""

    wants = "an integer"

    def fits(self, value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)


class Number(Plain, ma.fields.Float):
    """A finite JSON number."""

    wants = "a number"

    def fits(self, value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


class Truth(Plain, ma.fields.Boolean):
    """``true`` or ``false``."""

    wants = "true or false"

    def fits(self, value: Any) -> bool:
        return isinstance(value, bool)


class Time(_Strict, ma.fields.AwareDateTime):
    """An RFC 3339 time with an offset."""

    wants = "an RFC 3339 time such as 2026-01-31T12:00:00Z"

    def fits(self, value: Any) -> bool:
        return isinstance(value, str) and _RFC3339.fullmatch(value) is not None

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not self.fits(value):
            raise broken("type", f"must be {self.wants}.")
        try:
            # As UTC it goes out, and a year before 1 or beyond 9999 is none that anybody could read.
            return datetime.fromisoformat(value.upper().replace(" ", "T")).astimezone(UTC)
        except (ValueError, OverflowError):
            raise broken("type", f"must be {self.wants}.") from None


class Items(_Strict, ma.fields.List[Any]):
    """A JSON array whose items have one type."""

    wants = "an array"

    def fits(self, value: Any) -> bool:
        return isinstance(value, list)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        _Strict._deserialize(self, value, attr, data, **kwargs)
        return ma.fields.List._deserialize(self, value, attr, data, **kwargs)


class StringMap(_Strict, ma.fields.Dict):
    """A JSON object of strings, such as labels.

    Args:
        removes: whether ``null`` is taken as well, as a merge patch removes an entry.
    """

    wants = "an object of strings"

    def __init__(self, *, removes: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self._removes = removes

    def fits(self, value: Any) -> bool:
        return isinstance(value, dict)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        entries = super()._deserialize(value, attr, data, **kwargs)
        wrong = {
            key: {"value": [Broken("type", "must be a string.")]}
            for key, item in entries.items()
            if not isinstance(item, str) and not (item is None and self._removes)
        }
        if wrong:
            raise ma.ValidationError(wrong)
        if len(entries) > _MAP_LIMIT or "" in entries:
            raise broken("entries", f"must have at most {_MAP_LIMIT} entries, none with an empty name.")
        return entries


class Object(_Strict, ma.fields.Dict):
    """Any JSON object."""

    wants = "an object"

    def fits(self, value: Any) -> bool:
        return isinstance(value, dict)


class Shape(_Strict, ma.fields.Nested):
    """A JSON object with declared fields."""

    wants = "an object"

    @property
    def schema(self) -> ma.Schema:
        """The schema of the object, which refuses an unknown field in our words."""
        found = super().schema
        if not isinstance(found.error_messages["unknown"], Broken):
            reason = f"is not a field of this object; known fields: {', '.join(found.fields) or 'none'}."
            found.error_messages["unknown"] = Broken("unknown", reason)
        return found

    def fits(self, value: Any) -> bool:
        return isinstance(value, dict)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, partial: Any = None, **kwargs: Any
    ) -> Any:
        _Strict._deserialize(self, value, attr, data, **kwargs)
        return ma.fields.Nested._deserialize(self, value, attr, data, **kwargs)
