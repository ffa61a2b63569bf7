"""A queue of keys: one entry a key, one worker a key, back-off that grows for the key that fails and for no other."""

import heapq
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0


@dataclass(slots=True)
class Entry:
    """What is known of one key.

    Args:
        key: which object.
        due: when it is looked at, on the queue's clock.
        since: when it was first put in, on the queue's clock.
        failures: in a row.
        reason: what is waited for, or the last error.
    """

    key: str
    due: float
    since: float
    failures: int = 0
    reason: str = ""
    working: bool = False
    dirty: bool = False


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
            if entry is None:
                entry = self._entries[key] = Entry(key, now + after, now, reason=reason)
            elif entry.working:
                entry.dirty = True
                return
            elif now + after >= entry.due:
                return
            entry.due, entry.reason = now + after, reason or entry.reason
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

    def done(self, key: str, again: float | None = None, reason: str = "") -> None:
        """The work on a key went well: forget it, or look again ``again`` seconds from now."""
        self._finish(key, again, reason, failed=False)

    def failed(self, key: str, reason: str) -> None:
        """The work on a key failed: look again after a pause that grows with each failure in a row."""
        self._finish(key, None, reason, failed=True)

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

    def _pop(self, now: float) -> str | None:
        while self._heap and self._heap[0][0] <= now:
            due, key = heapq.heappop(self._heap)
            entry = self._entries.get(key)
            if entry is not None and not entry.working and entry.due == due:
                entry.working = True
                return key
        return None

    def _finish(self, key: str, again: float | None, reason: str, *, failed: bool) -> None:
        with self._changed:
            entry = self._entries[key]
            entry.working = False
            entry.reason = reason
            entry.failures = entry.failures + 1 if failed else 0
            if failed:
                again = self._pause(entry.failures)
            if entry.dirty and not failed:
                again = 0.0
            entry.dirty = False
            if again is None:
                del self._entries[key]
                return
            entry.due = self._clock() + again
            heapq.heappush(self._heap, (entry.due, key))
            self._changed.notify()

    def _pause(self, failures: int) -> float:
        pause = min(FIRST_PAUSE * 2.0 ** min(failures - 1, 16), LONGEST_PAUSE)
        # Half fixed, half random: objects that failed together must not come back together.
        return pause * (0.5 + self._jitter() / 2)
