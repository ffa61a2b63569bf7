"""Runtime ``local``: one supervised process a session, on this machine."""

import fcntl
import importlib.util
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ambient_sessions.runtimes import Happening, LaunchOrder, LogsWanted, Observed, Target, Waiting
from ambient_sessions.runtimes.environment import Place, cloned, environment, preparation
from ambient_sessions.runtimes.local_log import read_log
from ambient_sessions.runtimes.local_watch import Watcher, is_locked
from ambient_sessions.settings import SessionsSettings

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
# What a program needs of the machine to find other programs, hosts and certificates; nothing of ours is among it.
_MACHINE = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)
_GIT = ("GIT_SSL_CAINFO", "SSH_AUTH_SOCK")


class LocalRuntime:
    """Runs sessions as processes.

    A session's folder says all: its supervisor holds the lock of ``lock`` and writes ``state.json``; ``spec.json`` is what
    it was asked for.

    Args:
        folder: where each session has a folder of its own.
        settings: of the sessions plugin.
    """

    name = "local"

    def __init__(self, folder: Path, settings: SessionsSettings) -> None:
        self._folder = folder
        self._settings = settings
        self._watcher: Watcher | None = None

    def start(self, wake: Callable[[str], None]) -> None:
        """Look at the folders all the time, and tell whose supervisor wrote something or ended."""
        self._watcher = Watcher(self._folder, wake)
        self._watcher.start()

    def stop(self) -> None:
        """Look no more; supervisors and runners go on."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher = None

    def observe(self, target: Target) -> Observed:
        """What ``state.json`` says, and whether a supervisor holds the lock."""
        folder = self._folder / target.session_id
        # Asked first: a supervisor that ends in between has written its last state by then.
        alive = is_locked(folder / "lock")
        state, specification = _read(folder / "state.json"), _read(folder / "spec.json")
        if alive and (state is None or specification is None or state["starts"] != specification["starts"]):
            asked = specification or {}
            words = "The process that looks after the runner is coming up."
            return Observed(asked.get("starts", 0), True, "preparing", "Preparing", words)
        if state is None:
            return Observed()
        return _observed(state, alive=alive)

    def launch(self, order: LaunchOrder) -> None:
        """Write the specification and spawn the supervisor; does nothing while one is alive."""
        folder = self._folder / order.session["id"]
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        # The supervisor inherits the lock, so there is no moment at which nobody holds it and something is on its way.
        with (folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            _write(folder / "token", order.token)
            prepared = preparation(order, self._settings, str(folder / "token"))
            _write(folder / "prepare.json", json.dumps(prepared))
            _write(folder / "spec.json", json.dumps(self._specification(order, folder)))
            with (folder / "supervisor.log").open("ab") as log:
                process = subprocess.Popen(  # noqa: S603
                    [sys.executable, "-I", str(_SUPERVISOR), str(folder), str(lock.fileno())],
                    env={name: os.environ[name] for name in _MACHINE if name in os.environ},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    pass_fds=(lock.fileno(),),
                    # A session of its own: what ends the control plane must not end the runner.
                    start_new_session=True,
                )
        # Nobody waits for it here; but when it ends while we live, it must not stay behind as a zombie.
        threading.Thread(target=process.wait, name=f"supervisor-{process.pid}", daemon=True).start()

    def terminate(self, target: Target, *, force: bool = False) -> None:
        """Ask the supervisor to end its runner, which it does with the runner's grace; or end both at once."""
        folder = self._folder / target.session_id
        state = _read(folder / "state.json")
        if state is None or not is_locked(folder / "lock"):
            return
        supervisor = int(state["supervisor"])
        # A number may belong to somebody else by now.
        if str(folder).encode() not in _proc(supervisor, "cmdline"):
            return
        if not force:
            _signal(os.kill, supervisor, signal.SIGTERM)
            return
        runner = int(state.get("pid") or 0)
        if runner and _parent_of(runner) == supervisor:
            _signal(os.killpg, runner, signal.SIGKILL)
        _signal(os.kill, supervisor, signal.SIGKILL)

    def clean(self, target: Target) -> None:
        """Remove the session's folder.

        Raises:
            Waiting: something of it runs, or the folder cannot be removed.
        """
        folder = self._folder / target.session_id
        if is_locked(folder / "lock"):
            raise Waiting("StillRunning", "The session's runner has not ended yet.", after=1.0)
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            raise Waiting("FolderStays", f"The folder of session {target.session_id} cannot be removed.", after=60.0)

    def sessions(self) -> Iterable[Target]:
        """Sessions that have a folder."""
        if not self._folder.is_dir():
            return ()
        return [Target(name) for name in sorted(entry.name for entry in self._folder.iterdir() if entry.is_dir())]

    def logs(self, target: Target, wanted: LogsWanted) -> Iterator[bytes]:
        """What the runner wrote, as its supervisor kept it."""
        folder = self._folder / target.session_id
        return read_log(folder / "runner.log", wanted, lambda: is_locked(folder / "lock"))

    def happenings(self, target: Target) -> Sequence[Happening]:
        """What the supervisor wrote down, oldest first."""
        try:
            lines = (self._folder / target.session_id / "happenings").read_text().splitlines()
        except OSError:
            return ()
        found = (json.loads(line) for line in lines if line.endswith("}"))
        return [Happening(entry["at"], "supervisor", entry["reason"], entry["message"]) for entry in found]

    def _specification(self, order: LaunchOrder, folder: Path) -> dict[str, Any]:
        session, settings = order.session, self._settings
        runner_token = secrets.token_urlsafe(32)
        machine = {name: os.environ[name] for name in _MACHINE if name in os.environ}
        place = Place(str(folder / "workspace"), str(folder), str(folder / "token"))
        command = settings.runner_command.split() or [sys.executable, "-m", "ambient_runner"]
        return {
            "session_id": session["id"],
            "starts": session["starts"],
            "command": command,
            "environment": {**machine, **environment(order, place, settings), "AGUI_TOKEN": runner_token},
            "machine": {**machine, **{name: os.environ[name] for name in _GIT if name in os.environ}},
            "prepare": [sys.executable, "-I", _prepare_program(), str(folder / "prepare.json")],
            "cloned": cloned(session),
            "runner_token": runner_token,
            "stop_grace": settings.stop_grace,
            "log_limit": settings.log_limit,
        }


