"""The control plane's main process: leader, wake-up, queue, workers, and the gateway as a child."""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from ambient_core.changes.pruning import Pruner
from ambient_core.changes.reactions import Reactions
from ambient_core.config import Settings
from ambient_core.controlplane.health import serve_health
from ambient_core.controlplane.leader import Leader
from ambient_core.controlplane.reconciler import Reconciler
from ambient_core.controlplane.term import Term
from ambient_core.database import Database
from ambient_core.errors import SetupError
from ambient_core.plugins import Plugins, load_plugins
from ambient_core.serving.process import StopSignal, collect_seldom, ends_with_parent, share_arenas

log = logging.getLogger(__name__)
_CANDIDATE_PAUSE = 1.0


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
        self._term: Term | None = None
        self.leader = Leader(settings.database_url, figures=self.figures)

    def run(self) -> None:
        """Work until `stop` is called, whenever this process is the leader."""
        try:
            while not self._stopping.is_set():
                if self.leader.acquire():
                    self._lead()
                else:
                    self._stopping.wait(_CANDIDATE_PAUSE)
        finally:
            self.leader.close()

    def stop(self) -> None:
        """Let go."""
        self._stopping.set()

    def figures(self) -> dict[str, Any]:
        """What this process does as the leader; empty while it is not."""
        term = self._term
        return term.figures() if term is not None else {}

    def _lead(self) -> None:
        log.info("this process is the leader, number %d", self.leader.fence)
        term = Term(self._settings, self._reconcilers, self._hooks, self.leader, TokenFile(self._settings))
        self._term = term
        pruner = Pruner(self._settings)
        pruner.start()
        try:
            term.run(self._stopping)
        except Exception:
            log.exception("the work as the leader broke off; this process steps down and competes again")
            self._stopping.wait(_CANDIDATE_PAUSE)
        finally:
            pruner.stop()
            self._term = None
            self.leader.release()
            log.info("this process leads no more")


def reconcilers_of(plugins: Plugins) -> list[Reconciler]:
    """What the plugins keep; a plugin that gives something else, or what another one keeps, is set aside alone."""
    given = plugins.collect("ambient_reconcilers")
    for name, item in given:
        if name in plugins.modules and (reason := _unfit(name, item, given, plugins)):
            plugins.set_aside_plugin(name, reason)
    return [item for name, item in given if name in plugins.modules]


def _unfit(name: str, item: Any, given: "Sequence[tuple[str, Any]]", plugins: Plugins) -> str | None:
    if not isinstance(item, Reconciler):
        return f"ambient_reconcilers must yield Reconciler, not {type(item).__name__}."
    wanted = getattr(item, "kind", None)
    kind = plugins.registry.get(str(wanted))
    if kind is None:
        return f"{type(item).__name__} is for the kind {wanted!r}, which no plugin serves."
    keepers = [who for who, other in given if getattr(other, "kind", None) == wanted and who in plugins.modules]
    keeper = kind.owner if kind.owner in keepers else keepers[0]
    return (
        None if keeper == name else f"{type(item).__name__} is for {wanted!r}, which plugin {keeper!r} keeps already."
    )


def run(settings: Settings, *, gateway: bool) -> int:
    """Run the control plane until a signal says stop; answers the exit status.

    Args:
        settings: of the core.
        gateway: whether to serve the gateway as well, in a child process.

    Raises:
        SetupError: the token file is missing, or an address cannot be used.
    """
    share_arenas()
    TokenFile(settings)
    plugins = load_plugins(settings)
    database = Database(settings.database_url, pool_size=1, name="ambient-control-plane")
    _set_aside_unmigrated(plugins, database)
    plane = ControlPlane(settings, reconcilers_of(plugins), plugins.hooks)
    readiness = serve_health(settings, plugins, plane.figures)
    child = _start_gateway() if gateway else None
    Reactions(database, plugins.implementations("ambient_after_commit"), settings.poll_interval).start()
    stopping = StopSignal()
    collect_seldom()
    thread = threading.Thread(target=plane.run, name="control-plane")
    thread.start()
    status = 0
    while not stopping.wait(0.2):
        gone = child is not None and child.poll() is not None
        if gone or not thread.is_alive():
            log.error("the %s ended by itself; stopping", "gateway" if gone else "reconcile loop")
            status = 1
            break
    readiness.draining = True
    plane.stop()
    if child is not None and child.poll() is None:
        child.terminate()
        child.wait(settings.graceful_timeout + 5)
    thread.join()
    database.close()
    return status


def _set_aside_unmigrated(plugins: Plugins, database: Database) -> None:
    """A plugin without its tables has nothing to keep, and keeps nobody from being ready."""
    try:
        plugins.apply_migration_faults(database)
    except Exception as fault:
        log.warning("the database did not answer at the start: %s", type(fault).__name__)


def _start_gateway() -> "subprocess.Popen[bytes]":
    # The same words as ours, so that the child reads the same settings.
    command = [sys.executable, "-m", "ambient_core", *sys.argv[1:], "--no-reconcile"]
    return subprocess.Popen(command, env=dict(os.environ), preexec_fn=ends_with_parent(signal.SIGTERM))  # noqa: S603, PLW1509


class TokenFile:
    """The control plane's token, read for each request: Kubernetes renews a projected one in its place.

    Args:
        settings: name the file.

    Raises:
        SetupError: it is not set, or cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        path = settings.control_plane_token_file
        if path is None:
            raise SetupError(
                "control_plane_token_file is not set; the control plane writes through the API and needs its token."
            )
        self._path = path
        self._seen: tuple[int, ...] = ()
        try:
            self._token = path.read_text().strip()
        except OSError as fault:
            raise SetupError(f"control_plane_token_file {path} cannot be read: {fault.strerror}.") from fault

    def __call__(self) -> str:
        """The token of now; while the file cannot be read, the last one."""
        try:
            found = self._path.stat()
            # Another file in its place, or another content; a look is cheaper than a reading with each request.
            if (seen := (found.st_ino, found.st_size, found.st_mtime_ns)) != self._seen:
                self._token, self._seen = self._path.read_text().strip() or self._token, seen
        except OSError as fault:
            log.warning("control_plane_token_file cannot be read: %s", fault.strerror)
        return self._token
