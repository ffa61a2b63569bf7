"""A container as a real local process, and what it says."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.kube.reaper import Reaper


def now() -> str:
    """The present, as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Log:
    """The lines of one container, with their times; in memory for readers, in a file for people."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[tuple[datetime, bytes]] = []
        self.closed = False
        self._changed = threading.Condition()

    def fill(self, stream: Iterator[bytes]) -> None:
        """Take lines until the stream ends."""
        with self.path.open("wb") as file:
            for line in stream:
                file.write(line)
                file.flush()
                with self._changed:
                    self.lines.append((datetime.now(UTC), line))
                    self._changed.notify_all()
        self.close()

    def close(self) -> None:
        """Nothing more will come."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def read(
        self, follow: bool = False, tail: int | None = None, since: float | None = None
    ) -> Iterator[tuple[datetime, bytes]]:
        """Lines as the kubelet gives them: the last ones, the young ones, and those to come."""
        oldest = datetime.now(UTC) - timedelta(seconds=since) if since is not None else datetime.min.replace(tzinfo=UTC)
        at = next((index for index, (when, _) in enumerate(self.lines) if when >= oldest), len(self.lines))
        if tail is not None:
            at = max(at, len(self.lines) - tail)
        while True:
            with self._changed:
                while follow and at >= len(self.lines) and not self.closed:
                    self._changed.wait()
                fresh = self.lines[at:]
            if not fresh:
                return
            yield from fresh
            at += len(fresh)

    def end(self) -> str:
        """The last words, as a termination message takes them."""
        return b"".join(line for _, line in self.lines[-80:])[-2048:].decode(errors="replace")


@dataclass
class State:
    """What is known of one container."""

    name: str
    image: str
    waiting: tuple[str, str] = ("ContainerCreating", "")
    started: str = ""
    ended: str = ""
    code: int = 0
    reason: str = ""
    message: str = ""
    ready: bool = False
    passed: bool = True
    restarts: int = 0
    last: dict[str, object] = field(default_factory=dict)

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return bool(self.started) and not self.ended

    def end(self, code: int, reason: str = "", message: str = "") -> None:
        """It has ended."""
        self.ended, self.ready = now(), False
        self.started = self.started or self.ended
        self.code, self.message = code, message
        self.reason = reason or ("Error" if code else "Completed")


class Process:
    """One container's process.

    Args:
        command: what to run.
        environment: all of its environment.
        folder: where it runs.
        log: takes what it says.
    """

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path, log: Log) -> None:
        self.log = log
        self._command = command
        self._environment = environment
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._threads: list[threading.Thread] = []

    def start(self, reaper: Reaper, ended: Callable[[int], None]) -> None:
        """Start it; ``ended`` is called with its exit code, from another thread.

        Raises:
            OSError: there is no such program.
        """
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        reaper.watch(self._process.pid)
        assert self._process.stdout is not None
        reading = threading.Thread(target=self.log.fill, args=(self._process.stdout,), name="log", daemon=True)
        waiting = threading.Thread(target=self._wait, args=(reaper, reading, ended), name="container", daemon=True)
        self._threads = [reading, waiting]
        for thread in self._threads:
            thread.start()

    def _wait(self, reaper: Reaper, reading: threading.Thread, ended: Callable[[int], None]) -> None:
        assert self._process is not None
        code = self._process.wait()
        # A container takes with it what it has started.
        self.signal_all(signal.SIGKILL)
        reading.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        reaper.forget(self._process.pid)
        ended(code if code >= 0 else 128 - code)

    def terminate(self) -> None:
        """Ask its first process to end."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()

    def signal_all(self, number: signal.Signals) -> None:
        """Signal all its processes."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def join(self) -> None:
        """Wait until it has ended and all is read."""
        for thread in self._threads:
            thread.join()
