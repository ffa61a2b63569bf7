"""What the whole system on one machine is told."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DevelopmentOptions:
    """What ``ambient dev`` was told.

    Args:
        data_dir: where everything is kept.
        database_url: a server of your own instead of the embedded one.
        port: of the API.
        gateway_port: of the AG-UI gateway.
        health_port: of health.
        metrics_port: of figures.
        oidc_issuer: an identity provider whose people are let in beside the developer.
        oidc_audience: what its tokens must say in ``aud``.
        oidc_client: public client there, by which people log in from the command line.
    """

    data_dir: Path
    database_url: str | None = None
    port: int = 8000
    gateway_port: int = 9080
    health_port: int = 4434
    metrics_port: int = 4433
    oidc_issuer: str | None = None
    oidc_audience: str = "ambient"
    oidc_client: str = ""

    @property
    def ports(self) -> dict[str, int]:
        """Each port by the flag that sets it."""
        return {
            "--port": self.port,
            "--gateway-port": self.gateway_port,
            "--health-port": self.health_port,
            "--metrics-port": self.metrics_port,
        }
