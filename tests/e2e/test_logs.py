"""What a runner wrote, and why a session stands where it stands, asked of the API and of the gateway."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest
from ambient_sdk import AmbientClient, NotFound

from tests.e2e.conftest import System, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("system")]
SPEAK = '{"event_type": "user", "payload": "Look."}'


def client_of(system: System) -> AmbientClient:
    return AmbientClient(
        f"http://127.0.0.1:{system.ports['port']}", (system.folder / "tokens" / "developer").read_text().strip()
    )


def test_the_log_is_the_same_at_both_addresses_and_streams_until_the_runner_ends(system: System) -> None:
    session = system.session()
    system.until(session, "Running")
    log = system.folder / "sessions" / session / "runner.log"
    wait_for(lambda: log.exists() and log.read_text().count("\n") > 1, "two lines of the log")
    whole = system.ask("GET", f"/sessions/{session}/logs")
    gateway = httpx.get(f"{system.gateway}/sessions/{session}/logs", headers=system.headers, trust_env=False)
    assert (whole.status_code, gateway.status_code) == (200, 200)
    assert whole.headers["Content-Type"].startswith("text/plain")
    assert gateway.text.startswith(whole.text)
    assert system.ask("GET", f"/sessions/{session}/logs?tail=1").text.count("\n") == 1
    with client_of(system) as client:
        lines = client.sessions.logs(session, follow=True)
        assert next(lines) == whole.text.splitlines()[0]
        system.ask("POST", f"/sessions/{session}/stop")
        assert list(lines)[-1] == system.ask("GET", f"/sessions/{session}/logs?tail=1").text.strip()
    assert system.row(session)["phase"] in ("Stopping", "Stopped")


def test_a_log_is_refused_to_the_session_itself_and_for_parameters_that_mean_nothing(system: System) -> None:
    session = system.session()
    system.until(session, "Running")
    environment = psutil.Process(system.state(session)["pid"]).environ()
    own = {"Authorization": f"Bearer {Path(environment['AMBIENT_SESSION_TOKEN_FILE']).read_text()}"}
    assert system.ask("GET", f"/sessions/{session}/logs", headers=own).status_code == 403
    for query in ("tail=-1", "tail=x", "since=yesterday", "follow=maybe", "lines=3"):
        assert system.ask("GET", f"/sessions/{session}/logs?{query}").status_code == 400, query
    with client_of(system) as client, pytest.raises(NotFound):
        list(client.sessions.logs("nope"))
    system.ask("DELETE", f"/sessions/{session}")


def test_a_session_that_was_never_started_has_an_empty_log(system: System) -> None:
    session = system.ask("POST", "/sessions", json={"name": "s", "project_id": "demo"}).json()["id"]
    assert system.ask("GET", f"/sessions/{session}/logs").text == ""


def test_a_session_that_failed_explains_itself_in_a_shell(system: System) -> None:
    session = system.session(repo_url=None, repos=[{"url": system.repository, "branch": "nowhere"}])
    system.until(session, "Failed")

    def text() -> str:
        command = [sys.executable, "-m", "ambient_core", "explain", "session", session]
        token = system.headers["Authorization"].split()[1]
        own = {"AMBIENT_TOKEN": token, "AMBIENT_API_URL": f"http://127.0.0.1:{system.ports['port']}"}
        return subprocess.run(command, env={**os.environ, **own}, capture_output=True, text=True, check=True).stdout

    wait_for(lambda: "supervisor  Cloning:" in text(), "what the control plane wrote down")
    shown = text()
    assert "is Failed since" in shown
    assert "person:developer did start" in shown
    assert "CloneFailed: git could not clone" in shown
    assert "supervisor  Cloning:" in shown
