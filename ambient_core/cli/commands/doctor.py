"""``ambient doctor``."""

import logging
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from ambient_core.cli import Invocation
from ambient_core.config import Loaded, Settings
from ambient_core.errors import SetupError

if TYPE_CHECKING:
    from ambient_core.cli.doctor import Finding


@click.command("doctor")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also try the token in this file; it is not shown.",
)
@click.pass_obj
def command(invocation: Invocation, output: str, token_file: Path | None) -> None:
    """Check the settings and what they name: database, migrations, identity providers, clocks, ports; and say what to do.

    Exit status: 0 when nothing failed, 1 otherwise. No secret is printed.
    """

    from ambient_core.cli.doctor import examine  # noqa: PLC0415 - with it comes the whole application, not for --help

    def load() -> Loaded[Settings]:
        loaded = invocation.load()
        # What goes wrong is a finding here, and said once.
        logging.getLogger().setLevel(logging.CRITICAL)
        return loaded

    found = list(_shown(examine(load, _token(token_file)), quiet=output == "json"))
    if output == "json":
        click.echo(orjson.dumps([asdict(finding) for finding in found]))
    sys.exit(1 if any(finding.status == "failed" for finding in found) else 0)


def _shown(findings: "Iterator[Finding]", *, quiet: bool) -> "Iterator[Finding]":
    for finding in findings:
        if not quiet:
            click.echo(f"{finding.status:<8} {finding.check}: {finding.detail}")
        if finding.advice and not quiet:
            click.echo(f"{'':<8} {finding.advice}")
        yield finding


def _token(file: Path | None) -> str:
    try:
        return file.read_text().strip() if file is not None else ""
    except OSError as fault:
        raise SetupError(f"--token-file {file} cannot be read: {fault.strerror}.") from fault
