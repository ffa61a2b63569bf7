"""``ambient db``."""

import sys
from typing import BinaryIO

import click

from ambient_core import backup, migrate
from ambient_core.changes import pruning
from ambient_core.cli import Invocation, status
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
    """Delete changes, idempotency records and refusals that are older than what is kept; the leader does it by itself."""
    settings = invocation.load().settings
    database = Database(settings.database_url, pool_size=1, name="ambient-prune")
    try:
        found = pruning.prune(database, settings)
    finally:
        database.close()
    if settings.change_retention_days:
        click.echo(
            f"{found.seen} changes are older than {pruning.kept_for(settings.change_retention_days)}: {found.changes} are deleted, "
            "the others are the newest state of what lives."
        )
    else:
        click.echo("Changes are kept for ever (change_retention_days is 0): none is deleted.")
    click.echo(f"{found.keys} idempotency records and {found.refusals} refusals are deleted.")


@command.command("export")
@click.option("--output", default="-", help="The file to write; - is the standard output.")
@click.option("--kind", "kinds", multiple=True, help="Only this kind; may be given several times.")
@click.option("--with-secrets", is_flag=True, help="Secret fields too, as they are stored: keep the file safe.")
@click.pass_obj
def export_rows(invocation: Invocation, output: str, kinds: tuple[str, ...], with_secrets: bool) -> None:
    """Write everything that the plugins keep to a file of lines, as it is at one moment."""
    settings = invocation.load().settings
    with backup.written(output) as to:
        rows = backup.export(settings, to, kinds, secrets=with_secrets, report=lambda line: click.echo(line, err=True))
    click.echo(f"{rows} rows are written.", err=True)


@command.command("import")
@click.argument("source", type=click.File("rb"))
@click.option("--overwrite", is_flag=True, help="Objects that are here and differ become as the file has them.")
@click.pass_obj
def import_rows(invocation: Invocation, source: BinaryIO, overwrite: bool) -> None:
    """Read what `ambient db export` wrote, into an empty or a running system; exit status 1 when rows were left out.

    What is there already is left alone, so an import that was cut off is run again.
    """
    done = backup.load(invocation.load().settings, source, overwrite=overwrite, report=click.echo)
    for line in done.words:
        click.echo(f"left out: {line}", err=True)
    left = done.conflicts.total()
    click.echo(f"{done.created.total()} rows are created, {done.changed.total()} changed, {left} left out.")
    sys.exit(1 if left else 0)
