"""``ambient logs``."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from ambient_core.cli import Invocation
from ambient_core.cli.console import options
from ambient_core.cli.console.server import address, opened

_SPAN = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@click.command("logs")
@options.kind
@options.name
@options.project
@click.option("-f", "--follow", is_flag=True, help="Go on as it is written.")
@click.option("--tail", type=click.IntRange(0), metavar="LINES", help="Only so many last lines.")
@click.option("--since", metavar="TIME", help="Only what is newer: 10m, 2h, or 2026-01-31T12:00:00Z.")
@click.pass_obj
def command(invocation: Invocation, /, kind: str, name: str, project: str | None, **asked: Any) -> None:
    """Print what an object wrote, such as: ambient logs session NAME -f."""
    since = asked["since"] and moment(asked["since"], datetime.now(UTC))
    given = {"follow": asked["follow"] or None, "tail": asked["tail"], "since": since}
    query = {key: value for key, value in given.items() if value is not None}
    with opened(invocation.load().settings, project) as server:
        known = server.kind(kind)
        action = server.action(known, "logs")
        if strange := sorted(set(query) - set(action.query)):
            raise click.UsageError(f"The logs of {known.plural} cannot be asked for with --{strange[0]}.")
        identifier = server.find(known, name)["id"]
        for line in server.client.transport.lines(action.method, address(known, action, identifier), query=query):
            click.echo(line)


def moment(text: str, now: datetime) -> str:
    """A time, or how long ago it was, as the server takes it.

    Raises:
        click.UsageError: it is neither.
    """
    if span := _SPAN.fullmatch(text):
        return (now - timedelta(**{_UNITS[span[2]]: int(span[1])})).isoformat()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--since takes 10m, 2h or 2026-01-31T12:00:00Z, not {text!r}.") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat()
