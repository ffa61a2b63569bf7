"""What a field is declared with: who writes it, what it must keep, and what it is when it is stored sealed."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any, Literal

from sqlalchemy import Column, ForeignKey, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import mapped_column
from sqlalchemy.types import TypeEngine, to_instance

from ambient_core.errors import SetupError

Format = Literal["git-url", "uri", "dns-label", "email", "string-map", "string-list", "object", "array"]

INFO = "ambient"
_FINDING = ("unique", "index", "search")


class Access(enum.Enum):
    """Who writes a field, and when."""

    READ = "read"
    """Only the server writes it."""
    CREATE = "create"
    """Given with the object, fixed from then on."""
    WRITE = "write"
    """Given at any time (the default)."""
    SECRET = "secret"  # noqa: S105
    """Written, never shown, never searched, and sealed where it is stored."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a field promises beyond its column type."""

    access: Access = Access.WRITE
    pattern: str | None = None
    format: Format | None = None
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = None
    choices: tuple[str, ...] = ()
    default: Any = None
    doc: str = ""
    example: Any = None
    schema: type[Any] | None = None
    index: bool = False
    search: Literal["text"] | None = None
    sealed: TypeEngine[Any] | None = None


_OPTIONS = frozenset(option.name for option in fields(Rules)) - {"sealed"}


def field(*items: Any, **options: Any) -> Any:
    """Declare one field of a resource.

    Args:
        *items: the SQL type and, where it refers to another kind, a ``ForeignKey``; as for ``mapped_column``.
        **options: ``access`` (an `Access`), ``pattern`` (full match), ``format`` (``git-url``, ``uri``, ``dns-label``,
            ``email``, ``string-map``, ``string-list``, ``object``, ``array``), ``min``, ``max`` (numbers), ``min_length``
            (characters), ``enum`` (allowed strings), ``default`` (value when absent), ``doc``, ``example``, ``unique``,
            ``index`` (of a JSON field: over what it holds, for ``labels.team = 'x'`` and ``contains``), ``search``
            (``"text"``: words inside it are looked for, so it gets a trigram index where the server has ``pg_trgm``) and
            ``schema`` (a marshmallow schema class for a JSON ``object``, or for each item of an ``array``).

    Whatever type a secret field has, its column holds sealed text (`ambient_core.secrets.sealing`).

    Raises:
        SetupError: an option is unknown, or cannot be had for a secret field.
    """
    names = {"min": "minimum", "max": "maximum", "enum": "choices"}
    column_options = {name: options.pop(name) for name in ("unique",) if name in options}
    given = {names.get(name, name): value for name, value in options.items()}
    if "choices" in given:
        given["choices"] = tuple(given["choices"])
    if given.get("index") and not any(item is JSONB or isinstance(item, JSONB) for item in items):
        column_options["index"] = True
    if strange := [name for name in given if name not in _OPTIONS]:
        close = get_close_matches(strange[0], [*_OPTIONS, *names], n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"options: {', '.join(sorted(_OPTIONS))}."
        raise SetupError(f"field() has no option {strange[0]!r}; {hint}")
    rules = Rules(**given)
    if rules.access is Access.SECRET:
        items, rules = _sealed(items, rules, [name for name in _FINDING if options.get(name) or name in column_options])
    return mapped_column(*items, info={INFO: rules}, **column_options)


def _sealed(items: Sequence[Any], rules: Rules, finding: Sequence[str]) -> tuple[tuple[Any, ...], Rules]:
    """The items of a secret field's column, which is text, and its rules, which remember what the text is when it is open."""
    types = [item for item in items if isinstance(item, TypeEngine) or _is_type(item)]
    if not types:
        raise SetupError("A secret field must name its SQL type, as field(Text, access=Access.SECRET) does.")
    if finding or any(isinstance(item, ForeignKey) for item in items):
        words = ", ".join(finding) or "a foreign key"
        raise SetupError(f"A secret field is stored sealed, so nothing is found by it; leave {words} out.")
    rest = (item for item in items if item is not types[0])
    return (Text(), *rest), replace(rules, sealed=to_instance(types[0]))


def _is_type(item: Any) -> bool:
    return isinstance(item, type) and issubclass(item, TypeEngine)


def type_of(column: Column[Any]) -> TypeEngine[Any]:
    """What the values of a column are; of a secret field, when it is open."""
    return rules_of(column).sealed or column.type


def rules_of(column: Column[Any]) -> Rules:
    """The rules that a column was declared with; a plain ``mapped_column`` has none and is server only."""
    rules = column.info.get(INFO)
    return rules if isinstance(rules, Rules) else Rules(access=Access.READ)
