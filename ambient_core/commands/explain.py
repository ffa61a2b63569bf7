"""``ambient explain``."""

import click

from ambient_core import remote
from ambient_core.cli import Invocation
from ambient_core.errors import BASE_PATH


@click.command("explain")
@click.argument("kind")
@click.argument("identifier", metavar="ID")
@click.pass_obj
def command(invocation: Invocation, kind: str, identifier: str) -> None:
    """Say why an object stands where it stands, such as: ambient explain session ID.

    The API is that of the current context, or of AMBIENT_API_URL and AMBIENT_TOKEN.
    """
    plural = kind.lower() if kind.lower().endswith("s") else f"{kind.lower()}s"
    with remote.connected(invocation.load().settings) as client:
        found = client.transport.json("GET", f"{BASE_PATH}/{plural}/{identifier}/explain")
    click.echo(found["text"])
