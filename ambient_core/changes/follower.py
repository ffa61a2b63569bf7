"""Follows the change log for a whole process, however many want to hear of it."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

from ambient_core import changes
from ambient_core.changes import Batch, Position
from ambient_core.database import Database, driver_url

log = logging.getLogger(__name__)
_GATHER = 0.01
_ECHOES = (0.02, 0.08, 0.3)
_LONGEST_PAUSE = 5.0

Take = Callable[[Batch], None]


class Tail:
    """The end of the change log, read over a connection of its own.

    A notification wakes it. It looks again soon after: a change may wait for an older transaction that ends without a word.
    Without any news it looks every ``interval`` seconds, so that is what a lost notification costs at most.

    Args:
        database: whose log.
        interval: seconds between looks without news.
        name: of the connection, for who looks at the server.
    """

    def __init__(self, database: Database, interval: float, name: str) -> None:
        self._database = database
        self._interval = interval
        self._url = driver_url(database.url)
        self._name = name
        self._connection: psycopg.Connection[Any] | None = None
        self._echo = len(_ECHOES)
        self._seen = database.listener.position()
        self.position = changes.START

    def seek_end(self) -> Position:
        """Go to the end of the log.

        Raises:
            psycopg.Error: the database does not answer.
        """
        self.position = changes.end(self._connected().execute)
        return self.position

    def next(self) -> Batch:
        """The next changes; waits for them, and answers an empty batch now and then. Outages are waited out."""
        pause = 0.1
        while not self._database.closed:
            try:
                batch = changes.read(self._connected().execute, self.position)
            except psycopg.Error as fault:
                log.warning("the change log cannot be read (%s); trying again", type(fault).__name__)
                self.close()
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            self.position = batch.position
            if not batch.changes:
                self._wait()
            elif not batch.more:
                # What is committed together with these is read together with them.
                time.sleep(_GATHER)
            return batch
        return Batch((), self.position, more=False)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _wait(self) -> None:
        listener = self._database.listener
        echoing = self._echo < len(_ECHOES)
        listener.wait(self._seen, min(_ECHOES[self._echo], self._interval) if echoing else self._interval)
        now = listener.position()
        self._echo = self._echo + 1 if now == self._seen else 0
        self._seen = now

    def _connected(self) -> "psycopg.Connection[Any]":
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._url, autocommit=True, application_name=self._name, connect_timeout=5
            )
        return self._connection


class Follower:
    """Reads the log once for all who subscribe in this process; the thread lives as long as somebody does.

    Args:
        database: whose log.
        interval: seconds between looks without news.
    """

    def __init__(self, database: Database, interval: float) -> None:
        self._database = database
        self._interval = interval
        self._lock = threading.Lock()
        self._takers: list[Take] = []
        self._tail: Tail | None = None
        self._handed = changes.START

    def subscribe(self, take: Take) -> Position:
        """Hear of every change after the position that is answered, in commit order; again, to ask for the position alone.

        Args:
            take: gets each batch, in the follower's thread; it must not wait.

        Raises:
            psycopg.Error: the database does not answer.
        """
        with self._lock:
            if self._tail is None:
                tail = Tail(self._database, self._interval, "ambient-follower")
                self._handed = tail.seek_end()
                self._tail = tail
                threading.Thread(target=self._run, args=(tail,), name="change-follower", daemon=True).start()
            if take not in self._takers:
                self._takers.append(take)
            return self._handed

    def unsubscribe(self, take: Take) -> None:
        """Hear no more."""
        with self._lock:
            if take in self._takers:
                self._takers.remove(take)

    def _run(self, tail: Tail) -> None:
        while True:
            with self._lock:
                if not self._takers or self._database.closed:
                    self._tail = None
                    break
            batch = tail.next()
            with self._lock:
                self._handed = batch.position
                for take in self._takers:
                    take(batch)
        tail.close()
