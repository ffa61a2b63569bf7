"""The connections that go from request to request."""

import math
import os
import socket
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
        self.since = math.inf
        """When it was taken, on the monotonic clock; infinite while it is idle."""

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

    @property
    def lost(self) -> bool:
        """Whether the server has ended it while it was idle."""
        try:
            # The server's last words come first; that nothing will follow shows when there is nothing left to be read.
            self.driver.pgconn.consume_input()
            self.driver.pgconn.consume_input()
        except psycopg.OperationalError:
            return True
        return not self.idle

    def cut(self) -> None:
        """Let whoever waits for the server on it see that nothing will come."""
        with suppress(OSError, psycopg.OperationalError), socket.socket(fileno=os.dup(self.driver.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)

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
        longest: seconds after which one in use is ended by `sweep`; 0 for never.
    """

    def __init__(self, engine: Engine, size: int, patience: float, longest: float = 0) -> None:
        self._engine = engine
        self._patience = patience
        self._longest = longest or math.inf
        self._idle: list[Held] = []
        self._all: set[Held] = set()
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
        try:
            held = self._idle.pop()
        except IndexError:
            held = self._idle_or_leave() or self._made()
        held.since = time.monotonic()
        return held

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
        self._end(held)

    def sweep(self) -> None:
        """End those that the server has ended, before a request gets one, and those on which it no longer answers.

        A server that is frozen, or beyond a broken line, does not even end a statement in time. To be called about every second.
        """
        for held in [held for held in self._idle if held.lost]:
            # Another thread may have taken it meanwhile, and sees for itself.
            with suppress(ValueError):
                self._idle.remove(held)
                self._end(held)
        now = time.monotonic()
        for held in tuple(self._all):
            if now - held.since > self._longest:
                held.cut()

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

    def _made(self) -> Held:
        try:
            held = Held(self._engine.raw_connection())
        except BaseException as fault:
            # Whoever is ended while it waits for a new one must not take the leave to make it along.
            self._give_leave()
            if isinstance(fault, DBAPIError | psycopg.Error):
                raise unavailable(fault) from fault
            raise
        self._all.add(held)
        return held

    def _end(self, held: Held) -> None:
        self._all.discard(held)
        held.end()
        self._give_leave()

    def _give_leave(self) -> None:
        with self._returned:
            self._free += 1
            self._returned.notify()

    def _keep(self, held: Held) -> None:
        held.since = math.inf
        self._idle.append(held)
        if self._waiting:
            with self._returned:
                self._returned.notify()
        if self._closed:
            self._end_idle()

    def _end_idle(self) -> None:
        with suppress(IndexError):
            while True:
                self._end(self._idle.pop())
