"""29: the server is killed after the commit and before the answer; the client repeats, and gets the first result."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import BASE, free_port, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def dying(database_url: str, tokens: dict[str, Path], tmp_path: Path) -> Iterator[httpx.Client]:
    ports = {name: free_port() for name in ("BIND", "HEALTH_BIND", "METRICS_BIND")}
    own = {
        "PROFILE": "development",
        "DATABASE_URL": database_url,
        "DEVELOPER_TOKEN_FILE": tokens["developer"],
        "CONTROL_PLANE_TOKEN_FILE": tokens["control-plane"],
        "WORKERS": 1,
        **{name: f"127.0.0.1:{port}" for name, port in ports.items()},
    }
    environment = {**os.environ, **{f"AMBIENT_{name}": str(value) for name, value in own.items()}}
    command = [sys.executable, "-m", "tests.faults.dying", str(tmp_path / "died")]
    process = subprocess.Popen(command, env=environment)
    headers = {"Authorization": f"Bearer {tokens['developer'].read_text()}"}
    with httpx.Client(
        base_url=f"http://127.0.0.1:{ports['BIND']}{BASE}", headers=headers, trust_env=False, timeout=30
    ) as client:
        wait_for(lambda: answers(client), "the API")
        yield client
    process.terminate()
    process.wait(60)


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/users").status_code == 200
    except httpx.TransportError:
        return False


def test_29_a_client_that_heard_nothing_repeats_and_gets_the_first_result(dying: httpx.Client, tmp_path: Path) -> None:
    body, headers = {"username": "once", "name": "Once"}, {"Idempotency-Key": "lost-answer"}
    with pytest.raises(httpx.TransportError):
        dying.post("/users", json=body, headers=headers)
    assert (tmp_path / "died").exists()
    wait_for(lambda: answers(dying), "the next worker")
    again: Any = dying.post("/users", json=body, headers=headers)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    found = dying.get("/users?search=username = 'once'").json()
    assert [item["id"] for item in found["items"]] == [again.json()["id"]]
    assert dying.post("/users", json=body).status_code == 409
