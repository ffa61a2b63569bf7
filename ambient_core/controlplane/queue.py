"""A queue of keys: one entry a key, one worker a key, back-off that grows for the key that fails and for no other."""

import heapq
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0
REST = 1.0
"""Seconds that a key which failed or is stuck is left alone, whatever the news: what it writes itself is news too."""


BURST = 10
"""Looks at one key that may follow each other at once; then they are a rest apart, whoever goes on waking it."""


@dataclass(slots=True)
class Entry:
    """What is known of one key.

    Args:
        key: which object.
        due: when it is looked at, on the queue's clock.
        since: when it was first put in, on the queue's clock.
        failures: in a row.
        tries: in a row that failed or were stuck.
        reason: what is waited for, or the last error.
        rests_until: not before, whatever the news.
        begun: when the work on it began, while it is worked on.
        dirty: whether there was news while it was worked on.
        looks: how many there were lately; one is forgotten each `REST`.
        counted: when they were counted.
    """

    key: str
    due: float
    since: float
    failures: int = 0
    tries: int = 0
    reason: str = ""
    rests_until: float = 0.0
    begun: float | None = None
    dirty: bool = False
    looks: float = 0.0
    counted: float = 0.0

    def count(self, now: float) -> bool:
        """Count a look; answers whether there were too many of late."""
        self.looks = max(0.0, self.looks - (now - self.counted) / REST) + 1.0
        self.counted = now
        return self.looks > BURST

    @property
    def working(self) -> bool:
        """Whether somebody works on it."""
        return self.begun is not None


class KeyedQueue:
    """Keys that want attention.

    Args:
        clock: seconds, monotonic; tests give their own.
        jitter: gives a number between 0 and 1.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, jitter: Callable[[], float] = random.random
    ) -> None:
        self._clock = clock
        self._jitter = jitter
        self._entries: dict[str, Entry] = {}
        self._heap: list[tuple[float, str]] = []
        self._changed = threading.Condition()
        self._closed = False

    def add(self, key: str, after: float = 0.0, reason: str = "") -> None:
        """Put a key in, due ``after`` seconds from now; an earlier due time that it has already is kept.

        A key that is being worked on is looked at once more when that work is done.
        """
        with self._changed:
            now = self._clock()
            entry = self._entries.get(key)
            fresh = entry is None
            if entry is None:
                entry = self._entries[key] = Entry(key, now + after, now, reason=reason)
            elif entry.working:
                entry.dirty = True
                return
            due = max(now + after, entry.rests_until)
            if entry.due <= due and not fresh:
                return
            entry.due, entry.reason = due, reason or entry.reason
            heapq.heappush(self._heap, (entry.due, key))
            self._changed.notify()

    def take(self, timeout: float) -> str | None:
        """The next due key, now being worked on by the caller; ``None`` after ``timeout`` seconds or when closed."""
        end = self._clock() + timeout
        with self._changed:
            while not self._closed:
                now = self._clock()
                key = self._pop(now)
                if key is not None:
                    return key
                until = min(self._heap[0][0], end) if self._heap else end
                if now >= end:
                    return None
                self._changed.wait(max(0.0, until - now))
            return None

    def done(self, key: str, again: float | None = None, reason: str = "", *, stuck: bool = False) -> float | None:
        """The work on a key went well: forget it, or look again ``again`` seconds from now.

        Args:
            stuck: something is in its way; news wake it after a rest only.

        Returns:
            seconds until it is looked at again; ``None`` when it is forgotten.
        """
        return self._finish(key, again, reason, failed=False, rest=REST if stuck else 0.0)

    def failed(self, key: str, reason: str) -> float | None:
        """The work on a key failed: look again after a pause that grows with each failure in a row; answers the pause."""
        return self._finish(key, None, reason, failed=True, rest=REST)

    def close(self) -> None:
        """Let every worker go."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def waiting(self) -> list[Entry]:
        """What is in the queue, soonest first."""
        with self._changed:
            return sorted(self._entries.values(), key=lambda entry: entry.due)

    def tries(self, key: str) -> int:
        """How often in a row a key failed or was stuck."""
        with self._changed:
            entry = self._entries.get(key)
            return entry.tries if entry is not None else 0

    def stalled(self, seconds: float) -> int:
        """How many keys are being worked on for longer than this."""
        now = self._clock()
        return sum(entry.begun is not None and now - entry.begun > seconds for entry in self.waiting())

    def figures(self) -> dict[str, Any]:
        """Figures for people and monitors: how many keys, how late the latest is, how long the oldest is in here."""
        now, entries = self._clock(), self.waiting()
        due = [entry for entry in entries if entry.due <= now and not entry.working]
        failing = [entry for entry in entries if entry.failures]
        return {
            "keys": len(entries),
            "depth": len(due),
            "working": sum(entry.working for entry in entries),
            "failing": len(failing),
            "lag_seconds": round(max((now - entry.due for entry in due), default=0.0), 3),
            "oldest_seconds": round(max((now - entry.since for entry in failing), default=0.0), 3),
        }

    def _pop(self, now: float) -> str | None:
        while self._heap and self._heap[0][0] <= now:
            due, key = heapq.heappop(self._heap)
            entry = self._entries.get(key)
            if entry is not None and not entry.working and entry.due == due:
                entry.begun = now
                return key
        return None

    def _finish(self, key: str, again: float | None, reason: str, *, failed: bool, rest: float) -> float | None:
        with self._changed:
            entry, now = self._entries[key], self._clock()
            entry.begun = None
            entry.reason = reason
            entry.failures = entry.failures + 1 if failed else 0
            entry.tries = entry.tries + 1 if rest else 0
            if entry.count(now) and not failed:
                rest = REST
            entry.rests_until = now + rest * (1.0 + self._jitter() / 4)
            if failed:
                again = self._pause(entry.failures)
            earliest = 0.0 if failed and not entry.dirty else entry.rests_until if rest else 0.0
            if entry.dirty:
                again = 0.0
            entry.dirty = False
            if again is None:
                del self._entries[key]
                return None
            entry.due = max(now + again, earliest)
            heapq.heappush(self._heap, (entry.due, key))
            self._changed.notify()
            return entry.due - now

    def _pause(self, failures: int) -> float:
        pause = min(FIRST_PAUSE * 2.0 ** min(failures - 1, 16), LONGEST_PAUSE)
        # Half fixed, half random: objects that failed together must not come back together.
        return pause * (0.5 + self._jitter() / 2)
