"""PostgreSQL: one pool per process, one transaction per request.

Every connection is in the driver's autocommit mode. A request whose only statement is one read, or one write with its
change row, costs a single round trip; `Transaction.begin` opens an explicit transaction where several statements must
stand or fall together.
"""

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Executable, create_engine, event, make_url
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import URL, CursorResult
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import NullPool, PoolProxiedConnection

from ambient_core.changes import CHANNEL
from ambient_core.errors import GatewayTimeout, SetupError, TooManyRequests
from ambient_core.gate import Gate, Ungated
from ambient_core.listen import Listener
from ambient_core.notify import Notifier
from ambient_core.outages import is_outage, unavailable

log = logging.getLogger(__name__)
dialect = PGDialect_psycopg()
"""The SQL dialect that stores compile against."""
SCOPED = "ambient_scoped"
"""The execution option of a SQLAlchemy statement that keeps to a scope: the marks of its kinds."""


def url_of(text: str) -> URL:
    """Read a database URL; ``postgres://`` and ``postgresql://`` mean the driver that we use.

    Raises:
        SetupError: it is no URL of a PostgreSQL database.
    """
    try:
        url = make_url(text)
    except SQLAlchemyError:
        raise SetupError("database_url is no URL; write it as postgresql://user:password@host:5432/database") from None
    if url.drivername.split("+")[0] not in ("postgres", "postgresql"):
        raise SetupError(f"database_url must be a PostgreSQL URL, not {url.drivername!r}.")
    return url.set(drivername="postgresql+psycopg")


