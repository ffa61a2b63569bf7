"""``ambient openapi``."""

import sys
from pathlib import Path

import click

from ambient_core import openapi
from ambient_core.app import describe
from ambient_core.cli import Invocation


@click.command("openapi")
@click.option(
    "--check", is_flag=True, help="Compare routes, document and the committed file; exit status 1 on a difference."
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the document there.")
@click.pass_obj
def command(invocation: Invocation, check: bool, output: Path | None) -> None:
    """Print the contract, composed from the code; no database is needed."""
    app = describe(invocation.load().settings)
    if check:
        found = openapi.check(app, output or Path("openapi.yaml"))
        for line in found or ["The contract is what the code says."]:
            click.echo(line)
        sys.exit(1 if found else 0)
    text = openapi.dump(app)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text)
