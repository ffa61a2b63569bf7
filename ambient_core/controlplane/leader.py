"""Who works: one process holds an advisory lock of the database, on a connection of its own."""

import logging
from typing import Any

import psycopg

from ambient_core.database import driver_url, url_of

log = logging.getLogger(__name__)
LOCK = 0x636F6E74726F6C


class Leader:
    """Holds the lock, or tries to.

    Args:
        url: the database.
    """

    def __init__(self, url: str) -> None:
        # The server must notice a dead holder by itself, or nobody could take over.
        self._url = driver_url(url_of(url))
        self._connection: psycopg.Connection[Any] | None = None

    def acquire(self) -> bool:
        """Try to become the leader; answers whether this process is it."""
        if self.holds():
            return True
        try:
            connection = psycopg.connect(
                self._url,
                autocommit=True,
                application_name="ambient-leader",
                keepalives_idle=5,
                keepalives_interval=2,
                keepalives_count=3,
            )
            got = connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
        except psycopg.Error as fault:
            log.warning("cannot ask for leadership: %s", type(fault).__name__)
            return False
        if got is None or not got[0]:
            connection.close()
            return False
        self._connection = connection
        return True

    def holds(self) -> bool:
        """Whether the lock is still ours; losing the connection is losing the lock."""
        if self._connection is None:
            return False
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            log.warning("leadership is lost: the database connection broke")
            self.release()
            return False
        return True

    def release(self) -> None:
        """Step down."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
