"""The system in parts, so that a test can kill one of them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from ambient_core.embedded.postgres import EmbeddedPostgres
from ambient_core.secrets.keyring import new_keyring
from tests.e2e.conftest import System, wait_for


class Parts(System):
    """PostgreSQL, API and gateway as processes of their own; the control plane only when a test starts it."""

    def __init__(self, folder: Path, postgres: EmbeddedPostgres) -> None:
        super().__init__(folder)
        self.postgres = postgres
        self.parts: dict[str, subprocess.Popen[bytes]] = {}
        self.variables = self._variables()

    def _variables(self) -> dict[str, str]:
        tokens = self.folder / "tokens"
        tokens.mkdir(parents=True)
        for name in ("developer", "control-plane"):
            (tokens / name).write_text(f"token-of-{name}")
            (tokens / name).chmod(0o600)
        api, gateway = (f"127.0.0.1:{self.ports[name]}" for name in ("port", "gateway-port"))
        own = {
            "PROFILE": "development",
            "DATABASE_URL": self.postgres.url,
            "DEVELOPER_TOKEN_FILE": str(tokens / "developer"),
            "CONTROL_PLANE_TOKEN_FILE": str(tokens / "control-plane"),
            "BIND": api,
            "GATEWAY_BIND": gateway,
            "HEALTH_BIND": f"127.0.0.1:{self.ports['health-port']}",
            "METRICS_BIND": f"127.0.0.1:{self.ports['metrics-port']}",
            "API_URL": f"http://{api}",
            "GATEWAY_URL": f"http://{gateway}",
            "DATA_DIR": str(self.folder),
            "KEYRING": new_keyring(),
        }
        return {**os.environ, **{f"AMBIENT_{name}": value for name, value in own.items()}}

    def spawn(self, name: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a part; its log is beside the data folder."""
        with self.log.open("ab") as log:
            self.parts[name] = subprocess.Popen(
                [sys.executable, "-m", *arguments], env=self.variables, stdout=log, stderr=log
            )
        return self.parts[name]

    def start(self) -> "Parts":
        done = subprocess.run(
            [sys.executable, "-m", "ambient_core", "db", "upgrade"],
            env=self.variables,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        self.spawn("api", "ambient_core", "serve")
        self.spawn("gateway", "ambient_core", "controlplane", "run", "--no-reconcile")
        wait_for(lambda: self.answers(self.api + "/projects") and self.answers(self.gateway), "the API and the gateway")
        assert self.ask("POST", "/projects", json={"name": "demo"}).status_code == 201
        return self

    def answers(self, url: str) -> bool:
        try:
            return httpx.get(url, headers=self.headers, trust_env=False, timeout=5).status_code < 500
        except httpx.TransportError:
            return False

    @contextmanager
    def control_plane(self, ahead: float = 0) -> "Iterator[subprocess.Popen[bytes]]":
        """A control plane that ends with the block, unless the test has killed it.

        Args:
            ahead: seconds by which its host's clock is wrong.
        """
        program = ("tests.wrong_clock", str(ahead)) if ahead else ("ambient_core",)
        process = self.spawn("control-plane", *program, "controlplane", "run", "--no-gateway")
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)

    def workers(self, part: str) -> list[psutil.Process]:
        """The processes that answer requests of a part: those that its master forked."""
        master = psutil.Process(self.parts[part].pid)
        return [child for child in master.children() if words_of(child) == master.cmdline()]

    def stop(self) -> int:
        for process in reversed(self.parts.values()):
            process.terminate()
        return sum(abs(process.wait(60)) for process in self.parts.values())


def words_of(process: psutil.Process) -> list[str]:
    """Its command line; none when it has just ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    folder = tmp_path_factory.mktemp("parts")
    postgres = EmbeddedPostgres(folder / "postgres", max_connections=100).start()
    made = Parts(folder / "data", postgres).start()
    repository = folder / "repository"
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]
    repository.mkdir()
    (repository / "README.md").write_text("# Read me\n")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], cwd=repository, check=True)
    (made.folder / "demo-repository").symlink_to(repository)
    yield made
    made.stop()
    postgres.stop()
    postgres.remove()
