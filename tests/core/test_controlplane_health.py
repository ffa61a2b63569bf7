"""The control plane's health: what a cluster asks before it sends anybody there."""

import socket
from dataclasses import replace

import httpx
import pytest

from ambient_core.config import Settings
from ambient_core.controlplane.health import serve_health
from ambient_core.errors import SetupError
from ambient_core.plugins import Plugins

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def ask(address: str, path: str) -> httpx.Response:
    return httpx.get(f"http://{address}{path}", trust_env=False, timeout=10)


def test_it_is_ready_until_it_drains_and_alive_all_the_time(
    settings: Settings, plugins: Plugins, database_url: str
) -> None:
    address = free_address()
    readiness = serve_health(replace(settings, database_url=database_url, control_plane_health_bind=address), plugins)
    assert ask(address, "/readyz").json() == {"ready": True, "checks": {"database": "ok", "migrations": "ok"}}
    readiness.draining = True
    assert ask(address, "/readyz").status_code == 503
    assert ask(address, "/healthz").status_code == 200


def test_it_is_not_ready_without_its_database(settings: Settings, plugins: Plugins) -> None:
    address = free_address()
    serve_health(replace(settings, database_url=NOWHERE, control_plane_health_bind=address), plugins)
    answer = ask(address, "/readyz")
    assert (answer.status_code, answer.json()["checks"]["database"]) == (503, "does not answer.")
    assert ask(address, "/healthz").status_code == 200


def test_an_address_that_is_taken_is_named(settings: Settings, plugins: Plugins) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SetupError, match="control_plane_health_bind"):
            serve_health(replace(settings, database_url=NOWHERE, control_plane_health_bind=address), plugins)


def test_nothing_is_served_where_nothing_is_said(settings: Settings, plugins: Plugins) -> None:
    assert (
        serve_health(replace(settings, database_url=NOWHERE, control_plane_health_bind=""), plugins).draining is False
    )
