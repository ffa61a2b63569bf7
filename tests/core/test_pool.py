"""Connections that go from request to request: used again, no more than may be, and none that is lost."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from sqlalchemy import text as sql_text
from sqlalchemy.exc import DBAPIError

from ambient_core.database import Database
from ambient_core.database.gate import Gate, Ungated
from ambient_core.database.pool import Held
from ambient_core.database.transaction import Transaction
from ambient_core.errors import GatewayTimeout, Unavailable
from tests.e2e.conftest import wait_for


@pytest.fixture
def make(database_url: str) -> Iterator[Callable[..., Database]]:
    """Makes a database with a pool of so many connections; closes it in the end."""
    made: list[Database] = []

    def make(size: int, timeout: float = 0, url: str = database_url) -> Database:
        made.append(Database(url, pool_size=size, pool_timeout=timeout))
        return made[-1]

    yield make
    for database in made:
        database.close()


NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
PLURALS = {"skills"}


@pytest.fixture
def taking() -> Iterator[Callable[[Database], list[Held]]]:
    """Takes a connection in a thread of its own that waits for it; answers where it will be put."""
    threads: list[threading.Thread] = []

    def taking(database: Database) -> list[Held]:
        taken: list[Held] = []
        waiting = database.pool._waiting
        threads.append(threading.Thread(target=lambda: taken.append(database.pool.take())))
        threads[-1].start()
        wait_for(lambda: database.pool._waiting > waiting, "who waits")
        return taken

    yield taking
    for thread in threads:
        thread.join()


def test_connections_are_used_again_and_no_more_than_may_be(make: Any) -> None:
    database = make(1)
    with database.transaction() as first:
        held = first.driver
        with pytest.raises(Unavailable, match="busy"), database.transaction() as second:
            second.raw("SELECT 1")
    with database.transaction() as third:
        assert third.driver is held
    database.close()
    assert held.closed


def test_a_lost_connection_takes_the_idle_ones_with_it(make: Any) -> None:
    database = make(2)
    with database.transaction() as first, database.transaction() as second:
        one, other = first.driver, second.driver
    assert one is not other
    with database.transaction() as transaction:
        transaction.driver.close()
    assert one.closed
    assert other.closed
    with database.transaction() as transaction:
        assert transaction.raw("SELECT 1").fetchone() == (1,)


def test_a_connection_that_is_given_back_after_the_end_is_closed(make: Any) -> None:
    database = make(1)
    with database.transaction() as transaction:
        driver = transaction.driver
        closing = threading.Thread(target=database.close)
        closing.start()
        closing.join()
    assert driver.closed


def test_who_waits_gets_what_is_given_back(make: Any, taking: Any) -> None:
    database = make(1, timeout=60)
    held = database.pool.take()
    taken = taking(database)
    database.pool.give_back(held)
    wait_for(lambda: taken, "a connection")
    assert taken == [held]
    database.pool.give_back(held)


def test_who_waits_may_make_one_in_place_of_one_that_is_lost(make: Any, taking: Any) -> None:
    database = make(1, timeout=60)
    lost = database.pool.take()
    taken = taking(database)
    lost.driver.close()
    database.pool.give_back(lost)
    wait_for(lambda: taken, "a connection")
    assert taken[0] is not lost
    assert taken[0].idle
    database.pool.give_back(taken[0])


def test_what_is_given_back_as_the_time_ends_is_taken(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    database = make(1)
    pool, held = database.pool, database.pool.take()
    pool._patience = 60
    # The wait is over, and just then it comes.
    monkeypatch.setattr(pool._returned, "wait", lambda _seconds: (pool._idle.append(held), False)[1])
    assert pool.take() is held
    pool.give_back(held)


def test_one_that_is_left_in_a_transaction_is_thrown_away_alone(make: Any) -> None:
    database = make(2)
    idle, left = database.pool.take(), database.pool.take()
    database.pool.give_back(idle)
    left.driver.execute("BEGIN")
    database.pool.give_back(left)
    assert (left.driver.closed, idle.driver.closed) == (True, False)
    assert full(database) == 2


def test_one_that_is_stale_takes_the_idle_ones_with_it_and_no_leave_is_lost(make: Any) -> None:
    database = make(3)
    held = [database.pool.take() for _ in range(3)]
    for one in held[:2]:
        database.pool.give_back(one)
    database.pool.give_back(held[2], stale=True)
    assert [one.driver.closed for one in held] == [True] * 3
    assert full(database) == 3


def full(database: Database) -> int:
    """How many connections can be had at once."""
    taken: list[Held] = []
    with suppress(Unavailable):
        while True:
            taken.append(database.pool.take())
    for held in taken:
        database.pool.give_back(held)
    return len(taken)


def test_a_server_that_is_away_costs_no_leave(make: Any) -> None:
    database = make(1, url=NOWHERE)
    for _ in range(3):
        with pytest.raises(Unavailable, match="does not answer"):
            database.pool.take()


def test_who_is_ended_while_one_is_made_costs_no_leave(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    database = make(1)

    def ended() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(database.engine, "raw_connection", ended)
        with pytest.raises(KeyboardInterrupt):
            database.pool.take()
    assert full(database) == 1


def test_close_ends_the_idle_ones_at_once_and_the_others_when_they_come_back(make: Any) -> None:
    database = make(2)
    idle, used = database.pool.take(), database.pool.take()
    database.pool.give_back(idle)
    database.close()
    assert (idle.driver.closed, used.driver.closed) == (True, False)
    database.pool.give_back(used)
    assert used.driver.closed


def test_the_first_row_comes_by_a_cursor_that_is_kept_unless_it_holds_much(make: Any) -> None:
    held = make(1).pool.take()
    assert held.first("SELECT %(n)s::int, 'x'", {"n": 1}) == (1, "x")
    kept = held._cursor
    assert held.first("SELECT 1 WHERE false", {}) is None
    assert held._cursor is kept
    assert len((held.first("SELECT repeat('x', 2000000)", {}) or [""])[0]) == 2_000_000
    assert kept not in vars(held).values()
    held.end()


Way = Callable[[Transaction, str], object]
WAYS: dict[str, Way] = {
    "first": lambda transaction, text: transaction.first(text, {}),
    "raw": lambda transaction, text: transaction.raw(text),
    "execute": lambda transaction, text: transaction.execute(sql_text(text)),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_callers_transaction_runs_no_statement_without_a_scope(make: Any, way: Way) -> None:
    transaction = Transaction(make(1), gate=Gate(lambda: PLURALS))
    with pytest.raises(Ungated, match="skills"):
        way(transaction, "SELECT 1 FROM skills")
    assert way(transaction, "SELECT 1")
    transaction.rollback()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_no_statement_begins_after_the_deadline(make: Any, way: Way) -> None:
    transaction = Transaction(make(1), deadline=time.monotonic() - 1)
    with pytest.raises(GatewayTimeout):
        way(transaction, "SELECT 1")
    transaction.rollback()


@pytest.mark.parametrize("way", ["first", "raw"])
def test_a_server_that_takes_no_writes_any_more_is_left_by_all_its_connections(make: Any, way: str) -> None:
    database = make(2)
    idle = database.pool.take()
    transaction = Transaction(database)
    transaction.raw("SET default_transaction_read_only = on")
    database.pool.give_back(idle)
    driver = transaction.driver
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        WAYS[way](transaction, "CREATE TABLE late (id int)")
    transaction.rollback()
    assert (driver.closed, idle.driver.closed) == (True, True)
    with database.transaction() as other:
        assert other.first("SHOW default_transaction_read_only", {}) == ("off",)


def test_what_fails_after_it_makes_no_good_server_of_one_that_takes_no_writes(make: Any) -> None:
    transaction = Transaction(make(1))
    transaction.raw("SET default_transaction_read_only = on")
    driver = transaction.driver
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        transaction.raw("CREATE TABLE late (id int)")
    with pytest.raises(DBAPIError):
        transaction.execute(sql_text("SELECT 1 / 0"))
    transaction.rollback()
    assert driver.closed
