"""One term of leadership: wake-up, queue and workers, from the moment a process leads until it does no more."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from ambient_sdk import AmbientClient, AmbientError

from ambient_core.access.leadership import HEADER
from ambient_core.config import Settings
from ambient_core.controlplane.leader import Leader
from ambient_core.controlplane.queue import KeyedQueue
from ambient_core.controlplane.reconciler import Again, Context, Deposed, NotNow, Reconciler, is_deposed
from ambient_core.controlplane.recorder import Recorder
from ambient_core.controlplane.wakeup import ChangeReader, take_requests
from ambient_core.database import driver_url, url_of
from ambient_core.database.listen import CHANNEL, Listener
from ambient_core.serving.process import give_memory_back

log = logging.getLogger(__name__)
TICK = 1.0
STALL = 60.0
"""Seconds after which a worker that has not come back is replaced, so that those who hang block nobody."""
_MOST_STALLED = 16
_PATIENCE = 30.0
_LONGEST_PAUSE = 30.0


class Term:
    """What a leader does.

    Args:
        settings: of the core.
        reconcilers: by kind.
        hooks: pluggy's relay.
        leader: says whether this process leads.
        token: gives the control plane's token for each request, because it may be renewed.
    """

    def __init__(
        self,
        settings: Settings,
        reconcilers: Mapping[str, Reconciler],
        hooks: Any,
        leader: Leader,
        token: Callable[[], str],
    ) -> None:
        self._settings = settings
        self._hooks = hooks
        self._leader = leader
        self._fence = leader.fence
        self.queue = KeyedQueue()
        self._client = AmbientClient(settings.api_url, token, attempts=2, headers={HEADER: str(leader.fence)})
        self._recorder = Recorder(self._client, self._heed)
        self._reconcilers = dict(reconcilers)
        self._ready: dict[str, Reconciler] = {}
        self.faults: dict[str, str] = {}
        self.failures = 0
        self._workers: list[threading.Thread] = []
        self._following = threading.Event()
        self._ended = threading.Event()

    def run(self, stopping: threading.Event) -> None:
        """Work until this process leads no more, or is to stop."""
        self._recorder.start()
        looker = threading.Thread(target=self._keep_looking, name="full-look", daemon=True)
        looker.start()
        try:
            self._watch(stopping)
        finally:
            self._end(looker)

    def leads(self) -> bool:
        """Whether this term goes on."""
        return not self._ended.is_set() and self._leader.leads() and self._leader.fence == self._fence

    def check(self) -> None:
        """Refuse to act when the term is over.

        Raises:
            Deposed: it is.
        """
        if not self.leads():
            raise Deposed("another process leads by now")

    def figures(self) -> dict[str, Any]:
        """What monitors and `ambient controlplane status` show."""
        own = {"leader": int(self.leads()), "fence": self._fence, "failures_total": self.failures}
        return {**self.queue.figures(), **own, "faults": dict(self.faults)}

    def _watch(self, stopping: threading.Event) -> None:
        listener = Listener(driver_url(url_of(self._settings.database_url)), CHANNEL)
        reader = ChangeReader(self._settings.database_url)
        try:
            while not stopping.is_set() and self.leads():
                position = listener.position()
                self._read(reader)
                self._staff()
                listener.wait(position, min(self._settings.poll_interval, TICK))
        finally:
            listener.stop()
            reader.close()

    def _end(self, looker: threading.Thread) -> None:
        self._ended.set()
        self.queue.close()
        patience = time.monotonic() + _PATIENCE
        for thread in (*self._workers, looker):
            # One that hangs cannot be ended; whatever it still tries is refused, because its term is over.
            thread.join(max(0.0, patience - time.monotonic()))
        self._recorder.stop()
        for kind, reconciler in self._ready.items():
            try:
                reconciler.teardown()
            except Exception:
                log.exception("the reconciler of %s did not let go", kind)
        self._client.close()

    def _read(self, reader: ChangeReader) -> None:
        try:
            for kind, key in (*reader.read(), *take_requests(reader)):
                if kind in self._ready:
                    self.queue.add(f"{kind}/{key}")
        except psycopg.Error as fault:
            log.warning("the change log cannot be read (%s); the next poll goes on", type(fault).__name__)
            reader.close()
        else:
            self._following.set()

    def _staff(self) -> None:
        """As many workers as the settings say, beside those that do not come back."""
        wanted = self._settings.reconcile_workers + min(self.queue.stalled(STALL), _MOST_STALLED)
        self._workers = [worker for worker in self._workers if worker.is_alive()]
        while len(self._workers) < wanted:
            worker = threading.Thread(target=self._work, name=f"worker-{len(self._workers)}", daemon=True)
            self._workers.append(worker)
            worker.start()

    def _keep_looking(self) -> None:
        """Set the reconcilers up and look at everything, again and again; each for itself."""
        due = dict.fromkeys(self._reconcilers, 0.0)
        pauses = dict.fromkeys(self._reconcilers, TICK)
        while not self._ended.wait(0.1):
            # Not before the log is followed: what changes after the look must be news.
            if not self._following.is_set():
                continue
            for kind, reconciler in self._reconcilers.items():
                if time.monotonic() < due[kind] or not self.leads():
                    continue
                if self._guarded(kind, lambda r=reconciler, k=kind: self._look(k, r)):  # type: ignore[misc]
                    pauses[kind], pause = TICK, self._settings.resync_interval
                else:
                    pauses[kind], pause = min(2 * pauses[kind], _LONGEST_PAUSE), pauses[kind]
                due[kind] = time.monotonic() + pause

    def _guarded(self, kind: str, act: Callable[[], None]) -> bool:
        try:
            act()
        except AmbientError as fault:
            log.warning("the API does not answer, so there is no full look at %s yet: %s", kind, fault)
            self.faults[kind] = f"{type(fault).__name__}: {fault}"[:500]
            return False
        except NotNow as fault:
            log.warning("the full look at %s is not finished, and is tried again: %s", kind, fault)
            self.faults[kind] = str(fault)[:500]
            return False
        except Exception as fault:
            # One plugin's fault must not end the work of the others.
            log.exception("a full look at %s failed and is tried again", kind)
            self.faults[kind] = f"{type(fault).__name__}: {fault}"[:500]
            return False
        self.faults.pop(kind, None)
        return True

    def _look(self, kind: str, reconciler: Reconciler) -> None:
        if kind not in self._ready:
            reconciler.setup(self._context(kind))
            self._ready[kind] = reconciler
        begun, count = time.monotonic(), 0
        for entry in iter(reconciler.keys()):
            key, again = entry if isinstance(entry, tuple) else (entry, Again(0.0, ""))
            self.queue.add(f"{kind}/{key}", again.after, again.reason)
            count += 1
        log.info("looked at every %s in %.2f s; %d to be looked at", kind, time.monotonic() - begun, count)
        # Everything that is there has just gone through this process.
        give_memory_back()

    def _context(self, kind: str) -> Context:
        return Context(
            self._client,
            self._settings,
            self._hooks,
            wake=lambda key: self.queue.add(f"{kind}/{key}"),
            now=self._leader.clock.now,
            check=self.check,
            note=lambda key, seen: self._recorder.saw(kind, key, seen),
        )

    def _work(self) -> None:
        while not self._ended.is_set():
            entry = self.queue.take(TICK)
            if entry is not None and self.leads():
                self._work_on(entry)

    def _work_on(self, entry: str) -> None:
        kind, key = entry.split("/", 1)
        tries = self.queue.tries(entry)
        try:
            again = self._ready[kind].reconcile(key)
        except Exception as fault:
            self._failed(entry, fault)
            return
        after = self.queue.done(
            entry, again.after if again else None, again.reason if again else "", stuck=bool(again and again.stuck)
        )
        if again is not None and again.stuck:
            self._recorder.looked(
                kind, key, waiting_for=again.reason, tries=tries + 1, error=again.reason, next_in=after
            )
        else:
            reason = again.reason if again else ""
            self._recorder.looked(kind, key, waiting_for=reason, tries=0, error="", next_in=after)

    def _failed(self, entry: str, fault: Exception) -> None:
        kind, key = entry.split("/", 1)
        words = f"{type(fault).__name__}: {fault}"[:500]
        tries = self.queue.tries(entry) + 1
        after = self.queue.failed(entry, words)
        if isinstance(fault, Deposed) or is_deposed(fault):
            self._heed(fault)
            return
        self.failures += 1
        log.warning(
            "%s %s failed and is tried again: %s", kind, key, fault, exc_info=not isinstance(fault, AmbientError)
        )
        self._recorder.looked(kind, key, waiting_for="another try", tries=tries, error=words, next_in=after)

    def _heed(self, fault: Exception) -> None:
        """Step down at once when the API says that another leads."""
        if is_deposed(fault):
            log.warning("another process leads by now; stepping down")
            self._leader.lost.set()
