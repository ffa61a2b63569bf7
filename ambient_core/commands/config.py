"""``ambient config``."""

import click
from rich.console import Console
from rich.table import Table

from ambient_core.cli import Invocation
from ambient_core.config import Settings, markdown, redacted


@click.command("config")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the table of docs/configuration.md.")
@click.pass_obj
def command(invocation: Invocation, as_markdown: bool) -> None:
    """Print every setting, its value (secrets hidden) and where it came from."""
    if as_markdown:
        click.echo(markdown(Settings), nl=False)
        return
    table = Table("setting", "value", "from", box=None, pad_edge=False)
    for name, value, origin, _ in redacted(invocation.load()):
        table.add_row(name, value, origin)
    Console(soft_wrap=True).print(table)
