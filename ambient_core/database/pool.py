"""The connections that go from request to request."""

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolProxiedConnection

from ambient_core.database.outages import unavailable

_LARGE = 1_000_000


class Held:
    """A connection, with what is kept beside it from one request to the next.

    Args:
        pooled: the connection as SQLAlchemy made it.
    """

    def __init__(self, pooled: PoolProxiedConnection) -> None:
        driver = pooled.driver_connection
        assert isinstance(driver, psycopg.Connection)
        self.pooled = pooled
        self.driver: psycopg.Connection[Any] = driver

    def first(self, statement: str, parameters: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Run a statement and answer its first row, by a cursor that is kept: it remembers how the last one's values are read."""
        row = self._cursor.execute(statement, parameters).fetchone()
        if row is not None and any(type(value) is str and len(value) > _LARGE for value in row):
            # A cursor keeps what it has read until it reads again, and this connection may be idle for long.
            del self._cursor
        return row

    @cached_property
    def _cursor(self) -> psycopg.Cursor[Any]:
        return self.driver.cursor()

    @property
    def idle(self) -> bool:
        """Whether it is whole, and in no transaction."""
        connection = self.driver.pgconn
        # One that is closed is in no known state.
        return connection.transaction_status == TransactionStatus.IDLE

    def end(self) -> None:
        """Close it."""
        if self.pooled.is_valid:
            self.pooled.invalidate()
        self.pooled.close()


class Pool:
    """Connections of one process.

    SQLAlchemy's pool does more for each use of a connection than a request has time for: it makes them, and from then on they
    go from request to request here.

    Args:
        engine: makes connections.
        size: how many at most.
        patience: seconds to wait for one.
    """

    def __init__(self, engine: Engine, size: int, patience: float) -> None:
        self._engine = engine
        self._patience = patience
        self._idle: list[Held] = []
        self._free = size
        self._waiting = 0
        self._returned = threading.Condition()
        self._closed = False

    def take(self) -> Held:
        """A connection that nobody uses, or a new one.

        Raises:
            Unavailable: there is none in time, or the server does not answer.
        """
        # One that is idle costs no lock: taking it off the list is one step.
        with suppress(IndexError):
            return self._idle.pop()
        if (held := self._idle_or_leave()) is not None:
            return held
        try:
            return Held(self._engine.raw_connection())
        except BaseException as fault:
            # Whoever is ended while it waits for a new one must not take the leave to make it along.
            self._give_leave()
            if isinstance(fault, DBAPIError | psycopg.Error):
                raise unavailable(fault) from fault
            raise

    def give_back(self, held: Held, *, stale: bool = False) -> None:
        """The next request uses it; one that is lost or in an unknown state is thrown away.

        When the server went away, every idle connection is as dead as this one: each would cost one request its answer.

        Args:
            held: it.
            stale: whether those that are idle are no better.
        """
        if not stale and held.idle:
            self._keep(held)
            return
        if stale or held.driver.closed:
            self._end_idle()
        held.end()
        self._give_leave()

    def close(self) -> None:
        """Close those that are idle, and each other one once it is given back."""
        self._closed = True
        self._end_idle()

    def _idle_or_leave(self) -> Held | None:
        """A connection that became idle, or nothing: then a new one may be made.

        Raises:
            Unavailable: neither comes in time; there is a last look when the time is over.
        """
        end = time.monotonic() + self._patience
        with self._returned:
            # Before the look at what is idle: who gives one back after that look sees that somebody waits.
            self._waiting += 1
            try:
                while True:
                    with suppress(IndexError):
                        return self._idle.pop()
                    if self._free:
                        self._free -= 1
                        return None
                    left = end - time.monotonic()
                    if left <= 0:
                        raise unavailable(PoolTimeout())
                    self._returned.wait(left)
            finally:
                self._waiting -= 1

    def _give_leave(self) -> None:
        with self._returned:
            self._free += 1
            self._returned.notify()

    def _keep(self, held: Held) -> None:
        self._idle.append(held)
        if self._waiting:
            with self._returned:
                self._returned.notify()
        if self._closed:
            self._end_idle()

    def _end_idle(self) -> None:
        with suppress(IndexError):
            while True:
                self._idle.pop().end()
                self._give_leave()
