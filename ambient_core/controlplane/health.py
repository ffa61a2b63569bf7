"""/healthz, /readyz and /metrics of the control plane, from a thread beside the loop."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from ambient_core.config import Settings
from ambient_core.plugins import Plugins
from ambient_core.serving.health import Readiness, checks_of, server

_GAUGES = {
    "leader": "Whether this process leads.",
    "fence": "Number of this process as the leader; 0 while it is not.",
    "keys": "Objects in the queue.",
    "depth": "Objects in the queue that are due and that nobody works on.",
    "working": "Objects that are being worked on.",
    "failing": "Objects whose last look failed.",
    "lag_seconds": "How late the latest due object is.",
    "oldest_seconds": "How long the oldest failing object is in the queue.",
    "failures_total": "Looks that failed in this term.",
}


def serve_health(settings: Settings, plugins: Plugins, figures: Callable[[], Mapping[str, Any]] = dict) -> Readiness:
    """Serve health and figures where the settings say, until the process ends; nothing is served when they say nothing.

    Args:
        settings: of the core.
        plugins: what must be migrated.
        figures: of the loop.

    Returns:
        what `/readyz` answers from; set ``draining`` when the process is asked to stop.

    Raises:
        SetupError: the address cannot be used.
    """
    readiness = Readiness(checks_of(settings, plugins), dict)
    if settings.control_plane_health_bind:
        routes = {
            "/healthz": lambda: (200, "application/json", b'{"alive":true}'),
            "/readyz": readiness.answer,
            "/metrics": lambda: (200, "text/plain; version=0.0.4; charset=utf-8", exposition(figures())),
        }
        serving = server(settings.control_plane_health_bind, "control_plane_health_bind", routes)
        threading.Thread(target=serving.serve_forever, name="health", daemon=True).start()
    return readiness


def exposition(figures: Mapping[str, Any]) -> bytes:
    """The loop's figures in Prometheus' text format; zero where this process does not lead."""
    registry = CollectorRegistry()
    for name, text in _GAUGES.items():
        Gauge(f"ambient_controlplane_{name}", text, registry=registry).set(float(figures.get(name, 0)))
    return bytes(generate_latest(registry))