class Transaction:
    """What one request does with the database. Made by `Database.transaction`.

    The connection is taken from the pool when the first statement comes.

    Args:
        database: whose pool it is.
        deadline: on the monotonic clock; no statement begins after it.
        gate: looks at every statement; a caller's transaction has one.
    """

    def __init__(self, database: "Database", deadline: float | None = None, gate: Gate | None = None) -> None:
        self.database = database
        self._gate = gate
        self._deadline = deadline
        self._stale = False
        self._pooled: PoolProxiedConnection | None = None
        self._explicit = False
        self._announced = False
        self._rehearsal = False

    def rehearse(self) -> None:
        """Let everything happen and undo it at the end instead of committing it: a dry run."""
        self.begin()
        self._rehearsal = True

    @property
    def rehearsal(self) -> bool:
        """Whether `rehearse` was called."""
        return self._rehearsal

    def announce(self) -> None:
        """Wake those who wait for news once this is committed; whatever writes the change log calls it."""
        self._announced = True

    @property
    def driver(self) -> psycopg.Connection[Any]:
        """The psycopg connection; taken from the pool at first use.

        Raises:
            GatewayTimeout: the deadline is over.
            Unavailable: there is no connection to be had.
            Ungated: the transaction is a caller's, whose statements go by the gate.
        """
        if self._gate is not None:
            raise Ungated(
                "The connection of a request is used by `raw` and `execute` alone, which look at the statement."
            )
        return self._taken()

    def _taken(self) -> psycopg.Connection[Any]:
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise GatewayTimeout("This request took too long and was given up; nothing of it is kept.", retry_after=5)
        if self._pooled is None:
            self._pooled = self.database.connect()
        return self._held()

    def _held(self) -> psycopg.Connection[Any]:
        driver = self._pooled.driver_connection if self._pooled is not None else None
        assert isinstance(driver, psycopg.Connection)
        return driver

    @property
    def explicit(self) -> bool:
        """Whether `begin` was called."""
        return self._explicit

    def begin(self) -> None:
        """Open an explicit transaction, so that what follows is committed together; a second call does nothing."""
        if not self._explicit:
            self._taken().execute("BEGIN")
            self._explicit = True

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A block that is undone alone when it does not end well; the transaction goes on."""
        self.begin()
        self._taken().execute("SAVEPOINT here")
        try:
            yield
        except BaseException:
            if not self._held().broken:
                self._held().execute("ROLLBACK TO SAVEPOINT here")
            raise
        self._taken().execute("RELEASE SAVEPOINT here")

    def raw(self, statement: str, parameters: Mapping[str, Any] | None = None) -> psycopg.Cursor[Any]:
        """Run SQL text with ``%(name)s`` parameters; answers a psycopg cursor with tuple rows.

        Raises:
            Ungated: it is on a kind's table, and carries no scope.
        """
        if self._gate is not None:
            self._gate.check(statement)
        return self.as_system(statement, parameters)

    def as_system(self, statement: str, parameters: Mapping[str, Any] | None = None) -> psycopg.Cursor[Any]:
        """Run SQL text on the system's own account, on whosever rows; `tests/core/test_gate.py` lists every use."""
        try:
            return self._taken().execute(statement, parameters)
        except psycopg.errors.ReadOnlySqlTransaction:
            # A server that was the primary once: whoever asks next must not get this connection.
            self._stale = True
            raise

    def execute(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> CursorResult[Any]:
        """Run a SQLAlchemy statement; slower than `raw`, which the stores use.

        Raises:
            Ungated: it is on a kind's table, and `Store.limited` has not seen it.
        """
        if self._gate is not None:
            marks = statement.get_execution_options().get(SCOPED, "")
            self._gate.check(f"{marks}{statement.compile(dialect=dialect)}")  # type: ignore[attr-defined]
        self._pooled = self._pooled or self.database.connect()
        return Connection(self.database.engine, self._pooled).execute(statement, parameters)

    def commit(self) -> None:
        """Commit what `begin` opened, give the connection back and tell who listens of the changes.

        Raises:
            Unavailable: the connection was lost; whether the commit happened is not known then.
        """
        if self._rehearsal:
            # What PostgreSQL would check at the commit is part of the rehearsal.
            self._taken().execute("SET CONSTRAINTS ALL IMMEDIATE")
            self.rollback()
            return
        try:
            if self._explicit:
                # Not by `driver`: what is done is committed, however late it is.
                self._held().execute("COMMIT")
                self._explicit = False
        finally:
            self._give_back()
        if self._announced:
            self._announced = False
            self.database.committed()

    def rollback(self) -> None:
        """Undo what `begin` opened and give the connection back; never raises."""
        self._announced = self._rehearsal = False
        try:
            if self._explicit and not self._held().broken:
                self._held().execute("ROLLBACK")
        except (psycopg.Error, SQLAlchemyError):
            log.debug("rollback failed; the connection is thrown away")
        finally:
            self._explicit = False
            self._give_back()

    def _give_back(self) -> None:
        pooled, self._pooled = self._pooled, None
        stale, self._explicit, self._stale = self._stale, False, False
        if pooled is None:
            return
        driver = pooled.driver_connection
        if stale:
            self.database.forget(pooled, all_of_them=True)
        elif driver is None or driver.closed or driver.info.transaction_status != TransactionStatus.IDLE:
            self.database.forget(pooled)
        else:
            self.database.keep(pooled)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a database's users may take beside single statements.

    Args:
        lock_timeout: seconds that a statement waits for a lock; 0 for as long as the statement may take.
        idle_timeout: seconds that a transaction may do nothing before the server ends it; 0 for ever.
        stream_limit: connections at most for streamed lists, beside the pool.
        stream_timeout: seconds that one may be idle, or wait for its next rows.
    """

    lock_timeout: float = 5
    idle_timeout: float = 30
    stream_limit: int = 4
    stream_timeout: float = 60


class Database:
    """A pool of connections to one database.

    Args:
        url: ``postgresql://...``
        pool_size: connections at most.
        pool_timeout: seconds to wait for a free one.
        statement_timeout: seconds after which the server cancels a statement; 0 for none.
        name: what the server's list of connections shows.
        limits: of what lasts longer.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 8,
        pool_timeout: float = 5,
        statement_timeout: float = 10,
        name: str = "ambient",
        limits: Limits = Limits(),
    ) -> None:
        self.url = url_of(url)
        self._streams = threading.BoundedSemaphore(limits.stream_limit)
        patience = f"{int(limits.stream_timeout * 1000)}"
        self._stream_options = (
            f"-c timezone=UTC -c statement_timeout={patience} -c idle_in_transaction_session_timeout={patience} "
            "-c default_transaction_isolation=repeatable\\ read -c default_transaction_read_only=on"
        )
        self._name = name
        timeouts = {
            "statement_timeout": statement_timeout,
            "lock_timeout": limits.lock_timeout,
            "idle_in_transaction_session_timeout": limits.idle_timeout,
        }
        options = " ".join(["-c timezone=UTC", *(f"-c {n}={int(seconds * 1000)}" for n, seconds in timeouts.items())])
        self.engine = create_engine(
            self.url,
            isolation_level="AUTOCOMMIT",
            poolclass=NullPool,
            pool_reset_on_return=None,
            connect_args={"options": options, "connect_timeout": max(2, int(pool_timeout)), "application_name": name},
        )
        event.listen(self.engine, "connect", _prepare_connection)
        # SQLAlchemy's pool does more for each use of a connection than a request has time for: it makes them, and from then
        # on they go from request to request here.
        self._idle: list[PoolProxiedConnection] = []
        self._free = threading.Semaphore(pool_size)
        self._patience = pool_timeout
        self._notifier = Notifier(driver_url(self.url), CHANNEL)
        self.listener = Listener(driver_url(self.url), CHANNEL)
        self.closed = False

    def connect(self) -> PoolProxiedConnection:
        """Take a connection that nobody uses, or a new one.

        Raises:
            Unavailable: there is none in time, or the server does not answer.
        """
        if not self._free.acquire(timeout=self._patience):
            raise unavailable(PoolTimeout())
        with suppress(IndexError):
            return self._idle.pop()
        try:
            return self.engine.raw_connection()
        except (DBAPIError, psycopg.Error) as fault:
            self._free.release()
            raise unavailable(fault) from fault

    def keep(self, pooled: PoolProxiedConnection) -> None:
        """Take a connection back that is whole; the next request uses it."""
        self._idle.append(pooled)
        self._free.release()
        if self.closed:
            self._end_idle()

    def forget(self, pooled: PoolProxiedConnection, *, all_of_them: bool = False) -> None:
        """Throw a connection away that is lost or in an unknown state; with one that is lost, all that are idle.

        When the server went away, every idle connection is as dead as this one: each would cost one request its answer.
        """
        lost = pooled.driver_connection
        if all_of_them or lost is None or lost.closed:
            self._end_idle()
        _end(pooled)
        self._free.release()

    def _end_idle(self) -> None:
        with suppress(IndexError):
            while True:
                _end(self._idle.pop())

    def open_stream(self) -> psycopg.Connection[Any]:
        """A connection of its own for one long read: a snapshot, read only. Give it to `close_stream` in the end.

        Raises:
            TooManyRequests: there are as many as may be.
            Unavailable: the server does not answer.
        """
        if not self._streams.acquire(blocking=False):
            raise TooManyRequests(
                "As many lists are streamed as this server takes at once; try again soon.", headers={"Retry-After": "5"}
            )
        try:
            return psycopg.connect(
                driver_url(self.url),
                options=self._stream_options,
                connect_timeout=5,
                application_name=f"{self._name}-stream",
            )
        except BaseException as fault:
            self._streams.release()
            if isinstance(fault, psycopg.Error):
                raise unavailable(fault) from fault
            raise

    def close_stream(self, connection: psycopg.Connection[Any]) -> None:
        """End a connection that `open_stream` gave."""
        try:
            connection.close()
        finally:
            self._streams.release()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction that commits when the block ends well, and is undone when it does not."""
        transaction = Transaction(self)
        try:
            yield transaction
            transaction.commit()
        except (DBAPIError, psycopg.Error) as fault:
            transaction.rollback()
            if is_outage(fault):
                raise unavailable(fault) from fault
            raise
        except BaseException:
            transaction.rollback()
            raise

    def committed(self) -> None:
        """Wake those who follow the change log, in this process and in others."""
        self._notifier.poke()

    def close(self) -> None:
        """Close every connection; what works in the background on this database ends soon after."""
        self.closed = True
        self._notifier.stop()
        self.listener.stop()
        self._end_idle()


def driver_url(url: URL) -> str:
    """The same URL in libpq's form, for connections of our own beside the pool."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _end(pooled: PoolProxiedConnection) -> None:
    if pooled.is_valid:
        pooled.invalidate()
    pooled.close()


def _prepare_connection(connection: Any, _record: Any) -> None:
    connection.autocommit = True
    connection.prepare_threshold = 1
