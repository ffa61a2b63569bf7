"""``ambient explain``."""

import os

import click
from ambient_sdk import AmbientClient, AmbientError
from ambient_sdk.errors import ApiError

from ambient_core.cli import Invocation
from ambient_core.errors import BASE_PATH, SetupError


@click.command("explain")
@click.argument("kind")
@click.argument("identifier", metavar="ID")
@click.pass_obj
def command(invocation: Invocation, kind: str, identifier: str) -> None:
    """Say why an object stands where it stands, such as: ambient explain session ID.

    The API is asked with the token of AMBIENT_TOKEN, or of the developer's token file.
    """
    settings = invocation.load().settings
    token = os.environ.get("AMBIENT_TOKEN", "")
    if not token and settings.developer_token_file is not None:
        try:
            token = settings.developer_token_file.read_text().strip()
        except OSError as fault:
            raise SetupError(f"developer_token_file cannot be read: {fault.strerror}.") from fault
    if not token:
        raise SetupError("There is no token; give AMBIENT_TOKEN.")
    plural = kind.lower() if kind.lower().endswith("s") else f"{kind.lower()}s"
    with AmbientClient(settings.api_url, token) as client:
        try:
            found = client.transport.json("GET", f"{BASE_PATH}/{plural}/{identifier}/explain")
        except ApiError as fault:
            raise SetupError(fault.reason) from fault
        except AmbientError as fault:
            raise SetupError(f"The API at {settings.api_url} does not answer.") from fault
    click.echo(found["text"])
