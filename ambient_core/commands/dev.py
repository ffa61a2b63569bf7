"""``ambient dev``."""

import sys
from pathlib import Path

import click

from ambient_core.cli import Invocation
from ambient_core.embedded.system import DevelopmentOptions, run_development


@click.command("dev")
@click.option("--port", default=8000, show_default=True, help="Of the API.")
@click.option("--gateway-port", default=9080, show_default=True, help="Of the AG-UI gateway.")
@click.option("--health-port", default=4434, show_default=True, help="Of /healthz and /readyz.")
@click.option("--metrics-port", default=4433, show_default=True, help="Of /metrics.")
@click.option(
    "--data-dir", type=click.Path(path_type=Path, file_okay=False), default=Path(".ambient"), show_default=True
)
@click.pass_obj
def command(invocation: Invocation, /, data_dir: Path, **ports: int) -> None:
    """Start PostgreSQL, the API, the control plane and the AG-UI gateway on this machine; Ctrl-C stops them all."""
    settings = invocation.load().settings
    options = DevelopmentOptions(data_dir=data_dir.resolve(), database_url=settings.database_url or None, **ports)
    sys.exit(run_development(options))
