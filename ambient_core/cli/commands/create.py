"""``ambient create``."""

import sys
from collections.abc import Iterable
from typing import Any

import click
from ambient_sdk import ApiError, Batch, Plain
from ambient_sdk.batch import LARGEST

from ambient_core.cli import Invocation, invocation_in, manifests
from ambient_core.cli.console import options
from ambient_core.cli.console.faults import FAILED, Refusal, refusal
from ambient_core.cli.console.fields import FieldOption, values
from ambient_core.cli.console.flags import flags, named
from ambient_core.cli.console.grouping import KindGroup
from ambient_core.cli.console.output import Format
from ambient_core.cli.console.progress import counted
from ambient_core.cli.console.server import Server, opened
from ambient_core.cli.contract import RemoteKind
from ambient_core.cli.rollout import in_project

_DRY = " (dry run)"


class CreateGroup(KindGroup):
    """``ambient create KIND``, or ``ambient create -f FILE``."""

    def takes(self, server: Server) -> Iterable[RemoteKind]:
        """The kinds that can be made."""
        return (kind for kind in server.contract.kinds.values() if kind.given is not None)

    def command_of(self, kind: RemoteKind, server: Server) -> click.Command:
        """The command with the flags of a kind."""
        server.kind(kind.name, "create")
        known = flags(kind.given or {}, kind.secrets)

        @click.pass_obj
        def made(
            invocation: Invocation, /, output: Format | None, project: str | None, dry_run: bool, **given: Any
        ) -> None:
            body = values(known, given)
            with opened(invocation.load().settings, project) as open_server:
                try:
                    row = open_server.resource(kind).create(Plain(body), dry_run=dry_run)
                except ApiError as fault:
                    raise refusal(fault, open_server.url, lambda field: named(known).get(field, field)) from fault
                lines = output.one(kind, row) if output else [f"{kind.label(row)} created{_DRY * dry_run}"]
                for line in lines:
                    click.echo(line)

        decorated = options.output(default=None)(options.project(options.dry_run(made)))
        command: click.Command = click.command(kind.plural, help=f"Make a {kind.name}.")(decorated)
        command.params = [*(FieldOption(flag) for flag in known), *command.params]
        return command


@click.group("create", cls=CreateGroup, invoke_without_command=True)
@options.files("Make what a file declares; a folder, or - ; may be repeated.")
@options.dry_run
@click.pass_context
def command(context: click.Context, /, files: tuple[str, ...], recursive: bool, dry_run: bool) -> None:
    """Make an object: ambient create skill --project-id website --name review, or ambient create -f FILE.

    @FILE as a value is read from a file, and @- from the standard input; @@ begins a text that begins with @.
    A secret without a value is asked for.
    """
    if context.invoked_subcommand is not None:
        if files or recursive or dry_run:
            raise click.UsageError("These options belong behind the kind, or to -f without a kind.")
        return
    if not files:
        raise click.UsageError("Name a kind, or give -f FILE.")
    found = manifests.read(files, sys.stdin if "-" in files else (), recursive=recursive)
    with opened(invocation_in(context).load().settings) as server:
        kinds = [server.kind(one.kind, "create") for one in found]
        found = in_project(found, {one.kind: kind for one, kind in zip(found, kinds, strict=True)}, server.project)
        pairs = list(zip(found, kinds, strict=True))
        parts = (pairs[at : at + LARGEST] for at in range(0, len(pairs), LARGEST))
        lines = (line for part in parts for line in _sent(server, part, dry_run=dry_run))
        for line in counted(lines, "objects", len(pairs)):
            click.echo(line)


def _sent(server: Server, pairs: list[tuple[manifests.Manifest, RemoteKind]], *, dry_run: bool) -> Iterable[str]:
    """Make the objects of one batch, all or none; a line for each."""
    batch = Batch()
    for manifest, kind in pairs:
        batch.operations.append({"op": "create", "kind": kind.name, "body": manifest.fields})
    try:
        results = server.client.batch(batch, atomic=True, dry_run=dry_run)
    except ApiError as fault:
        told = fault.body.get("results")
        if not isinstance(told, list) or len(told) != len(pairs):
            raise
        number = next(n for n, one in enumerate(told) if one["status"] not in (201, 424))
        error = told[number]["error"]
        reasons = [f"{one['field'].removeprefix('/')} {one['reason']}" for one in error.get("errors") or ()]
        place = pairs[number][0].place
        lines = [f"{place}: {reason}" for reason in reasons or [error["reason"]]]
        raise Refusal([*lines, "Nothing of this batch is made."], FAILED) from fault
    for (_, kind), result in zip(pairs, results, strict=True):
        yield f"{kind.label(result.body)} created{_DRY * dry_run}"
