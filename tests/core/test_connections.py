"""The connections of a pool: used again while they are good, and ended when they are not."""

import queue
import threading
import time
from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import text

from ambient_core.database import Database, Limits
from ambient_core.database.transaction import Transaction
from ambient_core.errors import Unavailable
from conftest import Caller


def wait_for_state(database_url: str, pid: int, *wanted: str) -> None:
    """Wait until a connection is in this state, or gone."""
    end, found = time.monotonic() + 30, [("not asked yet",)]
    with psycopg.connect(database_url, autocommit=True) as watching:
        while found != [(state,) for state in wanted]:
            assert time.monotonic() < end, found
            found = watching.execute("SELECT state FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchall()


def test_an_idle_connection_that_the_server_ended_costs_no_request_its_answer(database_url: str) -> None:
    database = Database(database_url)
    with database.transaction() as transaction:
        driver = transaction.driver
    pid = driver.info.backend_pid
    with psycopg.connect(database_url, autocommit=True) as ending:
        ending.execute("SELECT pg_terminate_backend(%s)", (pid,))
    wait_for_state(database_url, pid)
    database.pool.sweep()
    assert driver.closed
    with database.transaction() as transaction:
        assert transaction.raw("SELECT 1").fetchone() == (1,)
    database.close()


def test_an_idle_connection_that_is_good_is_kept(database_url: str) -> None:
    database = Database(database_url)
    with database.transaction() as transaction:
        driver = transaction.driver
    database.pool.sweep()
    with database.transaction() as transaction:
        assert transaction.driver is driver
    database.close()


def test_a_server_that_never_answers_is_waited_for_no_longer_than_may_be(database_url: str) -> None:
    database = Database(database_url, limits=Limits(longest_use=1e-9))
    pids: queue.Queue[int] = queue.Queue()

    def sleep() -> None:
        with database.transaction() as transaction:
            pids.put(transaction.driver.info.backend_pid)
            transaction.raw("SELECT pg_sleep(600)")

    def wait_for_ever() -> None:
        with pytest.raises(Unavailable):
            sleep()

    waiting = threading.Thread(target=wait_for_ever)
    waiting.start()
    wait_for_state(database_url, pids.get(timeout=30), "active")
    database.pool.sweep()
    waiting.join(30)
    assert not waiting.is_alive()
    database.close()


ASKED = "SELECT * FROM widths"


def by_text(transaction: Transaction) -> None:
    transaction.raw(ASKED)


def by_first_row(transaction: Transaction) -> None:
    transaction.first(ASKED, {})


def by_sqlalchemy(transaction: Transaction) -> None:
    transaction.execute(text(ASKED))


@pytest.mark.parametrize("ask", [by_text, by_first_row, by_sqlalchemy])
def test_a_connection_whose_plans_are_outdated_serves_nobody_else(
    database_url: str, ask: Callable[[Transaction], None]
) -> None:
    database = Database(database_url, pool_size=1)
    with database.transaction() as transaction:
        transaction.raw("CREATE TABLE widths (width integer)")
    try:
        for _ in range(3):
            with database.transaction() as transaction:
                ask(transaction)
        with psycopg.connect(database_url, autocommit=True) as migrating:
            migrating.execute("ALTER TABLE widths ALTER COLUMN width TYPE bigint")
        with pytest.raises(Exception, match="cached plan"), database.transaction() as transaction:
            ask(transaction)
        with database.transaction() as transaction:
            ask(transaction)
    finally:
        with database.transaction() as transaction:
            transaction.raw("DROP TABLE widths")
        database.close()


def test_a_migration_under_a_running_server_costs_no_request_its_answer(
    call: Caller, project: str, database_url: str
) -> None:
    described = iter(range(100))

    def change() -> int:
        body = {"labels": {"n": str(next(described))}}
        return call("PATCH", f"/projects/{project}", json=body).status_code

    assert [change() for _ in range(3)] == [200, 200, 200]
    with psycopg.connect(database_url, autocommit=True) as migrating:
        migrating.execute("ALTER TABLE projects ADD COLUMN beside text")
        migrating.execute("ALTER TABLE projects ALTER COLUMN description TYPE varchar(5000)")
        try:
            assert [change() for _ in range(3)] == [200, 200, 200]
        finally:
            migrating.execute("ALTER TABLE projects DROP COLUMN beside")
            migrating.execute("ALTER TABLE projects ALTER COLUMN description TYPE text")
