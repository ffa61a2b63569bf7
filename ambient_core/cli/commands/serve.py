"""``ambient serve``."""

import click

from ambient_core.cli import Invocation
from ambient_core.profiles import check_profile, keyring_of
from ambient_core.serving.serve import serve


@click.command("serve")
@click.pass_obj
def command(invocation: Invocation) -> None:
    """Serve the API with Gunicorn, health on its own port, figures on another."""
    settings = invocation.load().settings
    check_profile(settings)
    keyring_of(settings)
    serve(settings, "api")
