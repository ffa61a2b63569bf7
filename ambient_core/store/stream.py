"""A whole list as newline-delimited JSON: one snapshot, one line for each object, constant memory on both sides.

The rows come through a server-side cursor, some at a time, and only as fast as the caller takes them. Such a stream may last,
so it has a connection of its own beside the pool, and there are only so many of them.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

import psycopg

from ambient_core.database import Database

NDJSON = "application/x-ndjson"
BATCH = 500


class RowStream:
    """The lines of a list, for WSGI: an iterator that is closed when the caller has gone.

    The first lines are read at once, so that what is wrong is said before the answer begins. A stream that breaks later ends
    without its last chunk, which tells the caller that it is not whole.

    Args:
        database: where the rows are.
        text: a statement that answers one column, the objects as JSON text.
        parameters: its values.

    Raises:
        TooManyRequests: there are as many streams as this process allows.
        Unavailable: the database does not answer.
    """

    def __init__(self, database: Database, text: str, parameters: Mapping[str, Any]) -> None:
        self._database = database
        self._connection: psycopg.Connection[Any] | None = database.open_stream()
        self._cursor = self._connection.cursor(name="stream")
        try:
            self._cursor.execute(text, parameters)
            self._lines = self._read()
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        lines = self._lines
        if not lines:
            self.close()
            raise StopIteration
        self._lines = b""
        try:
            self._lines = self._read()
        except BaseException:
            self.close()
            raise
        return lines

    def close(self) -> None:
        """Give the connection back; a second call does nothing."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                self._cursor.close()
            self._database.close_stream(connection)

    def _read(self) -> bytes:
        rows = self._cursor.fetchmany(BATCH)
        return b"".join([row[0].encode() + b"\n" for row in rows])
