"""``ambient watch``."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click
import orjson
from ambient_sdk import Event, Plain

from ambient_core.cli import Invocation
from ambient_core.cli.console import options
from ambient_core.cli.console.faults import INTERRUPTED
from ambient_core.cli.console.output import Format
from ambient_core.cli.console.server import opened
from ambient_core.cli.console.watching import Present, line
from ambient_core.cli.contract import RemoteKind

Show = Callable[[Event[Plain]], None]


@click.command("watch")
@options.kind
@options.output()
@options.project
@options.search
@click.option("--since", metavar="CURSOR", help="Go on after this cursor of an event (-o json shows it).")
@click.option("--initial/--no-initial", default=True, help="Whether the present objects come first.")
@click.pass_obj
def command(invocation: Invocation, /, kind: str, output: Format, project: str | None, **asked: Any) -> None:
    """Follow objects: a live table on a terminal, a line for each event elsewhere, JSON lines with -o json.

    It goes on by itself, without a gap, when the server restarts; Ctrl-C ends it.
    """
    initial = asked["initial"] and asked["since"] is None
    with opened(invocation.load().settings, project) as server:
        found = server.kind(kind, "list")
        events = server.resource(found).watch(search=asked["search"], since=asked["since"], initial=initial)
        try:
            with events, _shown(found, output) as show:
                for event in events:
                    show(event)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)


@contextmanager
def _shown(kind: RemoteKind, output: Format) -> Iterator[Show]:
    if not (output.tabular and sys.stdout.isatty()):
        yield lambda event: click.echo(_text(kind, output, event))
        return
    # Not at the top: what is read by scripts has no use for it.
    from rich.live import Live  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    present = Present(kind, output.of(kind))

    def seen() -> Text:
        # Asked for again and again, so that the ages move on while nothing happens.
        return Text("\n".join(present.lines(datetime.now(UTC))))

    with Live(get_renderable=seen, redirect_stdout=False, vertical_overflow="crop"):
        yield present.take


def _text(kind: RemoteKind, output: Format, event: Event[Plain]) -> str:
    if output.name == "json":
        told = {
            "type": event.type,
            "kind": event.kind,
            "cursor": event.cursor,
            **(event.facts or {}),
            "object": event.object,
        }
        return orjson.dumps({name: value for name, value in told.items() if value not in (None, "")}).decode()
    if event.object is None:
        return event.type
    if output.tabular:
        return line(event.type, output.of(kind), event.object)
    return "\n".join(output.one(kind, event.object))
