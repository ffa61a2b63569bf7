"""What moved, for the control plane: the change log from now on, over a connection of its own."""

from collections.abc import Iterator
from typing import Any

import psycopg

from ambient_core import changes
from ambient_core.changes import Position
from ambient_core.database import driver_url, url_of

_BATCH = 1000
_TAKE = "DELETE FROM controlplane_requests RETURNING kind, object_id"


class ChangeReader:
    """Follows the change log from now on.

    Args:
        url: the database.
    """

    def __init__(self, url: str) -> None:
        self._url = driver_url(url_of(url))
        self._connection: psycopg.Connection[Any] | None = None
        self._position: Position | None = None

    def read(self) -> Iterator[tuple[str, str]]:
        """(kind, object id) of every change since the last call, in commit order; the first call only finds the end.

        Raises:
            psycopg.Error: the database does not answer; the next call goes on where this one was.
        """
        connection = self.connected()
        if self._position is None:
            self._position = changes.end(connection.execute)
        while True:
            keys = changes.read_keys(connection.execute, self._position, _BATCH)
            for kind, identifier, position in keys:
                yield kind, identifier
                self._position = position
            if len(keys) < _BATCH:
                return

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def connected(self) -> "psycopg.Connection[Any]":
        """The connection, made anew when it was lost."""
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._url, autocommit=True, application_name="ambient-changes")
        return self._connection


def take_requests(reader: ChangeReader) -> list[tuple[str, str]]:
    """(kind, object id) of every object that somebody wants looked at now; each is answered once.

    Raises:
        psycopg.Error: the database does not answer; the requests stay.
    """
    return list(reader.connected().execute(_TAKE).fetchall())
