"""Wait for news of the database: notifications wake, a poll makes sure."""

import logging
import threading
import time
from typing import Any

import psycopg

log = logging.getLogger(__name__)

CHANNEL = "ambient_changes"
"""The channel that is notified after commits; it only wakes, it never carries data."""

_CHECK = 5.0
_LONGEST_PAUSE = 10.0


class Listener:
    """One LISTEN connection for a whole process, however many wait.

    A notification only wakes; whoever waits then reads what is there. When the connection is lost, waiting turns into
    polling until it is back.

    Args:
        url: the database, in libpq's form.
        channels: what to listen to.
    """

    def __init__(self, url: str, *channels: str) -> None:
        self._url = url
        self._channels = channels
        self._news = threading.Condition()
        self._count = 0
        self._thread: threading.Thread | None = None
        self._stopped = False

    def position(self) -> int:
        """How much news there was so far; give it to `wait`, so that none is missed in between."""
        self._start()
        return self._count

    def wait(self, position: int, timeout: float) -> None:
        """Wait until there is news after ``position``, or for ``timeout`` seconds."""
        with self._news:
            self._news.wait_for(lambda: self._count != position or self._stopped, timeout)

    def stop(self) -> None:
        """End the thread."""
        self._stopped = True
        self._tell()

    def _start(self) -> None:
        if self._thread is None:
            with self._news:
                if self._thread is None and not self._stopped:
                    self._thread = threading.Thread(target=self._run, name="listener", daemon=True)
                    self._thread.start()

    def _tell(self) -> None:
        with self._news:
            self._count += 1
            self._news.notify_all()

    def _run(self) -> None:
        pause = 0.1
        while not self._stopped:
            try:
                with psycopg.connect(self._url, autocommit=True, application_name="ambient-listener") as connection:
                    self._follow(connection)
                pause = 0.1
            except psycopg.Error as fault:
                log.warning("listening was interrupted (%s); polling goes on", type(fault).__name__)
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _follow(self, connection: "psycopg.Connection[Any]") -> None:
        for channel in self._channels:
            connection.execute(f'LISTEN "{channel}"')
        # Whatever happened while nobody listened.
        self._tell()
        while not self._stopped:
            for _ in connection.notifies(timeout=_CHECK, stop_after=1):
                self._tell()
            if connection.closed:
                return
