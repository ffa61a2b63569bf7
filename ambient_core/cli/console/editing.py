"""An object as a text that a person edits, and what the edited text changes. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ambient_core.cli import manifests
from ambient_core.cli.console.output import as_yaml
from ambient_core.cli.contract import RemoteKind
from ambient_core.errors import SetupError
from ambient_core.http.merge import merge

Values = Mapping[str, Any]


class BadText(ValueError):
    """An edited text that cannot be read; says where."""


def editable(kind: RemoteKind, row: Values) -> dict[str, Any]:
    """The fields of an object that a caller may change and that are there."""
    return {name: row[name] for name in (kind.changed or {}).get("properties", {}) if row.get(name) is not None}


def text(kind: RemoteKind, values: Values, notes: Sequence[str]) -> str:
    """What is put before the editor.

    Args:
        values: as they are to be seen.
        notes: said above, as comments.
    """
    lines = [f"# {line}".rstrip() for note in notes for line in note.splitlines() or [""]]
    lines += [as_yaml(dict(values))] if values else []
    lines += [f"# {line}" for line in _absent(kind, values)]
    return "\n".join(lines) + "\n"


def _absent(kind: RemoteKind, values: Values) -> Iterator[str]:
    """The fields that may be given and are not there; a line each."""
    for name, schema in (kind.changed or {}).get("properties", {}).items():
        if name not in values:
            secret = "Never shown; give it to replace it. " if name in kind.secrets else ""
            said = " ".join(f"{secret}{schema.get('description', '')}".split())
            yield f"{name}:{f'    # {said}' if said else ''}"


def read(edited: str) -> dict[str, Any]:
    """The fields of an edited text.

    Raises:
        BadText: it is no YAML, or no object.
    """
    try:
        found = [value for _, value in manifests.values("text.yaml", edited)]
    except SetupError as fault:
        raise BadText(str(fault).replace("text.yaml:", "line ", 1)) from None
    if len(found) > 1 or (found and not isinstance(found[0], dict)):
        raise BadText("The text must be one object: a line NAME: VALUE for each field.")
    return dict(found[0]) if found else {}


def content(edited: str) -> str:
    """A text without its comments: what is the same in it when nothing was edited."""
    return "\n".join(line.rstrip() for line in edited.splitlines() if line.strip() and not line.startswith("#"))


def change(before: Values, after: Values) -> dict[str, Any]:
    """The JSON Merge Patch from one object to another: what is left out is cleared."""
    patch: dict[str, Any] = {}
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if old == new and type(old) is type(new):
            continue
        patch[name] = change(old, new) if isinstance(old, dict) and isinstance(new, dict) else new
    return patch


def rebased(theirs: Values, mine: Values) -> dict[str, Any]:
    """A change on top of what somebody else has stored meanwhile."""
    merged = merge(dict(theirs), dict(mine))
    assert isinstance(merged, dict)
    return merged
