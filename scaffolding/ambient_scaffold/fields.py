"""The short form of a field: ``name:string(63)!``, ``size:int>=0``, ``project:ref(projects)!``."""

import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ambient_core.errors import SetupError

RESERVED = frozenset(
    {"id", "kind", "href", "created_at", "updated_at", "version", "metadata", "registry", "type_annotation_map"}
)
_IN_THE_CLASS = frozenset({"field", "datetime"})
"""What the body of the rendered class calls by these names, after the fields before."""
TYPES = (
    "string(n)",
    "text",
    "int",
    "bigint",
    "float",
    "bool",
    "time",
    "json",
    "enum(a|b)",
    "uuid",
    "list",
    "ref(kind)",
)
_HEAD = re.compile(r"(?P<name>[a-z][a-z0-9_]*):(?P<type>[a-z]+)(\((?P<argument>[^)]*)\))?")
_INTEGER = r"-?(?:0|[1-9][0-9]*)"
_NUMBER = rf"{_INTEGER}(?:\.[0-9]+)?"
_RULES = re.compile(
    rf"(>=(?P<minimum>{_NUMBER})|<=(?P<maximum>{_NUMBER})|(?P<required>!)|=(?P<default>[^\s!<>]+)|(?P<word>[a-z]+))"
)
_WORDS = frozenset({"unique", "index", "search", "readonly", "secret"})
_NUMBERS = frozenset({"int", "bigint", "float"})
_LONG = frozenset({"json", "list", "text"})
_FEW = frozenset({"bool", "enum"})
_BITS = {"int": 31, "bigint": 63}


@dataclass(frozen=True, slots=True)
class Field:
    """A field as it was asked for.

    Args:
        name: of the column.
        type: one of `TYPES`, without its argument.
        argument: what stood in the parentheses.
        required: whether it must be given.
        default: value when absent, as Python text.
        minimum: of a number.
        maximum: of a number.
        words: ``unique``, ``index``, ``search``, ``readonly``, ``secret``.
    """

    name: str
    type: str
    argument: str = ""
    required: bool = False
    default: str | None = None
    minimum: str | None = None
    maximum: str | None = None
    words: frozenset[str] = frozenset()

    @property
    def nullable(self) -> bool:
        """Whether the column may be empty."""
        return not self.required and self.default is None


def parse(text: str) -> Field:
    """Read one field.

    Raises:
        SetupError: saying what is wrong and what would be right.
    """
    head = _HEAD.match(text.strip())
    if head is None:
        raise SetupError(f"Field {text!r} must read name:type, such as name:string(63)! or size:int>=0.")
    name, kind, argument = head["name"], head["type"], head["argument"] or ""
    _check_name(name)
    _check_type(name, kind, argument)
    found = _rules(text, text.strip()[head.end() :])
    if kind == "ref":
        name = name if name.endswith("_id") else f"{name}_id"
    field = Field(name, kind, argument, **found)
    _check_rules(text, field)
    return field


def parse_all(texts: Sequence[str]) -> list[Field]:
    """Read all fields of a kind.

    Raises:
        SetupError: one is wrong, or a name stands twice.
    """
    fields = [parse(text) for text in texts]
    names = [field.name for field in fields]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SetupError(f"The field {twice[0]!r} stands twice.")
    if not fields:
        raise SetupError('A kind needs at least one field, such as --field "name:string(63)!".')
    return fields


def _check_name(name: str) -> None:
    if name in RESERVED:
        raise SetupError(f"The field name {name!r} is the framework's own; choose another.")
    if name in _IN_THE_CLASS:
        raise SetupError(f"The field name {name!r} stands for something else in the plugin itself; choose another.")
    if keyword.iskeyword(name) or len(name) > 50:
        raise SetupError(f"The field name {name!r} is a word of Python or longer than 50 characters; choose another.")


def _check_type(name: str, kind: str, argument: str) -> None:
    known = {entry.split("(")[0]: "(" in entry for entry in TYPES}
    if kind not in known:
        raise SetupError(f"Field {name!r}: there is no type {kind!r}; types: {', '.join(TYPES)}.")
    if known[kind] != bool(argument):
        wanted = next(entry for entry in TYPES if entry.split("(")[0] == kind)
        raise SetupError(f"Field {name!r}: write its type as {wanted}.")
    if kind == "string" and not (re.fullmatch(r"[1-9][0-9]{0,4}", argument) and int(argument) <= 65535):
        raise SetupError(f"Field {name!r}: string(n) needs a length from 1 to 65535.")
    choices = argument.split("|")
    if kind == "enum" and not all(re.fullmatch(r"[A-Za-z0-9_.-]{1,63}", choice) for choice in choices):
        raise SetupError(f"Field {name!r}: enum(a|b) needs words of at most 63 characters, separated by |.")
    if kind == "enum" and len(set(choices)) < len(choices):
        raise SetupError(f"Field {name!r}: each word of enum(a|b) stands there once.")


