"""Which columns a kind's table has, by its schema, and what stands in them. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from unicodedata import combining, east_asian_width

from ambient_core.cli.console.paths import Path, path, text_of
from ambient_core.cli.contract import RemoteKind, Schema

_OWN = frozenset({"id", "kind", "href", "created_at", "updated_at", "version"})
_SHORT, _LONG = 63, 255
_CHOICES, _NEEDED, _MORE = 2, 2, 5
_GAP = "   "
_NONE = "-"
_SPANS = ((365 * 86400, "y"), (86400, "d"), (3600, "h"), (60, "m"))


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Args:
        title: what stands above.
        path: to its value.
        age: whether a time is shown as how long ago it was.
    """

    title: str
    path: Path
    age: bool = False

    @property
    def field(self) -> str:
        """The field of the object that it is read from; empty for the whole object."""
        return str(self.path.steps[0]) if self.path.steps else ""

    def cell(self, row: Mapping[str, Any], now: datetime) -> str:
        """What stands in it; a dash where there is nothing."""
        values = [value for value in self.path.values(row) if value not in (None, "")]
        if not values:
            return _NONE
        text = age(str(values[0]), now) if self.age else ",".join(text_of(value) for value in values)
        # What somebody else has written must not move the cursor of whoever reads it.
        return "".join(letter if letter.isprintable() else " " for letter in text)


def columns(kind: RemoteKind, *, wide: bool = False) -> list[Column]:
    """What tells the objects of a kind apart: name, project, where they stand, what each must be given, and the age."""
    names = [kind.handle, *(["name"] if "name" in kind.shown and kind.handle != "name" else [])]
    names += ["project_id"] if "project_id" in kind.shown else []
    names += [name for name in _choices(kind) if name not in names][:_CHOICES]
    # What nobody makes has no fields that must be given: there the first ones say what it is.
    needed = kind.given.get("required", ()) if kind.given is not None else [n for n in kind.shown if n not in _OWN]
    names += [name for name in needed if name not in names and _fits(kind.shown.get(name, {}), _SHORT)][:_NEEDED]
    if wide:
        rest = [name for name, schema in kind.shown.items() if name not in _OWN and _fits(schema, _LONG)]
        names += [name for name in rest if name not in names][:_MORE]
        names = [*(["id"] if kind.handle != "id" else []), *names]
    found = [Column(_title(name), Path((name,))) for name in names]
    return [*found, Column("AGE", Path(("created_at",)), age=True)] if "created_at" in kind.shown else found


def chosen(text: str) -> list[Column]:
    """The columns of ``name,labels.team``.

    Raises:
        BadPath: one cannot be read.
    """
    return [Column(one.strip().upper(), path(one)) for one in text.split(",") if one.strip()]


def path_column(name: str, *, age: bool = False) -> Column:
    """The column of one field."""
    return Column(_title(name.removesuffix("_time")) if age else _title(name), Path((name,)), age)


def guessed(rows: Iterable[Mapping[str, Any]]) -> list[Column]:
    """The columns of rows whose schema is not known: their plain values, in the order in which they come."""
    names: dict[str, None] = {}
    for row in rows:
        names |= dict.fromkeys(name for name, value in row.items() if not isinstance(value, dict | list))
    names.pop("kind", None)
    names.pop("href", None)
    return [Column(_title(name), Path((name,))) for name in names]


def table(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], now: datetime) -> Iterator[str]:
    """The lines of a table."""
    cells = [[column.title for column in columns], *([column.cell(row, now) for column in columns] for row in rows)]
    widths = [max(map(width, given)) for given in zip(*cells, strict=True)]
    for line in cells:
        yield _GAP.join(cell + " " * (size - width(cell)) for cell, size in zip(line, widths, strict=True)).rstrip()


def age(time: str, now: datetime) -> str:
    """How long ago a time was, in its largest unit: ``5m``."""
    try:
        at = datetime.fromisoformat(time)
    except ValueError:
        return time
    seconds = max(0, int((now - (at if at.tzinfo else at.replace(tzinfo=UTC))).total_seconds()))
    for span, unit in _SPANS:
        if seconds >= span:
            return f"{seconds // span}{unit}"
    return f"{seconds}s"


def width(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(letter) else 2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _title(name: str) -> str:
    return name.removesuffix("_id").upper() or "ID"


def _choices(kind: RemoteKind) -> list[str]:
    """Fields of few values; what the server says of an object before what people say."""
    found = [name for name, schema in kind.shown.items() if "enum" in schema and name not in _OWN]
    return sorted(found, key=lambda name: name in kind.fields)


def _fits(schema: Schema, longest: int) -> bool:
    if "$ref" in schema or schema.get("type") not in ("string", "integer", "number", "boolean"):
        return False
    return (
        schema["type"] != "string"
        or "enum" in schema
        or schema.get("maxLength", 1 << 31) <= longest
        or (schema.get("format") == "date-time")
    )
