"""What one request does with the database: one connection, one transaction, every statement looked at.

Every connection is in the driver's autocommit mode. A request whose only statement is one read, or one write with its
change row, costs a single round trip; `Transaction.begin` opens an explicit transaction where several statements must
stand or fall together.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Executable
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ambient_core.database.gate import Gate, Ungated
from ambient_core.database.outages import OUTDATED
from ambient_core.database.pool import Held
from ambient_core.errors import GatewayTimeout

if TYPE_CHECKING:
    from ambient_core.database import Database

log = logging.getLogger(__name__)
dialect = PGDialect_psycopg()
"""The SQL dialect that stores compile against."""
SCOPED = "ambient_scoped"
"""The execution option of a SQLAlchemy statement that keeps to a scope: the marks of its kinds."""


def origin(token_id: str | None = None, address: str | None = None, operation_id: str | None = None) -> dict[str, Any]:
    """What the change log says of a write beside who made it, as parameters of the statement that logs it.

    Args:
        token_id: by which token, where tokens have ids.
        address: from where.
        operation_id: in which operation.
    """
    return {"token_id_": token_id, "address_": address or None, "operation_id_": operation_id}


_UNKNOWN = origin()
_Answer = TypeVar("_Answer")


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
        self._held: Held | None = None
        self._explicit = False
        self._announced = False
        self._rehearsal = False
        self._last: tuple[str, Mapping[str, Any]] | None = None
        self.origin = _UNKNOWN

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
        return self._taken().driver

    def _taken(self) -> Held:
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise GatewayTimeout("This request took too long and was given up; nothing of it is kept.", retry_after=5)
        if self._held is None:
            self._held = self.database.pool.take()
        return self._held

    @property
    def _driver(self) -> psycopg.Connection[Any]:
        """The connection that was taken; asked for where it is too late to say no."""
        assert self._held is not None
        return self._held.driver

    @property
    def explicit(self) -> bool:
        """Whether `begin` was called."""
        return self._explicit

    def begin(self) -> None:
        """Open an explicit transaction, so that what follows is committed together; a second call does nothing."""
        if not self._explicit:
            self._taken().driver.execute("BEGIN")
            self._explicit = True

    def begin_with(self, first: sql.Composed) -> list[list[Any]]:
        """Open an explicit transaction and run its first statements in the same message; answers the rows of each.

        Args:
            first: statements without parameters, separated by semicolons.

        Raises:
            Ungated: one is on a kind's table, and carries no scope.
        """
        driver = self._taken().driver
        text = first.as_string(driver)
        if self._gate is not None:
            self._gate.look(text)
        opening = "" if self._explicit else "BEGIN; "
        self._explicit = True
        # Never prepared: each text is used once, and there are several statements in it.
        cursor = driver.execute(f"{opening}{text}".encode(), prepare=False)
        found = [cursor.fetchall()] if cursor.description else []
        while cursor.nextset():
            found.append(cursor.fetchall())
        return found

    def end_with(self, statement: str, parameters: Mapping[str, Any]) -> None:
        """Run this in the same message as the commit, so that it costs no round trip; undone with all else, or not run.

        Args:
            statement: one that answers nothing, with ``%(name)s`` parameters.
            parameters: their values.

        Raises:
            Ungated: it is on a kind's table, and carries no scope.
        """
        if self._gate is not None:
            self._gate.check(statement)
        self.begin()
        self._last = statement, parameters

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A block that is undone alone when it does not end well; the transaction goes on."""
        self.begin()
        self._taken().driver.execute("SAVEPOINT here")
        try:
            yield
        except BaseException:
            if not self._driver.broken:
                self._driver.execute("ROLLBACK TO SAVEPOINT here")
            raise
        self._taken().driver.execute("RELEASE SAVEPOINT here")

    def raw(self, statement: str, parameters: Mapping[str, Any] | None = None) -> psycopg.Cursor[Any]:
        """Run SQL text with ``%(name)s`` parameters; answers a psycopg cursor with tuple rows.

        Raises:
            Ungated: it is on a kind's table, and carries no scope.
        """
        if self._gate is not None:
            self._gate.check(statement)
        return self.as_system(statement, parameters)

    def first(self, statement: str, parameters: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Run SQL text as `raw` does, at less cost; answers its first row, ``None`` when it has none.

        Raises:
            Ungated: it is on a kind's table, and carries no scope.
        """
        if self._gate is not None:
            self._gate.check(statement)
        return self._run(self._taken().first, statement, parameters)

    def now(self) -> datetime:
        """The database's time at this moment: the one clock of all that is written down to be counted from."""
        found = self.first("SELECT clock_timestamp()", {})
        assert found is not None
        at: datetime = found[0]
        return at

    def as_system(self, statement: str, parameters: Mapping[str, Any] | None = None) -> psycopg.Cursor[Any]:
        """Run SQL text on the system's own account, on whosever rows; `tests/core/test_gate.py` lists every use."""
        return self._run(self._taken().driver.execute, statement, parameters)

    def _run(self, run: Callable[[Any, Any], _Answer], statement: Any, parameters: Mapping[str, Any] | None) -> _Answer:
        try:
            return run(statement, parameters)
        except (*OUTDATED, DBAPIError) as fault:
            self._stale = self._stale or isinstance(getattr(fault, "orig", fault), OUTDATED)
            raise

    def execute(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> CursorResult[Any]:
        """Run a SQLAlchemy statement; slower than `raw`, which the stores use.

        Raises:
            Ungated: it is on a kind's table, and `Store.limited` has not seen it.
        """
        if self._gate is not None:
            marks = statement.get_execution_options().get(SCOPED, "")
            self._gate.check(f"{marks}{statement.compile(dialect=dialect)}")  # type: ignore[attr-defined]
        return self._run(Connection(self.database.engine, self._taken().pooled).execute, statement, parameters)

    def commit(self) -> None:
        """Commit what `begin` opened, give the connection back and tell who listens of the changes.

        Raises:
            Unavailable: the connection was lost; whether the commit happened is not known then.
        """
        if self._rehearsal:
            # What PostgreSQL would check at the commit is part of the rehearsal.
            self._taken().driver.execute("SET CONSTRAINTS ALL IMMEDIATE")
            self.rollback()
            return
        try:
            if self._explicit:
                # Not by `driver`: what is done is committed, however late it is.
                if self._last is None:
                    self._driver.execute("COMMIT")
                else:
                    statement, parameters = self._last
                    # Its values go as text: there are two statements in this message.
                    psycopg.ClientCursor(self._driver).execute(f"{statement}; COMMIT", parameters)
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
            if self._explicit and not self._driver.broken:
                self._driver.execute("ROLLBACK")
        except (psycopg.Error, SQLAlchemyError):
            log.debug("rollback failed; the connection is thrown away")
        finally:
            self._explicit = False
            self._give_back()

    def _give_back(self) -> None:
        held, self._held, self._last = self._held, None, None
        stale, self._explicit, self._stale = self._stale, False, False
        if held is not None:
            self.database.pool.give_back(held, stale=stale)
