"""``ambient serve``."""

import click

from ambient_core.cli import Invocation
from ambient_core.profiles import check_profile
from ambient_core.serve import serve


@click.command("serve")
@click.pass_obj
def command(invocation: Invocation) -> None:
    """Serve the API with Gunicorn, health on its own port, figures on another."""
    settings = invocation.load().settings
    check_profile(settings)
    serve(settings, "api")
