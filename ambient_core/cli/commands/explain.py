"""``ambient explain``."""

import click

from ambient_core.cli import Invocation
from ambient_core.cli.console import options
from ambient_core.cli.console.server import opened


@click.command("explain")
@options.kind
@options.name
@options.project
@click.pass_obj
def command(invocation: Invocation, kind: str, name: str, project: str | None) -> None:
    """Say why an object stands where it stands, such as: ambient explain session NAME."""
    with opened(invocation.load().settings, project) as server:
        known = server.kind(kind)
        action = server.action(known, "explain")
        click.echo(server.call(known, action, server.find(known, name)["id"])["text"])
