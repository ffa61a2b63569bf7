"""Ways to serve: our application under several servers, unmodified, and the hand-written reference in its two forms."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from tests.bench.database import Rows
from tests.e2e.conftest import BASE, free_port, wait_for

TOKEN = secrets.token_urlsafe(24)
WORKERS = 2
CONNECTIONS = 32
"""Clients at once, and database connections of all workers together."""
_POOL = CONNECTIONS // WORKERS


@dataclass(frozen=True, slots=True)
class Way:
    """One way to serve.

    Args:
        name: as it is printed.
        command: its arguments; ``{port}``, ``{workers}`` and ``{pool}`` are filled in.
        environment: what it needs beside the common settings.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]


def _ours(name: str, *command: str) -> Way:
    return Way(name, command, {})


def _reference(name: str, form: str) -> Way:
    command = ("uvicorn", "tests.bench.reference.app:app", "--port", "{port}", "--workers", "{workers}")
    return Way(name, (*command, "--no-access-log", "--log-level", "warning"), {"REFERENCE_FORM": form})


_GRANIAN = ("granian", "--interface", "wsgi", "--factory", "tests.bench.factory:make", "--port", "{port}")
_GUNICORN = ("gunicorn", "tests.bench.factory:make()", "--bind", "127.0.0.1:{port}", "--workers", "{workers}")
WAYS = {
    way.name: way
    for way in (
        _ours("serve", "ambient_core", "serve"),
        _ours("gunicorn gevent", *_GUNICORN, "--worker-class", "gevent"),
        _ours("gunicorn gthread", *_GUNICORN, "--worker-class", "gthread", "--threads", "{pool}"),
        _ours("granian", *_GRANIAN, "--workers", "{workers}", "--blocking-threads", "{pool}", "--log-level", "warning"),
        _reference("reference", "plain"),
        _reference("reference, logged", "logged"),
    )
}


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers.

    Args:
        way: how it serves.
        port: where.
        process: its first process.
    """

    way: Way
    port: int
    process: psutil.Process

    def memory(self) -> list[float]:
        """MiB resident in each process that answers: the largest ones, one per worker."""
        family = [self.process, *self.process.children(recursive=True)]
        sizes = sorted((member.memory_info().rss / 2**20 for member in family), reverse=True)
        return sizes[:WORKERS]


@contextmanager
def serving(rows: Rows, way: Way, workers: int = WORKERS) -> Iterator[Served]:
    """Serve a database in one way, until the block ends."""
    port = free_port()
    words = {"port": str(port), "workers": str(workers), "pool": str(_POOL)}
    command = [sys.executable, "-m", *(part.format(**words) for part in way.command)]
    with (rows.folder / f"{way.name}.log").open("ab") as log:
        process = subprocess.Popen(command, env=_environment(rows, way, port, workers), stdout=log, stderr=log)
    try:
        wait_for(lambda: _answers(port) or process.poll() is not None, way.name)
        if process.poll() is not None:
            raise SystemExit(f"{way.name} did not start: {(rows.folder / f'{way.name}.log').read_text()[-2000:]}")
        yield Served(way, port, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(60)


def _answers(port: int) -> bool:
    try:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        address = f"http://127.0.0.1:{port}{BASE}/skills?size=1"
        return httpx.get(address, headers=headers, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _environment(rows: Rows, way: Way, port: int, workers: int) -> dict[str, str]:
    own = {
        "PROFILE": "development",
        "DATABASE_URL": rows.url,
        "DEVELOPER_TOKEN_FILE": _token_file(rows.folder, "developer", TOKEN),
        "CONTROL_PLANE_TOKEN_FILE": _token_file(rows.folder, "control-plane", TOKEN[::-1]),
        "BIND": f"127.0.0.1:{port}",
        "HEALTH_BIND": f"127.0.0.1:{free_port()}",
        "METRICS_BIND": f"127.0.0.1:{free_port()}",
        "WORKERS": workers,
        "POOL_SIZE": _POOL,
        "LOG_LEVEL": "warning",
    }
    reference = {"REFERENCE_DATABASE": rows.url, "REFERENCE_POOL": str(_POOL), "REFERENCE_TOKEN": TOKEN}
    return {
        **os.environ,
        **{f"AMBIENT_{name}": str(value) for name, value in own.items()},
        **reference,
        **way.environment,
    }


def _token_file(folder: Path, name: str, token: str) -> Path:
    path = folder / name
    path.write_text(token)
    path.chmod(0o600)
    return path
