"""/healthz and /readyz of the control plane, from a thread beside the loop."""

import threading

from ambient_core.config import Settings
from ambient_core.health import Readiness, checks_of, server
from ambient_core.plugins import Plugins


def serve_health(settings: Settings, plugins: Plugins) -> Readiness:
    """Serve health where the settings say, until the process ends; nothing is served when they say nothing.

    Returns:
        what `/readyz` answers from; set ``draining`` when the process is asked to stop.

    Raises:
        SetupError: the address cannot be used.
    """
    readiness = Readiness(checks_of(settings, plugins), dict)
    if settings.control_plane_health_bind:
        routes = {"/healthz": lambda: (200, "application/json", b'{"alive":true}'), "/readyz": readiness.answer}
        serving = server(settings.control_plane_health_bind, "control_plane_health_bind", routes)
        threading.Thread(target=serving.serve_forever, name="health", daemon=True).start()
    return readiness
