"""``ambient get``."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import click

from ambient_core.cli import invocation_in
from ambient_core.cli.commands import watch
from ambient_core.cli.console import options
from ambient_core.cli.console.faults import Refusals
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
@click.option("-w", "--watch", "follows", is_flag=True, help="Follow them, as ambient watch does.")
@click.pass_context
def command(
    context: click.Context, /, kind: str, names: tuple[str, ...], output: Format, project: str | None, **asked: Any
) -> None:
    """Show objects: ambient get sessions, ambient get session NAME.

    A kind is named in any way: Session, session, sessions. An object is named by its name or its id.
    """
    if names and (asked["search"] or asked["sort"] or asked["everything"] or asked["follows"]):
        raise click.UsageError("--search, --sort, --all and --watch belong to a list; leave the names away.")
    if asked["follows"]:
        if asked["sort"]:
            raise click.UsageError("--watch shows changes as they come; leave --sort away.")
        context.invoke(watch.command, kind=kind, output=output, project=project, search=asked["search"])
        return
    with opened(invocation_in(context).load().settings, project) as server:
        if names:
            sys.exit(_show_named(server, server.kind(kind, "get"), names, output))
        _show_list(server, server.kind(kind, "list"), output, asked)


def _show_named(server: Server, kind: RemoteKind, names: Sequence[str], output: Format) -> int:
    """Show each, whatever becomes of the others; the exit status of the first that was refused."""
    refusals = Refusals(alone=len(names) == 1)
    rows: _Rows = []
    for name in names:
        with refusals.of(f"{kind.plural}/{name}"):
            rows.append(server.find(kind, name))
    _print(output.one(kind, rows[0]) if refusals.alone else output.many(kind, rows))
    return refusals.status


def _show_list(server: Server, kind: RemoteKind, output: Format, asked: Mapping[str, Any]) -> None:
    rows, more = _listed(server, kind, output, asked)
    if not rows and output.tabular:
        click.echo(f"No {kind.plural} found.", err=True)
    if more:
        click.echo(f"There are more than {len(rows)}; --all shows them.", err=True)
    _print(output.many(kind, rows))


def _print(lines: Iterable[str]) -> None:
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
