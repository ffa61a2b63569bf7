"""All about one object, for people to read. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ambient_core.cli.console.columns import age, guessed, path_column, table
from ambient_core.cli.console.output import as_yaml
from ambient_core.cli.contract import RemoteKind

_LEFT_OUT = frozenset({"kind", "href", "conditions"})
_INDENT = "  "


def fields(kind: RemoteKind, row: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """The fields of an object, in the order of its schema; long and deep values below their names."""
    names = [name for name in (*kind.shown, *row) if name in row and name not in _LEFT_OUT]
    names = list(dict.fromkeys(names))
    size = max((len(name) for name in names), default=0) + 2
    for name in names:
        value = row[name]
        if isinstance(value, dict | list) or (isinstance(value, str) and "\n" in value):
            yield f"{name}:"
            yield from indented(_safe(value if isinstance(value, str) else as_yaml(value)))
        else:
            yield f"{name + ':':<{size}}{_scalar(kind, name, value, now)}"
    for name in sorted(kind.secrets):
        yield f"{name + ':':<{size}}(never shown)"


def conditions(row: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """Its conditions as a table; nothing without."""
    found = [one for one in row.get("conditions") or [] if isinstance(one, dict)]
    if found:
        names = ("type", "status", "reason", "last_transition_time", "message")
        shown = [path_column(name, age=name.endswith("_time")) for name in names]
        yield "conditions:"
        yield from indented("\n".join(table(shown, found, now)))


def history(entries: Sequence[Mapping[str, Any]], now: datetime) -> Iterator[str]:
    """The newest versions: who made each, and what it changed."""
    rows = [
        {
            "version": entry.get("version"),
            "verb": entry.get("verb"),
            "actor": entry.get("actor"),
            "age": age(str(entry.get("at", "")), now),
            "changed": ", ".join(_changed(entry)),
        }
        for entry in entries
    ]
    if rows:
        yield "history:"
        yield from indented("\n".join(table(guessed(rows), rows, now)))


def indented(text: str) -> Iterator[str]:
    """The lines of a text below a name."""
    yield from (f"{_INDENT}{line}".rstrip() for line in text.split("\n"))


def _changed(entry: Mapping[str, Any]) -> list[str]:
    own = ("version", "updated_at")
    names = [str(change.get("path", "")).lstrip("/") for change in entry.get("diff") or []]
    return sorted({name for name in names if name and name not in own})


def _scalar(kind: RemoteKind, name: str, value: Any, now: datetime) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if kind.shown.get(name, {}).get("format") == "date-time":
        return f"{_safe(value)} ({age(value, now)} ago)"
    return _safe(str(value))


def _safe(text: str) -> str:
    """What somebody else has written, without what would move the cursor of whoever reads it."""
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)
