"""What moved: the change log read in commit order, woken by notifications, sure by polling."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from ambient_core.database import driver_url, url_of

_BATCH = 1000
# Only rows whose transaction is older than every running one: sequence order is not commit order.
_READ = (
    "SELECT xid::text, seq, kind, object_id FROM changes "
    "WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) AND (xid, seq) > (%(xid)s::xid8, %(seq)s) "
    "ORDER BY xid, seq LIMIT %(limit)s"
)
_END = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text"


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the log was read."""

    xid: str
    seq: int


class ChangeReader:
    """Follows the change log from now on.

    Args:
        url: the database.
    """

    def __init__(self, url: str) -> None:
        self._url = driver_url(url_of(url))
        self._connection: psycopg.Connection[Any] | None = None
        self._cursor: Cursor | None = None

    def read(self) -> Iterator[tuple[str, str]]:
        """(kind, object id) of every change since the last call, in commit order; the first call only finds the end.

        Raises:
            psycopg.Error: the database does not answer; the next call goes on where this one was.
        """
        connection = self._connected()
        if self._cursor is None:
            row = connection.execute(_END).fetchone()
            self._cursor = Cursor(row[0] if row else "0", -1)
        while True:
            parameters = {"xid": self._cursor.xid, "seq": self._cursor.seq, "limit": _BATCH}
            rows = connection.execute(_READ, parameters).fetchall()
            for xid, seq, kind, identifier in rows:
                yield kind, identifier
                self._cursor = Cursor(xid, seq)
            if len(rows) < _BATCH:
                return

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> "psycopg.Connection[Any]":
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._url, autocommit=True, application_name="ambient-changes")
        return self._connection
