"""From a model to its marshmallow schemas: what a caller may send, what the wire shows.

The room has the fields and validators that schemas are made of, a plugin's own too.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import marshmallow as ma
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON, JSONB

from ambient_core.errors import Fault, Invalid, SetupError
from ambient_core.kinds import Access, Kind, rules_of
from ambient_core.kinds.rules import Rules, type_of
from ambient_core.schemas.fields import Integer, Items, Number, Object, Plain, Shape, StringMap, Text, Time, Truth
from ambient_core.schemas.validators import FORMATS, Choice, Digits, Length, Pattern, Range

_SAID = {"Unknown field.": "is not a field of this object; leave it out."}
"""What marshmallow says where an object inside another is not kept by our `Shape`, which names the known fields."""


def _text(column: "sa.Column[Any]", rules: Rules, options: dict[str, Any]) -> ma.fields.Field[Any]:
    checks: list[Any] = []
    length = getattr(type_of(column), "length", None)
    if length is not None or rules.min_length:
        checks.append(Length(rules.min_length or 0, length))
    if rules.pattern is not None:
        checks.append(Pattern(re.compile(rules.pattern)))
    if rules.choices:
        checks.append(Choice(rules.choices))
    form = "uuid" if isinstance(type_of(column), sa.Uuid) else rules.format
    if form in FORMATS:
        checks.append(FORMATS[form])
    documented = {
        "maxLength": length,
        "minLength": rules.min_length,
        "pattern": f"^({rules.pattern})$" if rules.pattern is not None else None,
        "enum": list(rules.choices) or None,
        "format": form,
    }
    options["metadata"] |= {name: value for name, value in documented.items() if value is not None}
    return Text(validate=checks, **options)


def _number(column: "sa.Column[Any]", rules: Rules, options: dict[str, Any]) -> ma.fields.Field[Any]:
    low, high = rules.minimum, rules.maximum
    kept = type_of(column)
    whole = isinstance(kept, sa.Integer)
    if whole:
        bits = 63 if isinstance(kept, sa.BigInteger) else 15 if isinstance(kept, sa.SmallInteger) else 31
        low = max(-(2**bits), low) if low is not None else -(2**bits)
        high = min(2**bits - 1, high) if high is not None else 2**bits - 1
    checks: list[Any] = [Range(low, high)]
    if isinstance(kept, sa.Numeric) and not isinstance(kept, sa.Float) and kept.precision is not None:
        checks.append(Digits(kept.precision - (kept.scale or 0), kept.scale or 0))
    for name, bound in (("minimum", low), ("maximum", high)):
        if bound is not None:
            options["metadata"][name] = int(bound) if whole else bound
    return (Integer if whole else Number)(validate=checks, **options)


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
    metadata: dict[str, Any] = {"description": rules.doc} if rules.doc else {}
    if rules.example is not None:
        metadata["example"] = rules.example
    if rules.access is Access.SECRET:
        metadata["writeOnly"] = True
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
        if isinstance(type_of(column), types):
            if make is _json and removes:
                options["removes"] = True
            return make(column, rules, options)
    raise SetupError(
        f"Field {column.name!r} has the type {type_of(column)!r}, which has no place in JSON; see docs/plugins.md."
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


@lru_cache(maxsize=512)
def schemas_of(kind: Kind) -> Schemas:
    """Derive the schemas of a kind, once.

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


def check_values(kind: Kind, schemas: Schemas) -> None:
    """Check that the defaults and examples of a kind keep its own rules.

    Raises:
        SetupError: naming field, value and rule.
    """
    for column in kind.table.columns:
        rules = rules_of(column)
        field = schemas.create.fields.get(column.name) or schemas.read.fields[column.name]
        for what, value in (("default", rules.default), ("example", rules.example)):
            if value is None:
                continue
            try:
                field.deserialize(value)
            except ma.ValidationError as fault:
                first = _flatten(fault.messages, "")[0]
                raise SetupError(f"the {what} {value!r} of {column.name!r} breaks its rule: {first.reason}") from None


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
    if (plain := _load_plainly(schema, body)) is not None:
        return plain
    faults = [_stranger(name, schema, known or {}, partial=partial) for name in body if name not in schema.fields]
    try:
        values = schema.load(body)
    except ma.ValidationError as fault:
        faults.extend(_flatten(fault.messages, ""))
        raise Invalid.of(sorted(faults, key=lambda f: f.field)) from None
    if faults:
        raise Invalid.of(sorted(faults, key=lambda f: f.field))
    return dict(values)


@dataclass(frozen=True, slots=True)
class _Plainly:
    """How a body is read that keeps every rule.

    Args:
        required: what it must have.
        fields: by name, what a field looks at: whether a value fits, and validators; ``None`` where marshmallow is asked.
    """

    required: frozenset[str]
    fields: Mapping[str, "tuple[Callable[[Any], bool], Sequence[Callable[[Any], Any]]] | None"]


@lru_cache(maxsize=1024)
def _plainly(schema: ma.Schema) -> _Plainly | None:
    """How it is read; ``None`` where a schema does more than look at each field by itself."""
    fields = schema.fields.values()
    if any(schema._hooks.values()) or any(
        f.load_default is not ma.missing or f.data_key or f.attribute for f in fields
    ):
        return None
    required = frozenset(name for name, found in schema.fields.items() if found.required)
    looks = {n: (f.fits, tuple(f.validators)) if isinstance(f, Plain) else None for n, f in schema.fields.items()}
    return _Plainly(required, looks)


def _load_plainly(schema: ma.Schema, body: dict[str, Any]) -> dict[str, Any] | None:
    """The values of a body that keeps every rule, at a fifth of what marshmallow's own way through it costs.

    The types and validators are the very ones that marshmallow would ask. ``None`` when something is wrong, or not as plain as
    that: marshmallow says what.
    """
    plainly = _plainly(schema)
    if plainly is None or not plainly.required <= body.keys():
        return None
    values, looks = {}, plainly.fields
    try:
        for name, value in body.items():
            look = looks[name]
            if look is None:
                values[name] = schema.fields[name].deserialize(value, name, body)
                continue
            fits, validators = look
            if not fits(value):
                return None
            for validator in validators:
                validator(value)
            values[name] = value
    except (KeyError, ma.ValidationError):
        return None
    return values


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
    return [
        Fault(pointer, getattr(message, "rule", "unknown"), _SAID.get(str(message), str(message)))
        for message in messages
    ]