def _prepare_program() -> str:
    """The program that prepares a workspace, by its path: it needs no package."""
    found = importlib.util.find_spec("ambient_runner")
    if found is None or not found.submodule_search_locations:
        words = "The package ambient-runner is not installed; runtime local clones and starts runners with it."
        raise Waiting("NoRunner", words, after=60.0)
    return str(Path(found.submodule_search_locations[0]) / "prepare.py")


def _observed(state: Mapping[str, Any], *, alive: bool) -> Observed:
    stage, reason, message = state["stage"], state["reason"], state["message"]
    if not alive and stage != "exited":
        stage, reason = "lost", "SupervisorLost"
        message = "The process that looks after the runner was killed; the runner ended with it."
    ready = stage == "ready"
    return Observed(
        starts=state["starts"],
        alive=alive,
        stage=stage,
        reason=reason,
        message=message,
        exit_code=state.get("exit_code"),
        endpoint={"host": "127.0.0.1", "port": state["port"], "token": state["token"]} if ready else None,
        repositories=tuple(state.get("repositories", ())),
    )


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return None


def _proc(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _parent_of(pid: int) -> int:
    # The name in parentheses may hold anything; the parent is the second word after it.
    words = _proc(pid, "stat").rpartition(b")")[2].split()
    return int(words[1]) if len(words) > 1 else 0


def _signal(send: Callable[[int, int], None], pid: int, number: signal.Signals) -> None:
    try:
        send(pid, number)
    except ProcessLookupError:
        return


def _write(path: Path, text: str) -> None:
    staging = path.with_name(path.name + ".new")
    descriptor = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    staging.replace(path)
