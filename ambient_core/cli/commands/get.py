"""``ambient get``."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

import click

from ambient_core.cli import Invocation
from ambient_core.cli.console import options
from ambient_core.cli.console.output import Format
from ambient_core.cli.console.progress import counted
from ambient_core.cli.console.server import Server, opened
from ambient_core.cli.contract import RemoteKind

_PAGE = 500
_Rows = list[Mapping[str, Any]]


@click.command("get")
@options.kind
@options.names
@options.output()
@options.project
@options.search
@click.option("--sort", metavar="FIELD", shell_complete=options.fields, help="By this field; -FIELD for the other way.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="How many at most.")
@click.option("--all", "everything", is_flag=True, help="All of them, however many.")
@click.pass_obj
def command(
    invocation: Invocation, /, kind: str, names: tuple[str, ...], output: Format, project: str | None, **asked: Any
) -> None:
    """Show objects: ambient get sessions, ambient get session NAME.

    A kind is named in any way: Session, session, sessions. An object is named by its name or its id.
    """
    if names and (asked["search"] or asked["sort"] or asked["everything"]):
        raise click.UsageError("--search, --sort and --all belong to a list; leave the names away.")
    with opened(invocation.load().settings, project) as server:
        found = server.kind(kind, "get" if names else "list")
        if names:
            rows: _Rows = [server.find(found, name) for name in names]
            lines = output.one(found, rows[0]) if len(rows) == 1 else output.many(found, rows)
        else:
            rows, more = _listed(server, found, output, asked)
            lines = output.many(found, rows)
            if not rows and output.tabular:
                click.echo(f"No {found.plural} found.", err=True)
            if more:
                click.echo(f"There are more than {len(rows)}; --all shows them.", err=True)
        for line in lines:
            click.echo(line)


def _listed(server: Server, kind: RemoteKind, output: Format, asked: Mapping[str, Any]) -> tuple[_Rows, bool]:
    limit = None if asked["everything"] else asked["limit"]
    query = {"search": asked["search"], "order_by": ordering(asked["sort"]), "fields": output.fields(kind)}
    size = _PAGE if limit is None else min(_PAGE, limit + 1)
    # One more than is shown tells whether there are more, and nothing is counted for it.
    whole = islice(server.resource(kind).list_all(size=size, **query), None if limit is None else limit + 1)
    rows: _Rows = list(counted(whole, kind.plural))
    return rows[:limit], limit is not None and len(rows) > limit


def ordering(given: str | None) -> str | None:
    """``name,-created_at`` as the server takes it; what it takes already stays as it is."""
    if given is None:
        return None
    parts = [part.strip() for part in given.split(",")]
    return ",".join(f"{part[1:]} desc" if part.startswith("-") else part for part in parts)
