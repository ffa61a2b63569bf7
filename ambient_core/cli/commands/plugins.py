"""``ambient plugins``."""

import click
from rich.console import Console
from rich.table import Table

from ambient_core.app import try_out
from ambient_core.cli import Invocation
from ambient_core.cli.commands import WIDE
from ambient_core.database import Database
from ambient_core.errors import AmbientError
from ambient_core.plugins import load_plugins


@click.command("plugins")
@click.pass_obj
def command(invocation: Invocation) -> None:
    """List every plugin with its state, and why it does not serve where it does not."""
    settings = invocation.load().settings
    plugins = load_plugins(settings)
    if settings.database_url:
        database = Database(settings.database_url, pool_size=1)
        try:
            plugins.apply_migration_faults(database)
        except AmbientError:
            click.echo("ambient: the database does not answer, so that failed migrations are not shown.", err=True)
        finally:
            database.close()
    try_out(settings, plugins)
    table = Table("plugin", "version", "state", "reason", box=None, pad_edge=False)
    for entry in plugins.report():
        table.add_row(entry["name"], entry["version"], entry["state"], entry.get("reason", ""))
    Console(width=WIDE).print(table)
