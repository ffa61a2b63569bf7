"""The one command: what it prints works, it stops cleanly, and it finds everything again."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from ambient_core.embedded.system import usable_port
from tests.e2e.conftest import System, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("system")]


def test_the_printed_lines_work_as_printed(system: System) -> None:
    printed = system.log.read_text().split("Try it in another terminal:")[1]
    lines = [line.strip() for line in printed.splitlines() if line.startswith("  ")][:4]
    assert len(lines) == 4
    script = "\n".join([*lines[:3], "sleep 2", lines[3]])
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=100, check=False)
    assert '"type":"RUN_FINISHED"' in done.stdout, done.stdout + done.stderr
    assert "# Report" in done.stdout


def test_health_readiness_and_figures_answer(system: System) -> None:
    system.ask("GET", "/projects")
    health, metrics = (f"http://127.0.0.1:{system.ports[name]}" for name in ("health-port", "metrics-port"))
    assert httpx.get(f"{health}/healthz", trust_env=False).json() == {"alive": True}
    readiness = httpx.get(f"{health}/readyz", trust_env=False).json()
    assert set(readiness.pop("change_log")) == {"lag_seconds", "oldest_write_transaction_seconds", "unseen"}
    assert readiness == {
        "ready": True,
        "checks": {"database": "ok", "migrations": "ok"},
        "plugins_set_aside": {},
    }
    text = httpx.get(f"{metrics}/metrics", trust_env=False).text
    assert 'ambient_http_requests_total{method="GET",route="/api/ambient/v1/projects",status="200"}' in text


def test_the_contract_and_its_page_need_no_token(system: System) -> None:
    assert httpx.get(f"{system.api}/openapi", trust_env=False).json()["openapi"] == "3.0.3"
    page = httpx.get(f"{system.api}/openapi.html", trust_env=False)
    assert page.headers["Content-Type"].startswith("text/html")
    assert not re.search(r"https?://(?!www\.w3)", page.text)


def test_two_systems_do_not_disturb_each_other_and_one_starts_again(system: System, own_system: System) -> None:
    own_system.ask("POST", "/projects", json={"name": "mine"})
    assert system.ask("GET", "/projects/mine").status_code == 404
    token = own_system.headers
    assert own_system.stop() == 0
    assert own_system.processes() == []
    own_system.start()
    assert own_system.headers == token
    assert own_system.ask("GET", "/projects/mine").status_code == 200


def test_a_taken_port_is_named_with_its_flag(system: System, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "ambient_core",
        "dev",
        "--port",
        str(system.ports["port"]),
        "--data-dir",
        str(tmp_path / "x"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"Port {system.ports['port']} cannot be used (Address already in use)" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_nobody_asked_for_gives_way() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        other = usable_port(port)
    assert other != port
    assert usable_port(other) == other


def test_everything_ends_when_the_command_is_killed(own_system: System) -> None:
    assert own_system.process is not None
    children = psutil.Process(own_system.process.pid).children(recursive=True)
    assert len(children) > 5
    own_system.process.kill()
    own_system.process.wait()
    wait_for(
        lambda: not any(c.is_running() and c.status() != psutil.STATUS_ZOMBIE for c in children),
        "the end of the children",
        60,
    )


def test_the_server_runs_as_somebody_without_rights(system: System) -> None:
    servers = [
        p
        for p in psutil.process_iter()
        if ("postgres" in p.name() and str(system.folder) in " ".join(p.cmdline())) or False
    ]
    owners = {p.uids().real for p in servers} or {
        p.uids().real for p in psutil.Process(system.process.pid).children() if p.name() == "postgres"
    }
    assert owners
    assert 0 not in owners


def test_a_killed_control_plane_finds_the_running_sessions_again(own_system: System) -> None:
    system = own_system
    session = system.session()
    system.until(session, "Running")
    before = system.state(session)
    plane = next(p for p in system.processes("controlplane", "run") if "--no-reconcile" not in p.cmdline())
    runner = psutil.Process(before["pid"])
    os.kill(plane.pid, signal.SIGKILL)
    assert system.process is not None
    system.process.wait(60)
    assert runner.is_running()
    system.start()
    assert system.row(session)["phase"] == "Running"
    assert system.state(session) == before
    system.ask("POST", f"/sessions/{session}/messages", json={"payload": "Still there?"})
    wait_for(lambda: system.row(session).get("run_state") == "finished", "a run after the restart")
    system.ask("DELETE", f"/sessions/{session}")
    wait_for(lambda: not runner.is_running() or runner.status() == psutil.STATUS_ZOMBIE, "the runner's end")
