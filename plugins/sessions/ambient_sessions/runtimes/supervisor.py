"""Looks after one session's runner: clone, prepare, start, watch, and write down what happened.

Runs as a program of its own with nothing but the standard library, detached from the control plane: when that is killed,
the runner goes on, and the next control plane reads ``state.json``. When this program is killed, the kernel ends the runner.

Usage: python supervisor.py SESSION_FOLDER LOCK, where LOCK is the number of an open file that holds the session's lock.
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PORT_ATTEMPTS = 3
HEALTH_PAUSE = 0.05
LONGEST_LINE = 65536
HAPPENINGS = 50


class Failed(Exception):
    """The session cannot start; says why in a word and in words."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Supervisor:
    """One start of one session.

    Args:
        folder: the session's folder; holds ``spec.json``, gets ``state.json``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = folder / "workspace"
        self.spec: dict[str, Any] = json.loads((folder / "spec.json").read_text())
        self.state: dict[str, Any] = {"starts": self.spec["starts"], "supervisor": os.getpid()}
        # A plain name: setting a threading.Event takes a lock, and a second signal would wait for the first one's for ever.
        self.stopping = False
        self.log: threading.Thread | None = None

    def run(self) -> None:
        """From clone to exit; what happens is written down at every step."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.ask_to_stop)
        try:
            self.record("preparing", "Cloning", "The repositories are being cloned.")
            self.prepare()
            code = self.attend()
            reason = "Stopped" if self.stopping else "Completed" if code == 0 else "RunnerExit"
            self.record("exited", reason, _exit_words(code), exit_code=code)
        except Failed as fault:
            self.record("exited", fault.reason, str(fault), exit_code=1)
        except Exception as fault:
            self.record("exited", "SupervisorFault", f"{type(fault).__name__}: {fault}", exit_code=1)
            raise

    def ask_to_stop(self, *_: object) -> None:
        """Note that the runner is to end; whoever waits sees it a moment later."""
        self.stopping = True

    def record(self, stage: str, reason: str, message: str, **facts: Any) -> None:
        """Write the state down, all or nothing."""
        self.state.update(stage=stage, reason=reason, message=message[:2000], **facts)
        entry = {"at": _now(), "reason": reason, "message": self.state["message"]}
        path = self.folder / "happenings"
        earlier = path.read_text().splitlines() if path.exists() else []
        self.write("happenings", "\n".join([*earlier[1 - HAPPENINGS :], json.dumps(entry)]) + "\n")
        self.write("state.json", json.dumps(self.state))

    def write(self, name: str, text: str) -> None:
        """Write a file of the session's folder, all or nothing."""
        staging = self.folder / f"{name}.new"
        staging.write_text(text)
        staging.replace(self.folder / name)

    def prepare(self) -> None:
        """Run the program that clones and writes files; what it says last is why it failed."""
        self.workspace.mkdir(exist_ok=True)
        process = subprocess.Popen(  # noqa: S603
            self.spec["prepare"],
            env={**self.spec["machine"], "WORKSPACE_PATH": str(self.workspace), "HOME": str(self.folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            preexec_fn=_tie,  # noqa: PLW1509 - no thread holds a lock here
        )
        asked = False
        while process.poll() is None:
            if self.stopping and not asked:
                asked = True
                process.terminate()
            time.sleep(0.02)
        words = process.stdout.read().decode(errors="replace") if process.stdout else ""
        if process.returncode != 0:
            raise _failure(words, process.returncode)
        self.state["repositories"] = self.spec["cloned"]

    def attend(self) -> int:
        """Start the runner and stay until it has ended; answers its exit status."""
        for attempt in range(1, PORT_ATTEMPTS + 1):
            port = _free_port()
            runner = self.start(port)
            self.record("starting", "Starting", "The runner is starting.", port=port, pid=runner.pid)
            ready = self.wait_until_healthy(runner, port)
            if ready:
                self.record("ready", "Running", "The runner answers.", token=self.spec["runner_token"])
            taken = not ready and runner.poll() not in (None, 0) and _in_use(port)
            if not taken or attempt == PORT_ATTEMPTS or self.stopping:
                break
        while runner.poll() is None and not self.stopping:
            time.sleep(0.1)
        if runner.poll() is None:
            self.record("stopping", "Stopping", "The runner was asked to end.")
            _end(runner, self.spec["stop_grace"])
        code = runner.wait()
        _end_group(runner.pid)
        _end_orphans()
        if self.log is not None:
            self.log.join(1.0)
        return code

    def start(self, port: int) -> "subprocess.Popen[bytes]":
        """Start the runner on a port, with the environment of its specification and nothing else."""
        environment = {**self.spec["environment"], "AGUI_PORT": str(port)}
        runner = subprocess.Popen(  # noqa: S603
            self.spec["command"],
            env=environment,
            cwd=self.workspace,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_tie,  # noqa: PLW1509 - no thread holds a lock here
        )
        self.log = threading.Thread(target=self.keep_log, args=(runner,), daemon=True)
        self.log.start()
        return runner

    def keep_log(self, runner: "subprocess.Popen[bytes]") -> None:
        """Write the runner's output to its log, each line with its time; when half of what may be kept is full, begin anew."""
        path, limit = self.folder / "runner.log", self.spec["log_limit"] // 2
        assert runner.stdout is not None
        log = path.open("ab", buffering=0)
        for line in iter(lambda: runner.stdout.readline(LONGEST_LINE), b""):  # type: ignore[union-attr]
            if log.tell() > limit:
                log.close()
                path.replace(path.with_name("runner.log.1"))
                log = path.open("ab", buffering=0)
            log.write(_now().encode() + b" " + line.removesuffix(b"\n") + b"\n")
        log.close()

    def wait_until_healthy(self, runner: "subprocess.Popen[bytes]", port: int) -> bool:
        """Wait until the runner answers ``/health``, has ended, or is to be stopped."""
        while runner.poll() is None and not self.stopping:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
                    if answer.status == 200 and self.spec["session_id"] in answer.read(4096).decode():
                        return True
            except (urllib.error.URLError, OSError, ValueError):
                time.sleep(HEALTH_PAUSE)
        return False


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _failure(words: str, code: int) -> Failed:
    try:
        told = json.loads(words.strip().rpartition("\n")[2])
        return Failed(told["reason"], told["message"])
    except (ValueError, KeyError, TypeError):
        return Failed("PrepareFailed", f"The workspace could not be prepared; {_exit_words(code)}")


def _tie() -> None:
    """In the child: the kernel kills it when its parent is gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _in_use(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _end(process: "subprocess.Popen[bytes]", grace: float) -> None:
    process.terminate()
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _end_group(pid: int) -> None:
    """End what the runner left behind in its own process group."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _end_orphans() -> None:
    """End what the runner left behind outside its group, which is ours since its parent is gone."""
    while orphans := _children():
        for pid in orphans:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _children() -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        # A process may be gone by now; what follows its name in parentheses is its state and its parent.
        with suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(path.parent.name))
    return found


def _exit_words(code: int) -> str:
    if code < 0:
        return f"The runner was ended by signal {signal.Signals(-code).name}."
    return f"The runner ended with status {code}."


def main() -> None:
    """Look after one start of a session; the lock goes with this process and is nobody else's."""
    folder, lock = Path(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(lock, False)
    os.umask(0o077)
    # What a runner's programs leave behind becomes our child, not init's.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    Supervisor(folder).run()


if __name__ == "__main__":
    main()
