"""Who watches in this process: each change is judged once for all who see the same, and nobody waits for a slow one.

A watcher holds a bounded number of frames, or those of one batch. One that does not read is cut, with a reason, and resumes
by its cursor.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import psycopg

from ambient_core import changes, metrics
from ambient_core.changes import Batch, Now, Position
from ambient_core.changes.follower import Follower
from ambient_core.changes.frames import Frame, frame
from ambient_core.changes.visibility import Sight, View, judge
from ambient_core.database import Database
from ambient_core.database.outages import unavailable
from ambient_core.errors import AmbientError, TooManyRequests, Unavailable

log = logging.getLogger(__name__)
MOST_FRAMES = 1000
MOST_BYTES = 4 * 1024 * 1024
_MOST_BATCHES = 32
_CONNECTIONS = 3
_STATEMENT_TIMEOUT = 5.0
_SLOW = 1.0
_CATCH_UP = 200
_ATTEMPTS = 3
_PAUSE = 0.5
STALLED = 30.0

SLOW = "This reader was slower than the changes; resume with Last-Event-ID."
STOPPING = "This server is stopping; resume with Last-Event-ID, and another goes on."
FAILED = "The changes could not be judged for this watch in time; resume with Last-Event-ID, or change its search."


class Watcher:
    """What waits for one stream.

    Args:
        abort: ends the connection of a reader that does not read; called from another thread.
    """

    def __init__(self, abort: Callable[[], None] = lambda: None) -> None:
        self._abort = abort
        self._news = threading.Condition()
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._judged = changes.START
        self._key: object = None
        self._ended: AmbientError | None = None
        self.sending_since: float | None = None

    def listen_to(self, view: View) -> None:
        """Forget what has come, and take only what is judged for this view from now on."""
        with self._news:
            self._key = view.key
            self._frames.clear()
            self._bytes = 0
            self._judged = changes.START

    def push(self, view: View, frames: Sequence[Frame], judged: Position) -> None:
        """Add frames; never waits.

        Args:
            view: what they were judged for.
            frames: in commit order.
            judged: how far the log was judged with them.
        """
        with self._news:
            if self._ended is not None or view.key != self._key:
                return
            # However much comes at once: who has taken all that came before is not behind.
            waiting = bool(self._frames)
            self._frames.extend(frames)
            self._bytes += sum(len(one.data) for one in frames)
            self._judged = judged
            if waiting and (len(self._frames) > MOST_FRAMES or self._bytes > MOST_BYTES):
                self._cut(Unavailable(SLOW, retry_after=1))
            elif frames:
                self._news.notify_all()

    def end(self, reason: AmbientError) -> None:
        """Let the stream end with a reason."""
        with self._news:
            if self._ended is None:
                self._cut(reason)

    def take(self, timeout: float) -> tuple[list[Frame], Position]:
        """What has come, and how far the log was judged; waits for it.

        Raises:
            AmbientError: why the stream ends.
        """
        with self._news:
            if not self._frames and self._ended is None:
                self._news.wait(timeout)
            if self._ended is not None:
                raise self._ended
            taken, self._bytes = list(self._frames), 0
            self._frames.clear()
            return taken, self._judged

    def check(self, now: float) -> None:
        """End a stream whose reader takes nothing for too long."""
        since = self.sending_since
        if since is not None and now - since > STALLED:
            # No word would reach it: what was sent before lies unread.
            self.sending_since = None
            self.end(Unavailable(SLOW, retry_after=1))
            self._abort()
            metrics.observe_cut_watch(Unavailable.status)

    def _cut(self, reason: AmbientError) -> None:
        self._ended = reason
        self._frames.clear()
        self._bytes = 0
        self._news.notify_all()


class Group:
    """Watchers of the same view: each batch is judged once for all of them.

    A view that takes queries is judged in a thread of its own, so that one that is slow or fails delays no other; whether its
    last query was slow stands in ``slow``.

    Args:
        hub: where it belongs.
        view: what its watchers see.
    """

    def __init__(self, hub: "Hub", view: View) -> None:
        self.view = view
        self.slow = False
        self.watchers: list[Watcher] = []
        self._hub = hub
        self._batches: deque[Batch] = deque()
        self._news = threading.Condition()
        self._closed = False
        if view.asks:
            threading.Thread(target=self._run, name="watch-group", daemon=True).start()

    def take(self, batch: Batch) -> None:
        """Hear of a batch; never waits."""
        if not self.view.asks:
            self._judge(batch)
            return
        with self._news:
            self._batches.append(batch)
            if len(self._batches) > _MOST_BATCHES:
                self._batches.clear()
                self._end(Unavailable(FAILED, retry_after=1))
            self._news.notify_all()

    def close(self) -> None:
        """End the thread."""
        with self._news:
            self._closed = True
            self._news.notify_all()

    def _run(self) -> None:
        while True:
            with self._news:
                while not self._batches and not self._closed:
                    self._news.wait()
                if self._closed:
                    return
                batch = self._batches.popleft()
            self._judge(batch)

    def _judge(self, batch: Batch) -> None:
        frames = self._frames(batch)
        for watcher in list(self.watchers):
            watcher.push(self.view, frames, batch.position)

    def _frames(self, batch: Batch) -> list[Frame]:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._hub.frames(self.view, batch)
            except Exception as fault:
                log.warning("changes cannot be judged for a watch: %s", type(fault).__name__)
                if attempt == _ATTEMPTS or not isinstance(fault, Unavailable):
                    self._end(Unavailable(FAILED, retry_after=1))
                    break
                time.sleep(_PAUSE)
        return []

    def _end(self, reason: AmbientError) -> None:
        for watcher in list(self.watchers):
            watcher.end(reason)


class Hub:
    """Everybody who watches in this process.

    Args:
        database: whose log; judging has a few connections of its own, so that watching never takes one from requests.
        interval: seconds between looks at the log without news.
        limit: watchers at most.
    """

    def __init__(self, database: Database, interval: float, limit: int) -> None:
        self._follower = Follower(database, interval)
        self.limit = limit
        self.database = Database(
            database.url.render_as_string(hide_password=False),
            pool_size=_CONNECTIONS,
            statement_timeout=_STATEMENT_TIMEOUT,
            name="ambient-watch",
        )
        self._requests = database
        self._lock = threading.Lock()
        self._groups: dict[object, Group] = {}
        self._slow_turn = threading.Lock()
        self._watchers: set[Watcher] = set()
        self._log = ""
        self._keeper: threading.Thread | None = None

    @property
    def count(self) -> int:
        """Watchers by now."""
        return len(self._watchers)

    def log_name(self) -> str:
        """Which log the cursors belong to."""
        if not self._log:
            with self.database.transaction() as transaction:
                self._log = changes.horizon(transaction.raw).log
        return self._log

    def now(self) -> Now:
        """Where the log is now.

        Raises:
            Unavailable: the database does not answer, or the log is too far behind.
        """
        with self.database.transaction() as transaction:
            return changes.now(transaction.raw)

    def admit(self, watcher: Watcher) -> None:
        """Count a watcher in.

        Raises:
            TooManyRequests: there are as many as this process takes.
            Unavailable: the database does not answer.
        """
        self.log_name()
        with self._lock:
            if len(self._watchers) >= self.limit:
                raise TooManyRequests(
                    f"This server holds {self.limit} watches already; try again, another replica may have room.",
                    headers={"Retry-After": "5"},
                )
            self._watchers.add(watcher)
            metrics.observe_watches(len(self._watchers))
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._keep, name="watch-keeper", daemon=True)
                self._keeper.start()

    def drain(self) -> None:
        """End every watch, because this process stops, and admit no other."""
        self.limit = 0
        for watcher in list(self._watchers):
            watcher.end(Unavailable(STOPPING, retry_after=1))

    def dismiss(self, watcher: Watcher) -> None:
        """Count a watcher out."""
        with self._lock:
            self._watchers.discard(watcher)
            metrics.observe_watches(len(self._watchers))

    def join(self, watcher: Watcher, view: View) -> Position:
        """Let a watcher hear of everything after the position that is answered.

        Raises:
            Unavailable: the database does not answer.
        """
        watcher.listen_to(view)
        with self._lock:
            group = self._groups.get(view.key)
            if group is None:
                group = self._groups[view.key] = Group(self, view)
            group.watchers = [*group.watchers, watcher]
        try:
            return self._follower.subscribe(self._take)
        except psycopg.Error as fault:
            raise unavailable(fault) from fault

    def leave(self, watcher: Watcher, view: View) -> None:
        """Let a watcher hear no more."""
        with self._lock:
            group = self._groups.get(view.key)
            if group is None:
                return
            group.watchers = [one for one in group.watchers if one is not watcher]
            if not group.watchers:
                del self._groups[view.key]
                group.close()
            if not self._groups:
                self._follower.unsubscribe(self._take)

    def _take(self, batch: Batch) -> None:
        for group in list(self._groups.values()):
            group.take(batch)

    def _keep(self) -> None:
        while not self._requests.closed:
            now = time.monotonic()
            for watcher in list(self._watchers):
                watcher.check(now)
            time.sleep(1)
        self.database.close()

    def frames(self, view: View, batch: Batch) -> list[Frame]:
        """The events of a batch for one view.

        Raises:
            psycopg.Error: its condition cannot be asked.
        """
        if not view.asks:
            sights = judge(_no_query, view, batch.changes)
        elif any(change.kind in view.kinds for change in batch.changes):
            sights = self._asked(view, batch)
        else:
            return []
        return [frame(self.log_name(), sight) for sight in sights]

    def _asked(self, view: View, batch: Batch) -> list[Sight]:
        """Judge by a query. Views whose queries are slow take turns, so that there are connections for the others."""
        group = self._groups.get(view.key)
        turn = self._slow_turn if group is not None and group.slow else nullcontext()
        with turn, self.database.transaction() as transaction:
            transaction.begin()
            began = time.monotonic()
            try:
                return judge(transaction.raw, view, batch.changes)
            finally:
                if group is not None:
                    group.slow = time.monotonic() > began + _SLOW

    def earlier(self, view: View, after: Position, until: Position | None = None) -> tuple[list[Frame], Batch]:
        """Events of the log after a position, for one watcher that catches up.

        Raises:
            Gone: it was pruned meanwhile.
        """
        with self.database.transaction() as transaction:
            batch = changes.read(transaction.raw, after, _CATCH_UP, until)
            # Asked after reading: what was not pruned by now was read whole.
            changes.check_kept(changes.horizon(transaction.raw), after, "The position of this watch")
        return self.frames(view, batch), batch


def _no_query(text: str, parameters: Mapping[str, Any]) -> Any:
    raise AssertionError(f"a view without a condition asks: {text} with {parameters}")
