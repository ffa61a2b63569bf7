"""``ambient edit``."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
from ambient_sdk import BadRequest, Conflict, Plain, PreconditionFailed

from ambient_core.cli import Invocation
from ambient_core.cli.console import editing, options
from ambient_core.cli.console.faults import FAILED, Refusal, words
from ambient_core.cli.console.server import Server, opened
from ambient_core.cli.contract import RemoteKind
from ambient_core.cli.rollout import differing

_INTRODUCTION = "Save and leave to send what you changed; leave it as it is to change nothing."
_AGAIN = "Leave it as it is to give up."
_ON_TOP = "Your change is on top of theirs below: save and leave to send it, or remove all text to give up."


@dataclass(slots=True)
class _Round:
    """One opening of the editor.

    Args:
        row: the object as it is stored.
        values: what is put before the editor.
        notes: said above.
        sends: whether what is left as it is, is sent.
    """

    row: Plain
    values: Mapping[str, Any]
    notes: Sequence[str]
    sends: bool = False


@click.command("edit")
@options.kind
@options.name
@options.project
@options.dry_run
@click.pass_obj
def command(invocation: Invocation, kind: str, name: str, project: str | None, dry_run: bool) -> None:
    """Change an object in your editor ($VISUAL or $EDITOR), as YAML.

    What somebody else changes meanwhile is never overwritten: it is shown, and your change is put on top of it.
    """
    with opened(invocation.load().settings, project) as server:
        found = server.kind(kind, "patch")
        row = server.find(found, name)
        values = editing.editable(found, row)
        now = _Round(row, values, [f"{found.label(row)}, version {row['version']}. {_INTRODUCTION}"])
        click.echo(_edited(server, found, now, dry_run=dry_run))


def _edited(server: Server, kind: RemoteKind, now: _Round, *, dry_run: bool) -> str:
    """Open the editor until the server takes it, or the person gives up; says which."""
    label, rounds, shown = kind.label(now.row), 0, editing.text(kind, now.values, now.notes)
    while True:
        rounds += 1
        edited = click.edit(shown, extension=".yaml", require_save=False) or ""
        same = editing.content(edited) == editing.content(shown)
        if not editing.content(edited) or (same and not now.sends):
            if rounds == 1:
                return f"{label} unchanged"
            raise Refusal([f"{label} is left as it is; {_kept(edited if not same else shown)}"], FAILED)
        try:
            mine = editing.change(editing.editable(kind, now.row), editing.read(edited))
            if not mine:
                return f"{label} unchanged"
            server.resource(kind).patch(now.row["id"], Plain(mine), if_match=now.row["version"], dry_run=dry_run)
        except editing.BadText as fault:
            shown = _reopened([str(fault), _AGAIN], edited)
            now.sends = False
        except (BadRequest, Conflict) as fault:
            shown = _reopened([*words(fault), _AGAIN], edited)
            now.sends = False
        except PreconditionFailed:
            now = _behind(server, kind, now, mine)
            shown = editing.text(kind, now.values, now.notes)
        else:
            return f"{label} changed{' (dry run)' * dry_run}"


def _behind(server: Server, kind: RemoteKind, now: _Round, mine: Mapping[str, Any]) -> _Round:
    """Somebody else was quicker: their change, and ours on top of it."""
    row = server.resource(kind).get(now.row["id"])
    before, theirs = editing.editable(kind, now.row), editing.editable(kind, row)
    said = [
        f"Somebody else changed it meanwhile; it is at version {row['version']}:",
        *differing(before, theirs),
        _ON_TOP,
    ]
    return _Round(row, editing.rebased(theirs, mine), said, sends=True)


def _reopened(notes: Sequence[str], edited: str) -> str:
    """The text with what is wrong above it, in the place of what was said before."""
    lines = edited.splitlines()
    while lines and (lines[0].startswith("#") or not lines[0].strip()):
        lines.pop(0)
    return "\n".join([*(f"# {line}" for note in notes for line in note.splitlines()), *lines]) + "\n"


def _kept(text: str) -> str:
    """Keep a text that nobody took, so that its work is not lost; says where."""
    number, name = tempfile.mkstemp(prefix="ambient-edit-", suffix=".yaml")
    with os.fdopen(number, "w") as file:
        file.write(text)
    return f"your text is in {name}."
