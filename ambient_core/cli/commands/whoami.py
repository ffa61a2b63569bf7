"""``ambient whoami``."""

from typing import Any

import click
import orjson

from ambient_core.cli import Invocation, remote
from ambient_core.cli.console.server import opened
from ambient_core.errors import BASE_PATH


@click.command("whoami")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@click.pass_obj
def command(invocation: Invocation, output: str) -> None:
    """Say who you are to the server, with groups and roles, and by which context."""
    settings = invocation.load().settings
    with opened(settings) as server:
        found = server.client.transport.json("GET", f"{BASE_PATH}/whoami")
    target = remote.target_of(settings)
    found |= {"server": target.server, "context": target.context, "project": target.project}
    if output == "json":
        click.echo(orjson.dumps(found))
        return
    for line in _lines(found):
        click.echo(line)


def _lines(found: dict[str, Any]) -> list[str]:
    shown = {
        "name": found["name"],
        "id": found["id"],
        "server": found["server"],
        "context": found["context"] or "(none)",
        "project": found["project"],
        "groups": ", ".join(found["groups"]),
        "roles": ", ".join(found["roles"]),
    }
    return [f"{label:<8} {value}" for label, value in shown.items() if value]
