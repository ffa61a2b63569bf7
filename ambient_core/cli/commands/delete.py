"""``ambient delete``."""

import sys
from collections.abc import Sequence
from typing import Any

import click
from ambient_sdk import AmbientError, Conflict

from ambient_core.cli import Invocation
from ambient_core.cli.console import options
from ambient_core.cli.console.asking import sure
from ambient_core.cli.console.faults import FAILED, Refusal, Refusals, refusal
from ambient_core.cli.console.progress import counted
from ambient_core.cli.console.server import Server, opened
from ambient_core.cli.contract import RemoteKind

_MOST = 10_000
_NAMED = 5
_DRY = " (dry run)"


@click.command("delete")
@options.kind
@options.names
@options.search
@click.option(
    "--max-affected", type=click.IntRange(1, _MOST), metavar="N", help="With --search: delete none if more match."
)
@options.project
@options.yes
@options.dry_run
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    kind: str,
    names: tuple[str, ...],
    search: str | None,
    project: str | None,
    **flags: Any,
) -> None:
    """Delete objects by name, or all that match: ambient delete sessions --search "phase = 'Failed'" --max-affected 20."""
    max_affected = flags.pop("max_affected")
    if bool(names) == (search is not None):
        raise click.UsageError("Name the objects, or give --search.")
    if max_affected is not None and search is None:
        raise click.UsageError("--max-affected belongs to --search.")
    if search is not None and flags["yes"] and max_affected is None:
        raise click.UsageError("--search with --yes needs --max-affected: how many may go at most.")
    with opened(invocation.load().settings, project) as server:
        found = server.kind(kind, "delete")
        if search is not None:
            _matching(server, found, search, max_affected or _MOST, **flags)
            return
        sys.exit(_named(server, found, names, **flags))


def _matching(server: Server, kind: RemoteKind, search: str, most: int, *, yes: bool, dry_run: bool) -> None:
    resource = server.resource(kind)
    try:
        count = resource.delete_where(search, max_affected=most, dry_run=True)
        if count and not dry_run:
            sure(f"Delete {count} {kind.plural}?", yes=yes)
            # No more than was agreed to, whatever others make meanwhile.
            count = resource.delete_where(search, max_affected=count)
    except Conflict as fault:
        matched = fault.body.get("matched")
        if matched is None:
            raise
        raise Refusal(
            [f"{matched} {kind.plural} match, and at most {most} may go; none is deleted."], FAILED
        ) from fault
    click.echo(f"{count} {kind.plural} deleted{_DRY * dry_run}")


def _named(server: Server, kind: RemoteKind, names: Sequence[str], *, yes: bool, dry_run: bool) -> int:
    """Delete each, whatever becomes of the others; the exit status of the first that was refused."""
    if not dry_run:
        shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
        sure(f"Delete {kind.plural} {shown}?", yes=yes)
    refusals = Refusals(alone=len(names) == 1)
    for name in counted(names, kind.plural, len(names)):
        with refusals.of(f"{kind.plural}/{name}"):
            _delete(server, kind, name, dry_run=dry_run)
    return refusals.status


def _delete(server: Server, kind: RemoteKind, name: str, *, dry_run: bool) -> None:
    try:
        row = server.find(kind, name)
        server.resource(kind).delete(row["id"], if_match=row.get("version"), dry_run=dry_run)
    except AmbientError as fault:
        raise refusal(fault, server.url) from fault
    click.echo(f"{kind.label(row)} deleted{_DRY * dry_run}")
