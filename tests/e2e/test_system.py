"""The one command: what it prints works, it stops cleanly, and it finds everything again."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from ambient_core.embedded.ports import usable_port
from tests.e2e.conftest import System, free_port, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("system")]


def test_the_printed_lines_work_as_printed(system: System) -> None:
    printed = system.log.read_text().split("Try it in another terminal:")[1]
    lines = [line.strip() for line in printed.splitlines() if line.startswith("  ")][:4]
    assert len(lines) == 4
    done = subprocess.run(["bash", "-c", "\n".join(lines)], capture_output=True, text=True, timeout=100, check=False)
    assert '"type":"RUN_FINISHED"' in done.stdout, done.stdout + done.stderr
    assert '"phase":"Completed"' in done.stdout
    assert "\n# Report\n" in done.stdout


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


def refused(folder: Path, *flags: str) -> str:
    """What the command says when it does not start, in words of ours alone."""
    command = [sys.executable, "-m", "ambient_core", "dev", "--data-dir", str(folder), *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_taken_port_is_named_with_its_flag(system: System, tmp_path: Path) -> None:
    port = system.ports["port"]
    words = refused(tmp_path / "x", "--port", str(port))
    assert (
        f"Port {port} cannot be used (Address already in use); stop what uses it, or choose another with --port"
        in words
    )


def test_a_port_wanted_twice_or_beyond_all_ports_is_named_with_its_flag(tmp_path: Path) -> None:
    port = str(free_port())
    words = refused(tmp_path / "x", "--port", port, "--gateway-port", port)
    assert f"Port {port} is wanted twice, by --port and --gateway-port" in words
    for beyond in ("0", "-1", "65536"):
        assert "Invalid value for '--gateway-port'" in refused(tmp_path / "x", "--gateway-port", beyond)


def test_a_folder_that_cannot_be_used_is_named_with_its_flag(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    words = refused(tmp_path / "file" / "x", "--port", str(free_port()), "--gateway-port", str(free_port()))
    assert f"{tmp_path}/file/x cannot be used (Not a directory)" in words
    assert "--data-dir" in words


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


def test_it_stops_in_order_when_its_terminal_is_closed(own_system: System) -> None:
    assert own_system.process is not None
    own_system.process.send_signal(signal.SIGHUP)
    assert own_system.process.wait(60) == 0
    assert "ambient: stopping" in own_system.log.read_text()
    assert own_system.processes() == []


def test_it_stops_when_nobody_reads_what_it_says(tmp_path: Path) -> None:
    ports = [part for name in ("--port", "--gateway-port") for part in (name, str(free_port()))]
    command = [sys.executable, "-m", "ambient_core", "dev", "--data-dir", str(tmp_path / "data"), *ports]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert any("is ready" in line for line in process.stdout)
        process.stdout.close()
        assert process.wait(60) == 0
        assert process.stderr.read() == ""


def test_a_database_whose_files_were_removed_is_made_anew(own_system: System) -> None:
    own_system.ask("POST", "/projects", json={"name": "gone"})
    own_system.stop()
    elsewhere = own_system.folder / "postgres" / "cluster-folder"
    shutil.rmtree(elsewhere.read_text().strip() if elsewhere.exists() else own_system.folder / "postgres" / "postgres")
    own_system.start()
    assert own_system.ask("GET", "/projects/gone").status_code == 404


def test_the_server_runs_as_somebody_without_rights(system: System) -> None:
    assert system.process is not None
    # Its own children, which stay: elsewhere on the machine servers of other tests end while one looks at them.
    children = psutil.Process(system.process.pid).children()
    owners = {child.uids().real for child in children if child.name() == "postgres"}
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
