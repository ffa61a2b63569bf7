"""The whole system in one command: PostgreSQL, API, control plane, gateway, a project and a token."""

import hashlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from ambient_core.embedded.demo import PROJECT, make_demo_repository, welcome
from ambient_core.embedded.options import DevelopmentOptions
from ambient_core.embedded.ports import check_ports
from ambient_core.embedded.postgres import EmbeddedPostgres
from ambient_core.embedded.screen import Screen
from ambient_core.errors import SetupError
from ambient_core.plugins import installed
from ambient_core.secrets.keyring import new_keyring
from ambient_core.serving.process import StopSignal, ends_with_parent

READY_DEADLINE = 60.0
STOP_DEADLINE = 40.0
_PAUSE = 0.05
_LAST_LINES = 15


class Child:
    """A process of ours whose lines are shown with its name.

    Args:
        name: shown before each line.
        arguments: of ``python -m ambient_core``.
        environment: what it gets.
        show: takes a line.
    """

    def __init__(
        self, name: str, arguments: list[str], environment: Mapping[str, str], show: Callable[[str], None]
    ) -> None:
        self.name = name
        self.lines: list[str] = []
        self._show = show
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "ambient_core", *arguments],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # Ctrl-C must reach us alone; we stop the children in our order.
            start_new_session=True,
            preexec_fn=ends_with_parent(signal.SIGTERM),  # noqa: PLW1509
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def stop(self) -> None:
        """Ask it to end, and make sure."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._reader.join(2)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines = [*self.lines[-_LAST_LINES:], line.rstrip()]
            self._show(f"{self.name:13} | {line.rstrip()}")


class System:
    """Everything that ``ambient dev`` starts.

    Args:
        options: what it was told.
        show: takes a line for the screen.
        stopping: set when the start shall be given up.
    """

    def __init__(self, options: DevelopmentOptions, show: Callable[[str], None], stopping: StopSignal) -> None:
        self.options = options
        self._show = show
        self._stopping = stopping
        self._postgres: EmbeddedPostgres | None = None
        self.children: list[Child] = []

    def start(self) -> None:
        """Start all, in order; returns when requests are answered.

        Raises:
            SetupError: something is in the way; says what and how to change it.
        """
        check_ports(self.options.ports)
        folder = self.options.data_dir
        with _usable(folder):
            folder.mkdir(mode=0o711, parents=True, exist_ok=True)
            environment = self._environment(self._database())
            self._upgrade(environment)
            # For the API alone: nobody else opens a secret.
            keyed = {"AMBIENT_KEYRING_FILE": str(self.keyring()), **environment}
        self.children.append(Child("api", ["serve"], keyed, self._show))
        self.children.append(Child("control-plane", ["controlplane", "run"], environment, self._show))
        self._wait_ready()
        self._wait_listening(self.options.gateway_port)
        self._make_project()
        with _usable(folder):
            make_demo_repository(folder / "demo-repository")

    def stop(self) -> None:
        """Stop all, the last first."""
        if self.children:
            self._show("ambient: stopping")
        for child in reversed(self.children):
            child.stop()
        if self._postgres is not None:
            self._postgres.stop()

    def ended(self) -> str | None:
        """What ended by itself, with its last words; ``None`` while all run."""
        for child in self.children:
            if (status := child.process.poll()) is not None:
                return f"{child.name} ended with status {status}:\n" + "\n".join(child.lines)
        if self._postgres is not None and (status := self._postgres.poll()) is not None:
            return f"PostgreSQL ended with status {status}; see {self.options.data_dir / 'postgres' / 'postgres.log'}"
        return None

    def token(self, name: str) -> Path:
        """The file of a token, made at the first start."""
        path = self.options.data_dir / "tokens" / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        return kept(path, lambda: secrets.token_urlsafe(32))

    def keyring(self) -> Path:
        """The file of the keyring, made at the first start."""
        return kept(self.options.data_dir / "keyring", new_keyring)

    def _database(self) -> str:
        if self.options.database_url:
            return self.options.database_url
        self._postgres = EmbeddedPostgres(self.options.data_dir / "postgres").start()
        return self._postgres.url

    def _upgrade(self, environment: Mapping[str, str]) -> None:
        """Bring the database up to date; a database of ours that has seen these very migrations needs no second look."""
        # It lies among the database's own files: who removes those, removes what is known of them.
        note = self._postgres.cluster / "ambient-migrations" if self._postgres is not None else None
        fingerprint = migrations_fingerprint()
        if note is not None and note.exists() and note.read_text() == fingerprint:
            return
        command = [sys.executable, "-m", "ambient_core", "db", "upgrade"]
        done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            raise SetupError(f"The database could not be brought up to date: {(done.stderr or done.stdout).strip()}")
        if note is not None and ": failed: " not in done.stdout:
            note.write_text(fingerprint)

    def _environment(self, database_url: str) -> dict[str, str]:
        options = self.options
        joined = {
            "AMBIENT_OIDC_ISSUER": options.oidc_issuer,
            "AMBIENT_OIDC_AUDIENCE": options.oidc_audience,
            "AMBIENT_OIDC_LOGIN_CLIENT": options.oidc_client,
        }
        inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        return {
            **inherited,
            "AMBIENT_PROFILE": "development",
            "AMBIENT_DATABASE_URL": database_url,
            "AMBIENT_DEVELOPER_TOKEN_FILE": str(self.token("developer")),
            "AMBIENT_CONTROL_PLANE_TOKEN_FILE": str(self.token("control-plane")),
            "AMBIENT_BIND": f"127.0.0.1:{options.port}",
            "AMBIENT_GATEWAY_BIND": f"127.0.0.1:{options.gateway_port}",
            "AMBIENT_HEALTH_BIND": f"127.0.0.1:{options.health_port}",
            "AMBIENT_METRICS_BIND": f"127.0.0.1:{options.metrics_port}",
            "AMBIENT_API_URL": f"http://127.0.0.1:{options.port}",
            "AMBIENT_GATEWAY_URL": f"http://127.0.0.1:{options.gateway_port}",
            "AMBIENT_DATA_DIR": str(options.data_dir),
            "AMBIENT_LOG_FORMAT": os.environ.get("AMBIENT_LOG_FORMAT", "text"),
            "PYTHONUNBUFFERED": "1",
            **{name: value for name, value in joined.items() if options.oidc_issuer and value},
        }

    def _wait_ready(self) -> None:
        url = f"http://127.0.0.1:{self.options.health_port}/readyz"

        def ready() -> bool:
            try:
                answer = httpx.get(url, timeout=5, trust_env=False)
            except httpx.TransportError:
                return False
            return answer.status_code == 200

        self._wait(ready, "The API")
        self._wait_listening(self.options.port)

    def _wait_listening(self, port: int) -> None:
        def listening() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        self._wait(listening, f"Port {port}")

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + READY_DEADLINE
        while not condition():
            if (words := self.ended()) is not None:
                raise SetupError(words)
            if time.monotonic() > deadline:
                raise SetupError(f"{what} did not answer within {READY_DEADLINE:g} seconds.")
            if self._stopping.wait(_PAUSE):
                raise SetupError("The start was given up.")

    def _make_project(self) -> None:
        headers = {"Authorization": f"Bearer {self.token('developer').read_text().strip()}"}
        url = f"http://127.0.0.1:{self.options.port}/api/ambient/v1/projects"
        answer = httpx.post(
            url, json={"name": PROJECT, "display_name": "Demo"}, headers=headers, timeout=30, trust_env=False
        )
        if answer.status_code not in (201, 409):
            raise SetupError(f"The project could not be made: {answer.text[:300]}")


def kept(path: Path, new: Callable[[], str]) -> Path:
    """A secret file, made when it is not there."""
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(new() + "\n")
    return path


def migrations_fingerprint() -> str:
    """Changes whenever a migration of the core or of an installed plugin does."""
    found = hashlib.sha256()
    folders = [Path(__file__).parents[1] / "migrations" / "versions"]
    folders += [folder for source in installed() if (folder := source.migrations) is not None]
    for folder in folders:
        for file in sorted(folder.glob("*.py")):
            found.update(f"{folder.parent.name}/{file.name}\0".encode() + file.read_bytes())
    return found.hexdigest()


def run_development(options: DevelopmentOptions) -> int:
    """Start the whole system and keep it until a signal says stop, or nobody sees it any more; answers the exit status."""
    # Who closes the terminal wants an end too, and gets one in our order.
    stopping = StopSignal(signal.SIGHUP)
    screen = Screen()
    system = System(options, screen.show, stopping)
    try:
        system.start()
        screen.show(welcome(options, system.token("developer")))
        while not stopping.wait(0.2) and not screen.is_gone():
            if (words := system.ended()) is not None:
                screen.show(f"ambient: {words}")
                return 1
        return 0
    finally:
        system.stop()


@contextmanager
def _usable(folder: Path) -> Iterator[None]:
    """Say in our words what the machine has against this folder."""
    try:
        yield
    except OSError as fault:
        what = f"{fault.filename or folder} cannot be used ({fault.strerror})"
        raise SetupError(f"{what}; make it usable, or choose another folder with --data-dir.") from fault
