"""``ambient db``."""

import sys

import click

from ambient_core import migrate, pruning, status
from ambient_core.cli import Invocation
from ambient_core.database import Database


@click.group("db")
def command() -> None:
    """Bring the database up to date, or back."""


@command.command()
@click.pass_obj
def upgrade(invocation: Invocation) -> None:
    """Bring every plugin's tables up to date; a plugin that fails is set aside alone."""
    migrate.upgrade(invocation.load().settings, report=click.echo)


@command.command()
@click.pass_obj
def check(invocation: Invocation) -> None:
    """Say what is pending or differs from the models; exit status 1 when something does."""
    found = migrate.check(invocation.load().settings)
    for line in found or ["The database is up to date."]:
        click.echo(line)
    sys.exit(1 if found else 0)


@command.command()
@click.argument("target", default="base")
@click.option("--plugin", help="Only this plugin's tables.")
@click.confirmation_option(prompt="This drops tables with all that is in them. Go on?")
@click.pass_obj
def downgrade(invocation: Invocation, target: str, plugin: str | None) -> None:
    """Undo migrations down to TARGET: a revision id, or base."""
    migrate.downgrade(invocation.load().settings, target, plugin)
    click.echo(f"Now at {target}.")


@command.command()
@click.argument("plugin")
@click.argument("text")
@click.pass_obj
def revision(invocation: Invocation, plugin: str, text: str) -> None:
    """Write PLUGIN's next migration from the difference between its models and the database."""
    click.echo(f"Wrote {migrate.revision(invocation.load().settings, plugin, text)}; read it before you run it.")


@command.command("status")
@click.pass_obj
def show_status(invocation: Invocation) -> None:
    """Print size, change log, lag, oldest transaction, dead rows and pending migrations."""
    for line in status.report(invocation.load().settings):
        click.echo(line)


@command.command("prune")
@click.pass_obj
def prune_log(invocation: Invocation) -> None:
    """Delete changes and idempotency records that are older than what is kept; the leader does it by itself."""
    settings = invocation.load().settings
    database = Database(settings.database_url, pool_size=1, name="ambient-prune")
    try:
        found = pruning.prune(database, settings)
    finally:
        database.close()
    click.echo(
        f"{found.seen} changes are older than {settings.change_retention_days:g} days: {found.changes} are deleted, the others "
        f"are the newest state of what lives. {found.keys} idempotency records are deleted."
    )
