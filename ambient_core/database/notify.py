"""Wake those who wait for news of the database, after commits and never inside them."""

import logging
import threading
import time
from typing import Any

import psycopg

log = logging.getLogger(__name__)
_GATHER = 0.01
"""Seconds between two notifications: all commits in between share one."""


class Notifier:
    """One NOTIFY connection for a whole process, however many commit.

    ``pg_notify`` inside a writing transaction takes a lock of the whole server at commit, so one thread per process sends
    one notification for all commits since the last one. Readers poll as well: a lost notification costs them one interval.

    Args:
        url: the database, in libpq's form.
        channel: what is notified.
    """

    def __init__(self, url: str, channel: str) -> None:
        self._url = url
        self._statement = f"SELECT pg_notify('{channel}', '')"
        self._wanted = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def poke(self) -> None:
        """Ask for a notification; answers at once."""
        if self._thread is None:
            with self._lock:
                if self._thread is None and not self._stopped:
                    self._thread = threading.Thread(target=self._run, name="change-notifier", daemon=True)
                    self._thread.start()
        if not self._wanted.is_set():
            self._wanted.set()

    def stop(self) -> None:
        """End the thread."""
        self._stopped = True
        self._wanted.set()

    def _run(self) -> None:
        connection: psycopg.Connection[Any] | None = None
        while self._wanted.wait() and not self._stopped:
            self._wanted.clear()
            try:
                if connection is None or connection.closed:
                    connection = psycopg.connect(self._url, autocommit=True)
                connection.execute(self._statement)
            except psycopg.Error:
                log.warning("change notification not sent; readers find the change when they poll")
                connection = None
            time.sleep(_GATHER)
        if connection is not None:
            connection.close()
