"""Keys to work on, each by one worker at a time, at once or later."""

import threading
import time
from collections.abc import Callable

Key = tuple[str, str]


class WorkQueue:
    """Calls ``work`` for each key that is due; what it answers is the seconds until the key is due again, or None.

    Args:
        work: does one key.
        workers: how many threads.
    """

    def __init__(self, work: Callable[[Key], float | None], workers: int) -> None:
        self._work = work
        self._due: dict[Key, float] = {}
        self._busy: set[Key] = set()
        self._changed = threading.Condition()
        self._stopping = False
        self._threads = [threading.Thread(target=self._run, name="reconciler", daemon=True) for _ in range(workers)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, after what is being done."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def add(self, key: Key, seconds: float = 0) -> None:
        """Have a key done this many seconds from now, or earlier when that was asked for."""
        with self._changed:
            self._due[key] = min(self._due.get(key, float("inf")), time.monotonic() + seconds)
            self._changed.notify_all()

    def _take(self) -> Key | None:
        with self._changed:
            while not self._stopping:
                free = {key: due for key, due in self._due.items() if key not in self._busy}
                key = min(free, key=free.__getitem__, default=None)
                if key is not None and free[key] <= time.monotonic():
                    del self._due[key]
                    self._busy.add(key)
                    return key
                self._changed.wait(free[key] - time.monotonic() if key is not None else None)
            return None

    def _run(self) -> None:
        while (key := self._take()) is not None:
            later = self._work(key)
            with self._changed:
                self._busy.discard(key)
                self._changed.notify_all()
            if later is not None:
                self.add(key, later)