def _rules(text: str, rest: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    words: set[str] = set()
    while rest := rest.lstrip(" ,"):
        rule = _RULES.match(rest)
        if rule is None:
            raise SetupError(
                f"Field {text!r}: {rest!r} is not understood; use ! =default >=n <=n unique index search readonly secret."
            )
        given = {name: value for name, value in rule.groupdict().items() if value is not None}
        word = given.pop("word", None)
        if word in words or given.keys() & found.keys():
            raise SetupError(f"Field {text!r}: each rule stands there once; leave the second {rule[0]!r} out.")
        words |= {word} if word else set()
        found |= given
        rest = rest[rule.end() :]
    if strangers := sorted(words - _WORDS):
        raise SetupError(f"Field {text!r}: {strangers[0]!r} is not understood; words: {', '.join(sorted(_WORDS))}.")
    return {**found, "required": "required" in found, "words": frozenset(words)}


def _check_rules(text: str, field: Field) -> None:
    if (field.minimum or field.maximum) and field.type not in _NUMBERS:
        raise SetupError(f"Field {text!r}: >= and <= are for numbers.")
    if "search" in field.words and field.type not in ("string", "text"):
        raise SetupError(f"Field {text!r}: search is for string and text, where words are looked for.")
    for bound in filter(None, (field.minimum, field.maximum)):
        _check_bound(text, field, bound)
    if field.minimum and field.maximum and float(field.minimum) > float(field.maximum):
        raise SetupError(f"Field {text!r}: no number is from {field.minimum} to {field.maximum}.")
    if field.default is not None:
        _check_default(text, field)
    _check_words(text, field)


def _check_words(text: str, field: Field) -> None:
    if "readonly" in field.words and (field.required or "secret" in field.words) and field.default is None:
        raise SetupError(f"Field {text!r}: nobody could give a field that is readonly and required; give it a default.")
    if field.required and field.default is not None:
        raise SetupError(f"Field {text!r}: what is required needs no default; leave ! or the default out.")
    if field.type == "ref" and field.words & {"secret", "readonly"}:
        raise SetupError(
            f"Field {text!r}: a reference is given by the caller and shown; leave secret and readonly out."
        )
    if "secret" in field.words and (finding := sorted(field.words & {"unique", "index", "search"})):
        raise SetupError(
            f"Field {text!r}: a secret is stored sealed, so nothing is found by it; leave {finding[0]} out."
        )
    if field.type in _LONG and "unique" in field.words:
        raise SetupError(f"Field {text!r}: {field.type} may be too long to be unique; use string(n).")
    if field.type in _FEW and "unique" in field.words:
        raise SetupError(
            f"Field {text!r}: there would be as many objects as {field.type} has values; leave unique out."
        )


def _check_default(text: str, field: Field) -> None:
    value = str(field.default)
    good = {
        "int": re.fullmatch(_INTEGER, value),
        "bigint": re.fullmatch(_INTEGER, value),
        "float": re.fullmatch(_NUMBER, value),
        "bool": value in ("true", "false"),
        "enum": value in field.argument.split("|"),
        "string": True,
        "text": True,
    }.get(field.type)
    if not good:
        raise SetupError(f"Field {text!r}: {value!r} is no default of type {field.type}.")
    if field.type == "string" and len(value) > int(field.argument):
        raise SetupError(f"Field {text!r}: the default is longer than {field.argument} characters.")
    if field.type in _NUMBERS:
        _check_default_bounds(text, field, float(value))


def _check_bound(text: str, field: Field, bound: str) -> None:
    if field.type in _BITS and not re.fullmatch(_INTEGER, bound):
        raise SetupError(f"Field {text!r}: the bounds of {field.type} are whole numbers, and {bound} is none.")
    if field.type in _BITS and abs(int(bound)) >= 2 ** _BITS[field.type]:
        raise SetupError(f"Field {text!r}: the bound {bound} is outside what {field.type} can hold.")


def _check_default_bounds(text: str, field: Field, value: float) -> None:
    bound = 2.0 ** _BITS[field.type] if field.type in _BITS else float("inf")
    low, high = float(field.minimum or -bound), float(field.maximum or bound)
    if not low <= value <= high or abs(value) >= bound:
        raise SetupError(f"Field {text!r}: the default {field.default} is outside what the field takes.")
