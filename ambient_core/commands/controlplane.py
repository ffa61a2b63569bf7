"""``ambient controlplane``."""

import sys

import click

from ambient_core.cli import Invocation
from ambient_core.config import check_profile
from ambient_core.serve import serve


@click.group("controlplane")
def command() -> None:
    """Run the control plane."""


@command.command()
@click.option(
    "--reconcile/--no-reconcile", default=True, help="Whether this process brings the world to what the rows say."
)
@click.option("--gateway/--no-gateway", default=True, help="Whether this process serves the AG-UI gateway.")
@click.pass_obj
def run(invocation: Invocation, reconcile: bool, gateway: bool) -> None:
    """Run the reconcilers and the AG-UI gateway, or one of them."""
    settings = invocation.load().settings
    check_profile(settings)
    if reconcile:
        # Not at the top: the gateway's workers must import the database driver after they are patched.
        from ambient_core.controlplane.loop import run as run_loop  # noqa: PLC0415

        sys.exit(run_loop(settings, gateway=gateway))
    if gateway:
        serve(settings, "gateway")
