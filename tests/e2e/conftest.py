"""The whole system, started as a person starts it."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

BASE = "/api/ambient/v1"
TERMINAL = {"Completed", "Failed", "Stopped"}


def free_port() -> int:
    """A port that nobody has, and that the kernel gives to no connection on its way out before it is listened on."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not come within {seconds} seconds"
        time.sleep(0.05)
    return found


class System:
    """``ambient dev`` as a process, and a client of it."""

    def __init__(self, folder: Path, *flags: str, **environment: str) -> None:
        self.folder = folder
        self.flags = flags
        self.environment = environment
        self.ports = {name: free_port() for name in ("port", "gateway-port", "health-port", "metrics-port")}
        self.process: subprocess.Popen[str] | None = None
        self.log = folder.parent / f"{folder.name}.log"

    def start(self) -> "System":
        flags = [part for name, port in self.ports.items() for part in (f"--{name}", str(port))]
        command = [sys.executable, "-m", "ambient_core", "dev", "--data-dir", str(self.folder), *flags, *self.flags]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, text=True, env={**os.environ, **self.environment}
            )
        wait_for(lambda: "is ready" in self.log.read_text() or self.process.poll() is not None, "the start", 120)
        assert "is ready" in self.log.read_text(), self.log.read_text()
        return self

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.ports['port']}{BASE}"

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{self.ports['gateway-port']}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {(self.folder / 'tokens' / 'developer').read_text().strip()}"}

    @property
    def repository(self) -> str:
        return f"file://{self.folder / 'demo-repository'}"

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        return httpx.request(method, self.api + path, headers=headers, timeout=30, trust_env=False, **options)

    def session(self, **fields: Any) -> str:
        """Make a session over the demo repository and start it."""
        body = {"name": "test", "project_id": "demo", "repo_url": self.repository, **fields}
        made = self.ask("POST", "/sessions", json={name: value for name, value in body.items() if value is not None})
        assert made.status_code == 201, made.text
        assert self.ask("POST", f"/sessions/{made.json()['id']}/start").status_code == 200
        return str(made.json()["id"])

    def row(self, session: str) -> dict[str, Any]:
        return dict(self.ask("GET", f"/sessions/{session}").json())

    def until(self, session: str, *phases: str, seconds: float = 60) -> dict[str, Any]:
        def reached() -> dict[str, Any] | None:
            try:
                row = self.row(session)
            except httpx.TransportError:
                return None
            return row if row.get("phase") in phases else None

        return dict(wait_for(reached, f"{session} {phases}", seconds))

    def reason(self, row: dict[str, Any]) -> str:
        return str(row["conditions"][0]["reason"])

    def workspace(self, session: str) -> Path:
        return self.folder / "sessions" / session / "workspace"

    def state(self, session: str) -> dict[str, Any]:
        return dict(json.loads((self.folder / "sessions" / session / "state.json").read_text()))

    def processes(self, *words: str) -> list[psutil.Process]:
        """Our processes, runners too, whose command line or folder has all these words."""
        found = []
        for process in psutil.process_iter():
            try:
                given = process.environ()
                folders = [given.get(name, "") for name in ("AMBIENT_DATA_DIR", "WORKSPACE_PATH")]
                line = " ".join([*process.cmdline(), *folders])
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue
            if str(self.folder) in line and all(word in line for word in words):
                found.append(process)
        return found

    def events(self, session: str, path: str = "events", **options: Any) -> list[dict[str, Any]]:
        """All events of a stream, until it ends."""
        url = f"{self.gateway}/sessions/{session}/agui/{path}"
        found = []
        with httpx.stream(
            options.pop("method", "GET"), url, headers=self.headers, timeout=60, trust_env=False, **options
        ) as answer:
            assert answer.status_code == 200, answer.read()
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    found.append(json.loads(line[6:]))
        return found


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One system for all tests that leave it standing."""
    started = System(tmp_path_factory.mktemp("system") / "data").start()
    yield started
    assert started.stop() == 0


@pytest.fixture
def own_system(tmp_path: Path) -> Iterator[System]:
    """A system for a test that breaks it."""
    started = System(tmp_path / "data").start()
    yield started
    if started.process is not None and started.process.poll() is None:
        started.stop()
