"""PostgreSQL: one pool of connections for each process.

The room has all that stands between a kind and the server: transactions, the gate before them, the SQL of a kind, replicas,
and how news of a commit arrives.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from ambient_core.database.listen import CHANNEL, Listener
from ambient_core.database.notify import Notifier
from ambient_core.database.outages import is_outage, unavailable
from ambient_core.database.pool import Pool
from ambient_core.database.transaction import Transaction
from ambient_core.errors import SetupError, TooManyRequests

log = logging.getLogger(__name__)


def url_of(text: str, setting: str = "database_url") -> URL:
    """Read a database URL; ``postgres://`` and ``postgresql://`` mean the driver that we use.

    Args:
        text: the URL.
        setting: where it was said.

    Raises:
        SetupError: it is no URL of a PostgreSQL database.
    """
    try:
        url = make_url(text)
    except SQLAlchemyError:
        raise SetupError(f"{setting} is no URL; write it as postgresql://user:password@host:5432/database") from None
    if url.drivername.split("+")[0] not in ("postgres", "postgresql"):
        raise SetupError(f"{setting} must be a PostgreSQL URL, not {url.drivername!r}.")
    return url.set(drivername="postgresql+psycopg")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a database's users may take beside single statements.

    Args:
        lock_timeout: seconds that a statement waits for a lock; 0 for as long as the statement may take.
        idle_timeout: seconds that a transaction may do nothing before the server ends it; 0 for ever.
        stream_limit: connections at most for streamed lists, beside the pool.
        stream_timeout: seconds that one may be idle, or wait for its next rows.
        longest_use: seconds after which nothing is waited for any more on a connection of the pool; 0 for ever.
    """

    lock_timeout: float = 5
    idle_timeout: float = 30
    stream_limit: int = 4
    stream_timeout: float = 60
    longest_use: float = 0


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
        self.pool = Pool(self.engine, pool_size, pool_timeout, limits.longest_use)
        self._notifier = Notifier(driver_url(self.url), CHANNEL)
        self.listener = Listener(driver_url(self.url), CHANNEL)
        self.closed = False

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
        self.pool.close()


def driver_url(url: URL) -> str:
    """The same URL in libpq's form, for connections of our own beside the pool."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _prepare_connection(connection: Any, _record: Any) -> None:
    connection.autocommit = True
    connection.prepare_threshold = 1
