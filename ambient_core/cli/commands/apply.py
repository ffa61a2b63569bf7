"""``ambient apply``."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import click
import orjson
from ambient_sdk.batch import LARGEST

from ambient_core.cli import Invocation, manifests, remote
from ambient_core.cli.console import options
from ambient_core.cli.rollout import Declared, Line, Refused, Rollout, declare, in_project


@click.command("apply")
@options.files("A file, a folder, or - ; may be repeated.", required=True)
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--exit-code", is_flag=True, help="With --dry-run: exit status 1 when something would change.")
@click.option("--prune", is_flag=True, help="Delete what carries the labels of -l and is not in the files.")
@click.option("-l", "--label", "labels", multiple=True, metavar="NAME=VALUE", help="For --prune; may be repeated.")
@click.option("--atomic/--no-atomic", default=True, help="Whether the first refusal undoes its batch.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@click.pass_obj
def command(
    invocation: Invocation, /, files: tuple[str, ...], labels: tuple[str, ...], output: str, **flags: bool
) -> None:
    """Bring the API to what YAML or JSON files declare; what is so already is left alone.

    A document is a kind with its fields beside it: {kind: Skill, project_id: website, name: review}.

    The API is that of the current context, or of AMBIENT_API_URL and AMBIENT_TOKEN. Exit status: 0 when all is done, 1 when
    something is refused, 2 for a wrong command line.
    """
    chosen = _labels(labels, prune=flags["prune"])
    if flags["exit_code"] and not flags["dry_run"]:
        raise click.UsageError("--exit-code belongs to --dry-run.")
    settings = invocation.load().settings
    found = manifests.read(files, sys.stdin if "-" in files else (), recursive=flags["recursive"])
    lines: list[Line] = []
    with remote.connected(settings) as client:
        known = remote.kinds(client)
        declared = declare(in_project(found, known, remote.target_of(settings).project), known)
        if flags["prune"] and not any(one.kind.labelled for one in declared):
            raise click.UsageError("--prune: no kind in these files has labels.")
        if len(declared) > LARGEST:
            click.echo(f"{len(declared)} documents go in batches of {LARGEST}; each batch stands for itself.", err=True)
        rollout = Rollout(client, atomic=flags["atomic"], dry_run=flags["dry_run"])
        try:
            for line in _lines(rollout, declared, chosen):
                lines.append(line)
                if output == "text":
                    _print(line, dry_run=flags["dry_run"])
        except Refused as fault:
            if output == "json":
                click.echo(orjson.dumps([asdict(line) for line in lines]))
            raise fault
    if output == "json":
        click.echo(orjson.dumps([asdict(line) for line in lines]))
    refused = any(line.outcome == "refused" for line in lines)
    changes = flags["exit_code"] and any(line.outcome != "unchanged" for line in lines)
    sys.exit(1 if refused or changes else 0)


def _lines(rollout: Rollout, declared: Sequence[Declared], labels: dict[str, str]) -> Iterator[Line]:
    clean = True
    for line in rollout.apply(declared):
        clean = clean and line.outcome != "refused"
        yield line
    if labels and clean:
        yield from rollout.prune(declared, labels)
    elif labels:
        click.echo("ambient: nothing was pruned, because a document was refused.", err=True)


def _print(line: Line, *, dry_run: bool) -> None:
    click.echo(f"{line.label} {line.outcome}{' (dry run)' if dry_run else ''}")
    for difference in line.differences:
        click.echo(f"  {difference}")
    if line.reason:
        click.echo(f"ambient: {line.place}: {line.label}: {line.reason}".replace(": : ", ": "), err=True)


def _labels(given: Sequence[str], *, prune: bool) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if wrong := next(
        (text for text, (name, equals, _) in zip(given, pairs, strict=True) if not name or not equals), None
    ):
        raise click.UsageError(f"-l takes NAME=VALUE, not {wrong!r}.")
    if prune != bool(pairs):
        raise click.UsageError("--prune needs -l NAME=VALUE." if prune else "-l belongs to --prune.")
    return {name: value for name, _, value in pairs}
