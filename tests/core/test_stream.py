"""A list as lines: one snapshot, constant memory, a connection that is given back, and an end for who takes nothing."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from tests.core.lions import serving
from tests.e2e.conftest import wait_for

ROWS = 60_000
NDJSON = {"Accept": "application/x-ndjson"}


@pytest.fixture(scope="module")
def zoo(settings: Any, database_url: str, calls: Any) -> Iterator[Any]:
    own = replace(settings, stream_limit=2, stream_timeout=0.5, statement_timeout=0.4)
    with serving(own, database_url) as app:
        with app.runtime.database.transaction() as transaction:
            fill = f"INSERT INTO lions (id, name, note) SELECT lpad(n::text, 9, '0'), 'n' || n, repeat('x', 300) FROM generate_series(1, {ROWS}) AS n"
            transaction.raw("SET statement_timeout = 0")
            transaction.raw(fill)
            transaction.raw("SET statement_timeout = 400")
        yield calls(app)


@pytest.fixture
def streams(database_url: str) -> Iterator[Any]:
    """How many connections are streaming."""
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ambient-stream' AND datname = current_database()"
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield lambda: connection.execute(count).fetchone()[0]


def opened(zoo: Any) -> tuple[Any, Iterator[bytes]]:
    answer = zoo("GET", "/lions", headers=NDJSON, buffered=False)
    assert answer.status_code == 200
    return answer, iter(answer.response)


def test_it_is_one_snapshot_at_constant_memory_though_it_lasts(zoo: Any, streams: Any) -> None:
    tracemalloc.start()
    answer, lines = opened(zoo)
    count = next(lines).count(b"\n")
    with zoo.client.application.runtime.database.transaction() as transaction:
        transaction.raw("INSERT INTO lions (id, name) VALUES ('999999999', 'late')")
        transaction.raw("DELETE FROM lions WHERE id = '000059999'")
    size = 0
    for chunk in lines:
        count += chunk.count(b"\n")
        size += len(chunk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == ROWS
    assert size > 20_000_000
    assert peak < 4_000_000
    answer.close()
    wait_for(lambda: streams() == 0, "the end of the connection", 10)


def test_a_caller_that_goes_away_frees_its_connection(zoo: Any, streams: Any) -> None:
    for _ in range(5):
        answer, lines = opened(zoo)
        next(lines)
        answer.close()
    unread = zoo("GET", "/lions", headers=NDJSON, buffered=False)
    unread.close()
    wait_for(lambda: streams() == 0, "the end of the connections", 10)


def test_there_are_only_so_many_and_the_verbs_do_not_notice(zoo: Any) -> None:
    held = [opened(zoo)[0] for _ in range(2)]
    refused = zoo("GET", "/lions", headers=NDJSON)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
    assert zoo("GET", "/lions?size=1&total=false").status_code == 200
    for answer in held:
        answer.close()
    assert opened(zoo)[0].close() is None


def test_who_takes_nothing_is_cut_off_and_knows_it(zoo: Any, streams: Any) -> None:
    answer, lines = opened(zoo)
    next(lines)
    wait_for(lambda: streams() == 0, "the server's patience", 10)
    with pytest.raises(psycopg.Error):
        for _ in lines:
            pass
    answer.close()
    assert opened(zoo)[0].close() is None
