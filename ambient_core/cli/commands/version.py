"""``ambient version``."""

import click

from ambient_core.openapi import package_version


@click.command("version")
def command() -> None:
    """Print the version."""
    click.echo(package_version())
