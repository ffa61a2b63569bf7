"""From a model to its marshmallow schemas: what a caller may send, what the wire shows.

marshmallow's stock fields are lenient (the string "1" is a number, 1 is true); an API that means what it documents needs
strict ones, so each SQL type has a field class here.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any, ClassVar
from urllib.parse import urlsplit

import marshmallow as ma
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON, JSONB

from ambient_core.errors import Fault, Invalid, SetupError
from ambient_core.kinds import DNS_LABEL, Access, Kind, Rules, rules_of

_PYTHON_TYPES: dict[type, str] = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    list: "an array",
    dict: "an object",
}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
_SCP_LIKE = re.compile(r"[A-Za-z0-9._~-]+@[A-Za-z0-9.-]+:[^\s:-][^\s]*")
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
        if not self._fits(value):
            raise self._refuse(value)
        return value

    def _fits(self, value: Any) -> bool:
        raise NotImplementedError


class Text(_Strict, ma.fields.String):
    """A JSON string."""

    wants = "a string"

    def _fits(self, value: Any) -> bool:
        return isinstance(value, str)


class Integer(_Strict, ma.fields.Integer):
    """A JSON integer."""

    wants = "an integer"

    def _fits(self, value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)


class Number(_Strict, ma.fields.Float):
    """A finite JSON number."""

    wants = "a number"

    def _fits(self, value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


class Truth(_Strict, ma.fields.Boolean):
    """``true`` or ``false``."""

    wants = "true or false"

    def _fits(self, value: Any) -> bool:
        return isinstance(value, bool)


class Time(_Strict, ma.fields.AwareDateTime):
    """An RFC 3339 time with an offset."""

    wants = "an RFC 3339 time such as 2026-01-31T12:00:00Z"

    def _fits(self, value: Any) -> bool:
        return isinstance(value, str) and _RFC3339.fullmatch(value) is not None

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return datetime.fromisoformat(text.upper().replace(" ", "T"))
        except ValueError:
            raise broken("type", f"must be {self.wants}.") from None


class Items(_Strict, ma.fields.List[Any]):
    """A JSON array whose items have one type."""

    wants = "an array"

    def _fits(self, value: Any) -> bool:
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

    def _fits(self, value: Any) -> bool:
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

    def _fits(self, value: Any) -> bool:
        return isinstance(value, dict)


class Shape(_Strict, ma.fields.Nested):
    """A JSON object with declared fields."""

    wants = "an object"

    def _fits(self, value: Any) -> bool:
        return isinstance(value, dict)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, partial: Any = None, **kwargs: Any
    ) -> Any:
        _Strict._deserialize(self, value, attr, data, **kwargs)
        return ma.fields.Nested._deserialize(self, value, attr, data, **kwargs)


def git_url_fault(url: str, *, local: bool = False) -> str | None:
    """Why a string is no address that git may clone from, or ``None`` when it is one.

    Args:
        url: what the caller gave.
        local: whether ``file://`` and absolute paths are allowed (the development profile).
    """
    if not url or any(c.isspace() or ord(c) < 32 for c in url):
        return "must not be empty or hold white space."
    if url.startswith("-") or "::" in url.split("/", 1)[0]:
        return "must not start with a dash or name a remote helper (such as ext::)."
    if local and (url.startswith(("file:///", "/"))):
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no valid URL."
    if parts.scheme in ("https", "http", "ssh", "git") and host and not host.startswith("-") and parts.path.strip("/"):
        return None
    if "://" not in url and _SCP_LIKE.fullmatch(url):
        return None
    return "must be an https, http, ssh or git URL, or user@host:path."


def _check_uri(value: str) -> None:
    try:
        parts = urlsplit(value)
    except ValueError:
        parts = urlsplit("")
    if not parts.scheme or not (parts.netloc or parts.path) or any(c.isspace() for c in value):
        raise broken("format", "must be an absolute URI, such as https://example.com/page.")


def _check_git_url(value: str) -> None:
    # Local addresses pass here; the kind that clones decides by its own setting whether it takes them.
    if reason := git_url_fault(value, local=True):
        raise broken("format", reason)


def _check_dns_label(value: str) -> None:
    if not re.fullmatch(DNS_LABEL, value):
        raise broken(
            "format", "must be a DNS label: lower-case letters, digits and dashes, a letter first, at most 63."
        )


def _check_email(value: str) -> None:
    if not _EMAIL.fullmatch(value):
        raise broken("format", "must be an e-mail address.")


_FORMATS = {"git-url": _check_git_url, "uri": _check_uri, "dns-label": _check_dns_label, "email": _check_email}


@dataclass(frozen=True, slots=True)
class _Length:
    minimum: int
    maximum: int | None

    def __call__(self, value: str) -> None:
        if len(value) < self.minimum:
            raise broken("min_length", f"must have at least {self.minimum} character{'s' * (self.minimum > 1)}.")
        if self.maximum is not None and len(value) > self.maximum:
            raise broken("max_length", f"must have at most {self.maximum} characters; it has {len(value)}.")


@dataclass(frozen=True, slots=True)
class _Range:
    minimum: float | None
    maximum: float | None

    def __call__(self, value: float) -> None:
        if self.minimum is not None and value < self.minimum:
            raise broken("minimum", f"must be at least {self.minimum:g}.")
        if self.maximum is not None and value > self.maximum:
            raise broken("maximum", f"must be at most {self.maximum:.17g}.")


@dataclass(frozen=True, slots=True)
class _Pattern:
    pattern: "re.Pattern[str]"

    def __call__(self, value: str) -> None:
        if not self.pattern.fullmatch(value):
            raise broken("pattern", f"must match {self.pattern.pattern}")


@dataclass(frozen=True, slots=True)
class _Choice:
    choices: tuple[str, ...]

    def __call__(self, value: str) -> None:
        if value not in self.choices:
            raise broken("enum", f"must be one of {', '.join(self.choices)}.")


def _text(column: "sa.Column[Any]", rules: Rules, options: dict[str, Any]) -> ma.fields.Field[Any]:
    checks: list[Any] = []
    length = getattr(column.type, "length", None)
    if length is not None or rules.min_length:
        checks.append(_Length(rules.min_length or 0, length))
    if rules.pattern is not None:
        checks.append(_Pattern(re.compile(rules.pattern)))
    if rules.choices:
        checks.append(_Choice(rules.choices))
    if rules.format in _FORMATS:
        checks.append(_FORMATS[rules.format])
    documented = {
        "maxLength": length,
        "minLength": rules.min_length,
        "pattern": f"^({rules.pattern})$" if rules.pattern is not None else None,
        "enum": list(rules.choices) or None,
        "format": rules.format,
    }
    options["metadata"] |= {name: value for name, value in documented.items() if value is not None}
    return Text(validate=checks, **options)


def _number(column: "sa.Column[Any]", rules: Rules, options: dict[str, Any]) -> ma.fields.Field[Any]:
    low, high = rules.minimum, rules.maximum
    whole = isinstance(column.type, sa.Integer)
    if whole:
        bits = 63 if isinstance(column.type, sa.BigInteger) else 15 if isinstance(column.type, sa.SmallInteger) else 31
        low = max(-(2**bits), low) if low is not None else -(2**bits)
        high = min(2**bits - 1, high) if high is not None else 2**bits - 1
    for name, bound in (("minimum", low), ("maximum", high)):
        if bound is not None:
            options["metadata"][name] = int(bound) if whole else bound
    return (Integer if whole else Number)(validate=[_Range(low, high)], **options)


def _json(_column: "sa.Column[Any]", rules: Rules, options: dict[str, Any]) -> ma.fields.Field[Any]:
    removes = options.pop("removes", False)
    if rules.format == "string-map":
        options["metadata"]["additionalProperties"] = {"type": "string", **({"nullable": True} if removes else {})}
        return StringMap(removes=removes, **options)
    if rules.format == "string-list":
        return Items(Text(metadata={}), **options)
    if rules.format == "array":
        return Items(Shape(rules.schema) if rules.schema else ma.fields.Raw(), **options)
    return Shape(rules.schema, **options) if rules.schema else Object(**options)


def _field(column: "sa.Column[Any]", *, required: bool, partial: bool, removes: bool = False) -> ma.fields.Field[Any]:
    rules = rules_of(column)
    metadata = {"description": rules.doc} if rules.doc else {}
    if rules.example is not None:
        metadata["example"] = rules.example
    options: dict[str, Any] = {"required": required, "allow_none": bool(column.nullable), "metadata": metadata}
    if rules.default is not None and not partial:
        options["load_default"] = rules.default
    for types, make in (
        ((sa.Boolean,), lambda _c, _r, o: Truth(**o)),
        ((sa.DateTime,), lambda _c, _r, o: Time(**o)),
        ((JSONB, JSON, sa.JSON), _json),
        ((sa.Integer, sa.Float, sa.Numeric), _number),
        ((sa.String, sa.Uuid), _text),
    ):
        if isinstance(column.type, types):
            if make is _json and removes:
                options["removes"] = True
            return make(column, rules, options)
    raise SetupError(
        f"Field {column.name!r} has the type {column.type!r}, which has no place in JSON; see docs/plugins.md."
    )


@dataclass(frozen=True, slots=True)
class Schemas:
    """The marshmallow schemas of one kind.

    Args:
        create: what a caller may send to make an object.
        patch: what a caller may send to change one (JSON Merge Patch, RFC 7396).
        read: what the wire shows; documents, never dumps.
    """

    create: ma.Schema
    patch: ma.Schema
    read: ma.Schema


def schemas_of(kind: Kind) -> Schemas:
    """Derive the schemas of a kind.

    Raises:
        SetupError: a field has a type that JSON cannot carry.
    """

    def build(name: str, fields: dict[str, ma.fields.Field[Any]]) -> ma.Schema:
        return ma.Schema.from_dict(fields, name=name)(unknown=ma.EXCLUDE)

    create, patch, read = {}, {}, {}
    for column in kind.table.columns:
        rules = rules_of(column)
        if rules.access is not Access.READ:
            needed = not column.nullable and rules.default is None and column.server_default is None
            create[column.name] = _field(column, required=needed, partial=False)
        if rules.access in (Access.WRITE, Access.SECRET):
            patch[column.name] = _field(column, required=False, partial=True, removes=True)
        if rules.access is not Access.SECRET:
            shown = read[column.name] = _field(column, required=not column.nullable, partial=True)
            if "enum" in shown.metadata:
                # What is shown may grow new values; a client must not break on one.
                renamed = {"x-enum" if name == "enum" else name: value for name, value in shown.metadata.items()}
                shown.metadata = renamed
    read = {
        "id": read.pop("id"),
        "kind": Text(required=True, metadata={"description": "Name of the kind.", "example": kind.name}),
        "href": Text(required=True, metadata={"description": "Where this object lives.", "format": "uri-reference"}),
        **read,
    }
    return Schemas(build(f"{kind.name}Create", create), build(f"{kind.name}Patch", patch), build(kind.name, read))


def load(
    schema: ma.Schema, body: Any, known: Mapping[str, Access] | None = None, *, partial: bool = False
) -> dict[str, Any]:
    """Validate a body: every fault at once, each with its JSON pointer (RFC 6901).

    Args:
        schema: what is allowed.
        body: the parsed JSON.
        known: access of every field of the kind, to say why a field that exists is refused.
        partial: whether this is a patch.

    Raises:
        Invalid: with all faults.
    """
    if not isinstance(body, dict):
        raise Invalid.of([Fault("", "type", "the body must be a JSON object.")])
    faults = [_stranger(name, schema, known or {}, partial=partial) for name in body if name not in schema.fields]
    try:
        values = schema.load(body)
    except ma.ValidationError as fault:
        faults.extend(_flatten(fault.messages, ""))
        raise Invalid.of(sorted(faults, key=lambda f: f.field)) from None
    if faults:
        raise Invalid.of(sorted(faults, key=lambda f: f.field))
    return dict(values)


def _stranger(name: str, schema: ma.Schema, known: Mapping[str, Access], *, partial: bool) -> Fault:
    pointer = "/" + name.replace("~", "~0").replace("/", "~1")
    if known.get(name) is Access.CREATE and partial:
        return Fault(pointer, "create_only", "is fixed once the object is made; leave it out.")
    if name in known or name in ("kind", "href"):
        return Fault(pointer, "read_only", "is written by the server alone; leave it out.")
    close = get_close_matches(name, list(schema.fields), n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known fields: {', '.join(schema.fields) or 'none'}."
    return Fault(pointer[:200], "unknown", f"is not a field of this kind; {hint}")


def _flatten(messages: Any, pointer: str) -> list[Fault]:
    if isinstance(messages, Mapping):
        found: list[Fault] = []
        for key, inner in messages.items():
            step = (
                ""
                if key in ("_schema", "value") and not isinstance(inner, Mapping)
                else f"/{str(key).replace('~', '~0').replace('/', '~1')}"
            )
            found.extend(_flatten(inner, pointer + step))
        return found
    return [Fault(pointer, getattr(message, "rule", "unknown"), str(message)) for message in messages]
