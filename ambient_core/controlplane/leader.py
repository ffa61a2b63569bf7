"""Who works: one process holds an advisory lock of the database, on a connection of its own, with a number of its own.

The server ends that connection when nothing is heard from it for the lease: so the lock is free again soon after its
holder was killed, stopped or cut off, whatever became of the network. The holder counts the same time, from before it asked
until its answer, and stops earlier than the server does.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from ambient_core.controlplane.clock import DatabaseClock
from ambient_core.database import driver_url, url_of

log = logging.getLogger(__name__)
LOCK = 0x636F6E74726F6C
LEASE = 5.0
_TAKE = (
    "INSERT INTO controlplane_leaders (name, fence, holder) VALUES ('control-plane', 1, %s) ON CONFLICT (name) DO UPDATE SET "
    "fence = controlplane_leaders.fence + 1, holder = excluded.holder, since = now() RETURNING fence, clock_timestamp()"
)
_TELL = (
    "INSERT INTO controlplane_figures (name, fence, figures) VALUES ('control-plane', %s, %s) ON CONFLICT (name) DO UPDATE SET "
    "fence = excluded.fence, figures = excluded.figures, at = now() RETURNING clock_timestamp()"
)


class Leader:
    """Holds the lock, or tries to.

    Args:
        url: the database.
        lease: seconds of silence after which the lock is free.
        figures: what the leader tells about itself.

    Attributes:
        clock: the database's time, as it was heard with the last sign of life.
    """

    def __init__(self, url: str, lease: float = LEASE, figures: Callable[[], Mapping[str, Any]] = dict) -> None:
        self._url = driver_url(url_of(url))
        self._lease = lease
        self._figures = figures
        self._connection: psycopg.Connection[Any] | None = None
        self._keeper: threading.Thread | None = None
        self._until = 0.0
        self.clock = DatabaseClock()
        self.fence = 0
        self.holder = f"{socket.gethostname()}:{os.getpid()}"
        self.lost = threading.Event()
        self.lost.set()

    def acquire(self) -> bool:
        """Try to become the leader; answers whether this process is it."""
        if not self.lost.is_set():
            return self.leads()
        self.release()
        asked = time.monotonic()
        try:
            fence = self._take(self._connected())
        except psycopg.Error as fault:
            log.warning("cannot ask for leadership: %s", type(fault).__name__)
            self._close()
            return False
        if fence is None:
            return False
        self.fence, self._until = fence, asked + self._lease
        self.lost.clear()
        self._keeper = threading.Thread(target=self._keep, name="leader", daemon=True)
        self._keeper.start()
        return self.leads()

    def leads(self) -> bool:
        """Whether this process may act as the leader at this moment; costs nothing."""
        return not self.lost.is_set() and time.monotonic() < self._until

    def release(self) -> None:
        """Step down."""
        self.lost.set()
        if self._keeper is not None and self._keeper is not threading.current_thread():
            self._keeper.join()
            self._keeper = None

    def close(self) -> None:
        """Step down, and compete no more."""
        self.release()
        self._close()

    def _keep(self) -> None:
        """Let the server hear of us all the time; when it does not answer in time, somebody else may lead."""
        connection = self._connection
        assert connection is not None
        while not self.lost.wait(self._lease / 5):
            asked = time.monotonic()
            try:
                told = connection.execute(_TELL, (self.fence, Jsonb(dict(self._figures())))).fetchone()
            except psycopg.Error as fault:
                log.warning("leadership is lost: %s", type(fault).__name__)
                break
            if time.monotonic() >= self._until:
                log.warning("leadership is lost: the database was not heard of for %g seconds", self._lease)
                break
            self._until = asked + self._lease
            assert told is not None
            self.clock.hear(told[0])
        self.lost.set()
        # Closing it frees the lock at once.
        self._close()

    def _take(self, connection: "psycopg.Connection[Any]") -> int | None:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
        if row is None or not row[0]:
            return None
        taken = connection.execute(_TAKE, (self.holder,)).fetchone()
        assert taken is not None
        self.clock.hear(taken[1])
        return int(taken[0])

    def _connected(self) -> "psycopg.Connection[Any]":
        if self._connection is None or self._connection.closed:
            milliseconds = int(self._lease * 1000)
            self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                application_name="ambient-leader",
                connect_timeout=max(2, int(self._lease)),
                tcp_user_timeout=milliseconds,
                options=f"-c idle_session_timeout={milliseconds} -c statement_timeout={milliseconds}",
            )
        return self._connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
