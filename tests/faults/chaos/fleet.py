"""Two replicas of the API over one PostgreSQL, each a process with workers, and the ways to hurt them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import psycopg

from ambient_core.embedded.postgres import EmbeddedPostgres
from tests.e2e.conftest import BASE, free_port, wait_for
from tests.faults.chaos.clients import PROJECT

REPLICAS = 2
WORKERS = 2
OPERATOR = "chaos-operator"
"""Application name of the connections that the test itself holds; they are not cut."""


class Fleet:
    """The system under test.

    Args:
        folder: where everything lies.
        mistake: a deliberate one in every API process, by name.
    """

    def __init__(self, folder: Path, mistake: str | None = None) -> None:
        self.folder = folder
        self.token = "token-of-developer"
        self.postgres = EmbeddedPostgres(folder / "postgres", max_connections=100).start()
        self.ports = tuple(free_port() for _ in range(REPLICAS))
        self.log = folder / "api.log"
        self._command = [sys.executable, "-m", "tests.faults.chaos.sabotaged", mistake or "nothing"]
        self._replicas: list[subprocess.Popen[bytes]] = []

    @contextmanager
    def serving(self) -> "Iterator[Fleet]":
        """Migrate, serve, and stop when the block ends."""
        try:
            done = subprocess.run(
                [sys.executable, "-m", "ambient_core", "db", "upgrade"],
                env=self._variables(self.ports[0]),
                capture_output=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            with self.log.open("ab") as log:
                for port in self.ports:
                    command = [*self._command, "serve"]
                    self._replicas.append(subprocess.Popen(command, env=self._variables(port), stdout=log, stderr=log))
            for port in self.ports:
                wait_for(lambda port=port: self._answers(port), f"the API on {port}")  # type: ignore[misc]
            made = httpx.post(f"{self.url(0)}/projects", json={"name": PROJECT}, headers=self.headers, trust_env=False)
            assert made.status_code == 201, made.text
            yield self
        finally:
            for process in self._replicas:
                process.terminate()
            for process in self._replicas:
                process.wait(60)
            self.postgres.stop()
            self.postgres.remove()

    @property
    def headers(self) -> dict[str, str]:
        """Who asks."""
        return {"Authorization": f"Bearer {self.token}"}

    def url(self, replica: int) -> str:
        """The base address of a replica."""
        return f"http://127.0.0.1:{self.ports[replica]}{BASE}"

    def workers(self) -> list[psutil.Process]:
        """Every process that answers requests."""
        found = []
        for replica in self._replicas:
            master = psutil.Process(replica.pid)
            # The process with health and figures has no connection to the database and is the first child.
            found += sorted(master.children(), key=lambda child: child.pid)[1:]
        return found

    def kill_worker(self, number: int) -> None:
        """Kill one worker with -9; its master starts another one."""
        workers = self.workers()
        if workers:
            workers[number % len(workers)].kill()

    @contextmanager
    def frozen(self, number: int) -> Iterator[None]:
        """Stop one worker for as long as the block runs."""
        workers = self.workers()
        chosen = workers[number % len(workers)] if workers else None
        try:
            if chosen is not None:
                chosen.suspend()
            yield
        finally:
            if chosen is not None and chosen.is_running():
                chosen.resume()

    def restart_postgres(self) -> None:
        """Stop PostgreSQL as its operator would, and start it."""
        self.postgres.stop()
        self.postgres.start()

    def crash_postgres(self) -> None:
        """End PostgreSQL without letting it write down anything; it recovers from its log when it starts."""
        os.kill(self.postgres.pid, signal.SIGQUIT)
        wait_for(lambda: self.postgres.poll() is not None, "the end of PostgreSQL")
        self.restart_postgres()

    def cut_connections(self) -> int:
        """Terminate every connection of the API; answers how many there were."""
        with self.operator() as connection:
            found = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND application_name <> %s",
                [OPERATOR],
            ).fetchone()
        return int(found[0]) if found else 0

    def operator(self) -> "psycopg.Connection[tuple[object, ...]]":
        """A connection of the test's own."""
        return psycopg.connect(self.postgres.url, autocommit=True, application_name=OPERATOR)

    def _answers(self, port: int) -> bool:
        try:
            address = f"http://127.0.0.1:{port}{BASE}/projects"
            return httpx.get(address, headers=self.headers, trust_env=False, timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def _variables(self, port: int) -> dict[str, str]:
        tokens = self.folder / f"tokens-{port}"
        tokens.mkdir(parents=True, exist_ok=True)
        for name in ("developer", "control-plane"):
            (tokens / name).write_text(f"token-of-{name}")
            (tokens / name).chmod(0o600)
        own = {
            "PROFILE": "development",
            "DATABASE_URL": self.postgres.url,
            "DEVELOPER_TOKEN_FILE": tokens / "developer",
            "CONTROL_PLANE_TOKEN_FILE": tokens / "control-plane",
            "BIND": f"127.0.0.1:{port}",
            "HEALTH_BIND": f"127.0.0.1:{free_port()}",
            "METRICS_BIND": f"127.0.0.1:{free_port()}",
            "DATA_DIR": self.folder,
            "WORKERS": WORKERS,
            "LOG_LEVEL": "warning",
            # Streams whose reader has hung up hold a worker until they next speak.
            "GRACEFUL_TIMEOUT": 1,
        }
        return {**os.environ, **{f"AMBIENT_{name}": str(value) for name, value in own.items()}}
