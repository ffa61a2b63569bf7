"""``ambient describe``."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click
from ambient_sdk import ApiError

from ambient_core.cli import Invocation
from ambient_core.cli.console import describing, options
from ambient_core.cli.console.faults import Refusals
from ambient_core.cli.console.server import Server, opened
from ambient_core.cli.contract import RemoteKind


@click.command("describe")
@options.kind
@options.names
@options.project
@click.option("--history", type=click.IntRange(0, 500), default=10, show_default=True, help="How many of its versions.")
@click.pass_obj
def command(invocation: Invocation, kind: str, names: tuple[str, ...], project: str | None, history: int) -> None:
    """Say all about an object: its fields, where it stands and why, and who changed it last."""
    if not names:
        raise click.UsageError("Name an object.")
    with opened(invocation.load().settings, project) as server:
        found = server.kind(kind, "get")
        refusals = Refusals(alone=len(names) == 1)
        for number, name in enumerate(names):
            with refusals.of(f"{found.plural}/{name}"):
                lines = list(_described(server, found, name, history))
                click.echo("\n".join(["", *lines] if number else lines))
    sys.exit(refusals.status)


def _described(server: Server, kind: RemoteKind, name: str, history: int) -> Iterator[str]:
    now, row = datetime.now(UTC), server.find(kind, name)
    yield from describing.fields(kind, row, now)
    yield from describing.conditions(row, now)
    if explained := _asked(server, kind, "explain", row["id"]).get("text"):
        yield "explain:"
        yield from describing.indented(str(explained))
    if history:
        entries = _asked(server, kind, "history", row["id"], size=history).get("items", [])
        yield from describing.history(entries, now)


def _asked(server: Server, kind: RemoteKind, name: str, identifier: str, **query: int) -> dict[str, Any]:
    """What a reading action answers; nothing where there is none, or none for this caller."""
    action = kind.actions.get(name)
    if action is None or action.method != "GET":
        return {}
    try:
        return dict(server.call(kind, action, identifier, query=query or None))
    except ApiError as fault:
        if fault.status not in (403, 404, 410):
            raise
        return {}
