"""Flags by schema: what a field is called on a command line, what its text means, and which rule it breaks. Pure."""

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ambient_core.cli.contract import Schema

_RESERVED = frozenset({"project", "output", "dry-run", "help", "file", "wait", "timeout", "yes"})
_PLAIN = {"string": "TEXT", "integer": "INTEGER", "number": "NUMBER", "boolean": "BOOLEAN"}
_TRUTH = {"true": True, "false": False, "yes": True, "no": False}


class BadValue(ValueError):
    """A text that is no value of its field; says which rule it breaks."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One field as a flag.

    Args:
        field: its name in the body.
        schema: its schema.
        required: whether it must be given.
        secret: whether it is never shown.
    """

    field: str
    schema: Schema
    required: bool = False
    secret: bool = False

    @property
    def name(self) -> str:
        """``--llm-model``; ``--field-project`` for a field that is named as a flag that every command has."""
        word = self.field.replace("_", "-")
        return f"--field-{word}" if word in _RESERVED else f"--{word}"

    @property
    def shape(self) -> str:
        """``text``, ``truth``, ``list`` (repeatable), ``map`` (repeatable NAME=VALUE) or ``json``."""
        kind = self.schema.get("type")
        if kind in ("string", "integer", "number"):
            return "text"
        if kind == "boolean":
            return "truth"
        if kind == "array" and self.schema.get("items", {}).get("type") in _PLAIN:
            return "list"
        entries = self.schema.get("additionalProperties")
        return "map" if kind == "object" and isinstance(entries, dict) and entries.get("type") == "string" else "json"

    @property
    def repeated(self) -> bool:
        """Whether it may be given several times."""
        return self.shape in ("list", "map")

    @property
    def choices(self) -> list[str]:
        """The values that there are; empty for any."""
        return [one for one in self.schema.get("enum", ()) if one is not None]

    @property
    def metavar(self) -> str:
        """What stands for the value in help."""
        if self.choices:
            return "|".join(map(str, self.choices))
        if self.schema.get("format") == "date-time":
            return "TIME"
        shape = self.shape
        if shape == "list":
            return _PLAIN[self.schema["items"]["type"]]
        return {"map": "NAME=VALUE", "json": "JSON"}.get(shape) or _PLAIN[self.schema["type"]]

    def value(self, given: Any) -> Any:
        """The value of what was given: a text, or several where it is repeated.

        Raises:
            BadValue: it breaks a rule of the schema.
        """
        if self.shape == "map":
            return dict(_pair(one) for one in given)
        if self.shape == "list":
            return [_typed(one, self.schema["items"]) for one in given]
        return _typed(given, self.schema)


def flags(schema: Schema, secrets: Set[str] = frozenset()) -> list[Flag]:
    """The flags of a body, in the order of its fields."""
    required = schema.get("required", ())
    return [Flag(name, one, name in required, name in secrets) for name, one in schema.get("properties", {}).items()]


def named(flags: Sequence[Flag]) -> Mapping[str, str]:
    """What each field is called here."""
    return {flag.field: flag.name for flag in flags}


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise BadValue(f"takes NAME=VALUE, not {text!r}.")
    return name, value


def _typed(text: str, schema: Schema) -> Any:
    kind = schema.get("type")
    try:
        if kind == "integer":
            value: Any = int(text)
        elif kind == "number":
            value = float(text)
        elif kind == "boolean":
            value = _TRUTH[text.lower()]
        elif kind == "string":
            value = text
        else:
            value = json.loads(text)
    except (ValueError, KeyError):
        raise BadValue(f"must be {_wanted(schema)}, not {_cut(text)}.") from None
    if fault := _fault(value, schema):
        raise BadValue(fault)
    return value


def _wanted(schema: Schema) -> str:
    words = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}
    return words.get(str(schema.get("type")), "JSON")


def _cut(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}...")


def _fault(value: Any, schema: Schema) -> str:
    """The rule that a value breaks; empty when it breaks none that can be checked here."""
    choices = [one for one in schema.get("enum", ()) if one is not None]
    if choices and value not in choices:
        return f"must be one of {', '.join(map(str, choices))}."
    if isinstance(value, str):
        return _text_fault(value, schema)
    if isinstance(value, int | float) and not isinstance(value, bool):
        least, most = schema.get("minimum"), schema.get("maximum")
        if least is not None and value < least:
            return f"must be at least {least}."
        if most is not None and value > most:
            return f"must be at most {most}."
    wanted = {"array": list, "object": dict}.get(str(schema.get("type")))
    if wanted is not None and not isinstance(value, wanted):
        return f"must be a JSON {schema['type']}."
    return ""


def _text_fault(value: str, schema: Schema) -> str:
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength")
    if len(value) < shortest:
        return f"must have at least {shortest} character{'s' if shortest > 1 else ''}."
    if longest is not None and len(value) > longest:
        return f"must have at most {longest} characters; it has {len(value)}."
    if schema.get("format") == "date-time":
        try:
            datetime.fromisoformat(value)
        except ValueError:
            return "must be a time such as 2026-01-31T12:00:00Z."
    return ""
