"""``ambient dev``."""

import sys
from pathlib import Path
from typing import Any

import click

from ambient_core.cli import Invocation
from ambient_core.embedded.options import DevelopmentOptions
from ambient_core.embedded.ports import usable_port
from ambient_core.embedded.system import run_development

_JOINED = {"issuer": "oidc", "audience": "audience", "client": "client_id"}
"""What is said of an identity provider, by flag."""


_PORT = click.IntRange(1, 65535)


@click.command("dev")
@click.option("--port", type=_PORT, default=8000, show_default=True, help="Of the API.")
@click.option("--gateway-port", type=_PORT, default=9080, show_default=True, help="Of the AG-UI gateway.")
@click.option(
    "--health-port", type=_PORT, help="Of /healthz and /readyz.  [default: 4434, or a free one when it is taken]"
)
@click.option("--metrics-port", type=_PORT, help="Of /metrics.  [default: 4433, or a free one when it is taken]")
@click.option(
    "--data-dir", type=click.Path(path_type=Path, file_okay=False), default=Path(".ambient"), show_default=True
)
@click.option("--oidc", metavar="ISSUER", help="Let in the people of this identity provider as well.")
@click.option("--audience", default="ambient", show_default=True, help="What the provider's tokens say in 'aud'.")
@click.option("--client-id", default="", help="Public client of 'ambient login' at the provider.")
@click.pass_obj
def command(invocation: Invocation, /, data_dir: Path, **given: Any) -> None:
    """Start PostgreSQL, the API, the control plane and the AG-UI gateway on this machine; Ctrl-C stops them all."""
    joined = {f"oidc_{name}": given.pop(flag) for name, flag in _JOINED.items()}
    settings = invocation.load().settings
    # Nobody has to know these two beforehand, and the screen names them: a second system needs no flag for them.
    ports = {name: port for name, port in given.items() if port is not None}
    ports = {"health_port": usable_port(4434), "metrics_port": usable_port(4433), **ports}
    options = DevelopmentOptions(
        data_dir=data_dir.resolve(),
        database_url=settings.database_url or None,
        **joined,
        **ports,
    )
    sys.exit(run_development(options))
