"""Runtime ``local``: one supervised process a session, on this machine."""

import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ambient_sessions.runtimes import LaunchOrder, Observed
from ambient_sessions.settings import SessionsSettings

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_SPAWN_DEADLINE = 10.0
_PAUSE = 0.02
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

    Args:
        folder: where each session has a folder of its own.
        settings: of the sessions plugin.
    """

    name = "local"

    def __init__(self, folder: Path, settings: SessionsSettings) -> None:
        self._folder = folder
        self._settings = settings

    def observe(self, session_id: str) -> Observed:
        """What ``state.json`` says, and whether a supervisor holds the lock."""
        folder = self._folder / session_id
        # Asked first: a supervisor that ends in between has written its last state by then.
        alive = _locked(folder / "lock")
        try:
            state = json.loads((folder / "state.json").read_text())
        except (OSError, ValueError):
            return Observed(alive=alive, stage="preparing" if alive else "absent")
        stage = state["stage"]
        if not alive and stage != "exited":
            stage, state["reason"] = "lost", "SupervisorLost"
            state["message"] = "The process that looks after the runner was killed; the runner ended with it."
        endpoint = None
        if stage == "ready":
            endpoint = {"host": "127.0.0.1", "port": state["port"], "token": state["token"]}
        return Observed(
            starts=state["starts"],
            alive=alive,
            stage=stage,
            reason=state["reason"],
            message=state["message"],
            exit_code=state.get("exit_code"),
            since=state["since"],
            endpoint=endpoint,
            repositories=tuple(state.get("repositories", ())),
        )

    def launch(self, order: LaunchOrder) -> None:
        """Write the specification and spawn the supervisor; does nothing while one is alive.

        Raises:
            RuntimeError: the supervisor did not come up in time.
        """
        folder = self._folder / order.session["id"]
        if _locked(folder / "lock"):
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        _write(folder / "token", order.token)
        _write(folder / "spec.json", json.dumps(self._specification(order, folder)))
        with (folder / "supervisor.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", str(_SUPERVISOR), str(folder)],
                env={name: os.environ[name] for name in _MACHINE if name in os.environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                # A session of its own: what ends the control plane must not end the runner.
                start_new_session=True,
            )
        starts, deadline = order.session["starts"], time.monotonic() + _SPAWN_DEADLINE
        while self.observe(order.session["id"]).starts != starts:
            if time.monotonic() > deadline:
                raise RuntimeError("the supervisor did not come up; see supervisor.log in the session's folder")
            process.poll()
            time.sleep(_PAUSE)

    def terminate(self, session_id: str) -> None:
        """Ask the supervisor to end, wait for the grace, then kill it; the runner goes with it."""
        folder = self._folder / session_id
        deadline = time.monotonic() + self._settings.stop_grace + 3.0
        asked = False
        while _locked(folder / "lock"):
            pid = _supervisor_of(folder)
            if pid is not None and (not asked or time.monotonic() > deadline):
                _signal(pid, signal.SIGKILL if asked else signal.SIGTERM)
                asked = True
            time.sleep(_PAUSE)

    def clean(self, session_id: str) -> None:
        """Remove the session's folder."""
        shutil.rmtree(self._folder / session_id, ignore_errors=True)

    def sessions(self) -> Iterable[str]:
        """Sessions that have a folder."""
        if not self._folder.is_dir():
            return ()
        return sorted(entry.name for entry in self._folder.iterdir() if entry.is_dir())

    def _specification(self, order: LaunchOrder, folder: Path) -> dict[str, Any]:
        session, settings = order.session, self._settings
        runner_token = secrets.token_urlsafe(32)
        machine = {name: os.environ[name] for name in _MACHINE if name in os.environ}
        protocols = "https:http:ssh:git" + (":file" if settings.allow_local_repositories else "")
        git = {
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": protocols,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }
        command = settings.runner_command.split() or [sys.executable, "-m", "ambient_runner"]
        return {
            "session_id": session["id"],
            "starts": session["starts"],
            "command": command,
            "environment": {**machine, **environment(order, folder, settings), "AGUI_TOKEN": runner_token},
            "git_environment": {**machine, **git, **{n: os.environ[n] for n in _GIT if n in os.environ}},
            "runner_token": runner_token,
            "repositories": repositories(session),
            "files": [list(entry) for entry in order.files],
            "clone_timeout": settings.clone_timeout,
            "stop_grace": settings.stop_grace,
            "log_limit": settings.log_limit,
        }


def environment(order: LaunchOrder, folder: Path, settings: SessionsSettings) -> dict[str, str]:
    """The runner's environment; a session's own variables never replace the platform's."""
    session = order.session
    own = {
        "SESSION_ID": session["id"],
        "AGENTIC_SESSION_NAME": session["id"],
        "PROJECT_NAME": session["project_id"],
        "WORKSPACE_PATH": str(folder / "workspace"),
        "AGUI_HOST": "127.0.0.1",
        "HOME": str(folder),
        "LLM_MODEL": session["llm_model"],
        "LLM_TEMPERATURE": str(session["llm_temperature"]),
        "LLM_MAX_TOKENS": str(session["llm_max_tokens"]),
        "REPOS_JSON": json.dumps(repositories(session)),
        "IS_RESUME": "true" if session["starts"] > 1 else "",
        "TIMEOUT": str(session.get("timeout") or ""),
        "RUNNER_COMMANDS": settings.runner_commands,
        "AMBIENT_API_URL": order.api_url,
        "AMBIENT_SESSION_TOKEN_FILE": str(folder / "token"),
        "ANTHROPIC_API_KEY": settings.anthropic_api_key,
        "OPENAI_API_KEY": settings.openai_api_key,
        "OPENAI_BASE_URL": settings.openai_base_url,
        "PYTHONUNBUFFERED": "1",
    }
    given = {name: value for name, value in (session.get("environment_variables") or {}).items() if _harmless(name)}
    return {**given, **{name: value for name, value in own.items() if value}}


def _harmless(name: str) -> bool:
    return name.isidentifier() and not name.startswith(("LD_", "PYTHON", "AGUI_", "AMBIENT_")) and name != "PATH"


def repositories(session: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What to clone, each with the name of its folder; two of the same name get a number."""
    wanted = [dict(entry) for entry in session.get("repos") or []]
    if session.get("repo_url"):
        wanted.insert(0, {"url": session["repo_url"]})
    taken: set[str] = set()
    for entry in wanted:
        name = entry.get("name") or _folder_name(entry["url"])
        number, candidate = 1, name
        while candidate in taken:
            number += 1
            candidate = f"{name}-{number}"
        taken.add(candidate)
        entry["name"] = candidate
    return wanted


def _folder_name(url: str) -> str:
    path = urlsplit(url).path if "://" in url else url.rpartition(":")[2]
    name = path.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git").lstrip(".-")
    return name[:100] or "repository"


def _locked(path: Path) -> bool:
    try:
        with path.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _supervisor_of(folder: Path) -> int | None:
    try:
        pid = int(json.loads((folder / "state.json").read_text())["supervisor"])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError, KeyError):
        return None
    # A number may belong to somebody else by now.
    return pid if str(folder).encode() in command else None


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _write(path: Path, text: str) -> None:
    staging = path.with_name(path.name + ".new")
    descriptor = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    staging.replace(path)
