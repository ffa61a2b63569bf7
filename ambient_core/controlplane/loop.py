"""The control plane's main process: leader, wake-up, queue, workers, and the gateway as a child."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import psycopg
from ambient_sdk import AmbientClient, AmbientError

from ambient_core.changes import CHANNEL
from ambient_core.config import Settings
from ambient_core.controlplane.health import serve_health
from ambient_core.controlplane.leader import Leader
from ambient_core.controlplane.queue import KeyedQueue
from ambient_core.controlplane.reconciler import Context, Reconciler
from ambient_core.controlplane.wakeup import ChangeReader
from ambient_core.database import driver_url, url_of
from ambient_core.errors import SetupError
from ambient_core.listen import Listener
from ambient_core.plugins import Plugins, load_plugins
from ambient_core.process import ends_with_parent

log = logging.getLogger(__name__)
_LEADER_PAUSE = 2.0
_TICK = 1.0


class ControlPlane:
    """Runs the reconcilers of all plugins while this process is the leader.

    Args:
        settings: of the core.
        reconcilers: what the plugins gave.
        hooks: pluggy's relay.
    """

    def __init__(self, settings: Settings, reconcilers: list[Reconciler], hooks: Any) -> None:
        self._settings = settings
        self._reconcilers = {reconciler.kind: reconciler for reconciler in reconcilers}
        self._hooks = hooks
        self._stopping = threading.Event()
        self.queue = KeyedQueue()

    def run(self) -> None:
        """Work until `stop` is called, whenever this process is the leader."""
        leader = Leader(self._settings.database_url)
        while not self._stopping.is_set():
            if leader.acquire():
                log.info("this process is the leader")
                self._lead(leader)
            else:
                self._stopping.wait(_LEADER_PAUSE)
        leader.release()

    def stop(self) -> None:
        """Let go."""
        self._stopping.set()

    def _lead(self, leader: Leader) -> None:
        self.queue = KeyedQueue()
        client = AmbientClient(self._settings.api_url, _token(self._settings), attempts=2)
        for kind, reconciler in self._reconcilers.items():
            reconciler.setup(Context(client, self._settings, self._hooks, self._waker(kind)))
        workers = [
            threading.Thread(target=self._work, name=f"worker-{n}") for n in range(self._settings.reconcile_workers)
        ]
        for worker in workers:
            worker.start()
        try:
            self._watch(leader)
        finally:
            self.queue.close()
            for worker in workers:
                worker.join()
            for reconciler in self._reconcilers.values():
                reconciler.teardown()
            client.close()

    def _waker(self, kind: str) -> Any:
        return lambda key: self.queue.add(f"{kind}/{key}")

    def _watch(self, leader: Leader) -> None:
        listener = Listener(driver_url(url_of(self._settings.database_url)), CHANNEL)
        reader = ChangeReader(self._settings.database_url)
        next_resync, next_check = 0.0, 0.0
        try:
            while not self._stopping.is_set():
                position = listener.position()
                self._read(reader)
                now = time.monotonic()
                if now >= next_resync:
                    next_resync = now + (self._settings.resync_interval if self._resync() else _TICK)
                if now >= next_check:
                    next_check = now + _LEADER_PAUSE
                    if not leader.holds():
                        return
                listener.wait(position, min(self._settings.poll_interval, _TICK))
        finally:
            listener.stop()
            reader.close()

    def _read(self, reader: ChangeReader) -> None:
        try:
            for kind, identifier in reader.read():
                if kind in self._reconcilers:
                    self.queue.add(f"{kind}/{identifier}")
        except psycopg.Error as fault:
            log.warning("the change log cannot be read (%s); the next poll goes on", type(fault).__name__)
            reader.close()

    def _resync(self) -> bool:
        try:
            for kind, reconciler in self._reconcilers.items():
                for key in list(reconciler.keys()):
                    self.queue.add(f"{kind}/{key}")
        except AmbientError as fault:
            log.warning("the API does not answer, so there is no full look yet: %s", type(fault).__name__)
            return False
        except Exception:
            # One plugin's fault must not end the loop of the others.
            log.exception("a full look failed and is tried again")
            return False
        return True

    def _work(self) -> None:
        while not self._stopping.is_set():
            entry = self.queue.take(_TICK)
            if entry is None:
                if self.queue.closed:
                    return
                continue
            kind, key = entry.split("/", 1)
            try:
                again = self._reconcilers[kind].reconcile(key)
            except Exception as fault:
                log.warning(
                    "%s %s failed and is tried again: %s",
                    kind,
                    key,
                    fault,
                    exc_info=not isinstance(fault, AmbientError),
                )
                self.queue.failed(entry, f"{type(fault).__name__}: {fault}"[:500])
            else:
                self.queue.done(entry, again.after if again else None, again.reason if again else "")


def reconcilers_of(plugins: Plugins) -> list[Reconciler]:
    """What the plugins keep; a plugin that gives something else is set aside alone."""
    given = plugins.collect("ambient_reconcilers")
    for name, item in given:
        if not isinstance(item, Reconciler) and name in plugins.modules:
            plugins.set_aside_plugin(name, f"ambient_reconcilers must yield Reconciler, not {type(item).__name__}.")
    return [item for name, item in given if name in plugins.modules]


def run(settings: Settings, *, gateway: bool) -> int:
    """Run the control plane until a signal says stop; answers the exit status.

    Args:
        settings: of the core.
        gateway: whether to serve the gateway as well, in a child process.

    Raises:
        SetupError: the token file is missing, or an address cannot be used.
    """
    _token(settings)
    plugins = load_plugins(settings)
    readiness = serve_health(settings, plugins)
    child = _start_gateway() if gateway else None
    plane = ControlPlane(settings, reconcilers_of(plugins), plugins.hooks)
    stopped = threading.Event()

    def ask_to_stop(*_: object) -> None:
        readiness.draining = True
        stopped.set()
        plane.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    thread = threading.Thread(target=plane.run, name="control-plane")
    thread.start()
    status = 0
    while not stopped.wait(0.2):
        gone = child is not None and child.poll() is not None
        if gone or not thread.is_alive():
            log.error("the %s ended by itself; stopping", "gateway" if gone else "reconcile loop")
            status = 1
            ask_to_stop()
    plane.stop()
    if child is not None and child.poll() is None:
        child.terminate()
        child.wait(settings.graceful_timeout + 5)
    thread.join()
    return status


def _start_gateway() -> "subprocess.Popen[bytes]":
    # The same words as ours, so that the child reads the same settings.
    command = [sys.executable, "-m", "ambient_core", *sys.argv[1:], "--no-reconcile"]
    return subprocess.Popen(command, env=dict(os.environ), preexec_fn=ends_with_parent(signal.SIGTERM))  # noqa: S603, PLW1509


def _token(settings: Settings) -> str:
    path = settings.control_plane_token_file
    if path is None:
        raise SetupError(
            "control_plane_token_file is not set; the control plane writes through the API and needs its token."
        )
    try:
        return path.read_text().strip()
    except OSError as fault:
        raise SetupError(f"control_plane_token_file {path} cannot be read: {fault.strerror}.") from fault
