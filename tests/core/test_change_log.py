"""The change log's reader: nothing skipped, nothing twice, and the versions of an object in their order, whatever overlaps."""

import random
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from ambient_core import changes
from ambient_core.changes import Change

MAKE = "INSERT INTO users (id, username, name) VALUES (%(id)s, %(id)s, 'n')"
WRITE = (
    "WITH users AS (UPDATE users SET version = version + 1 WHERE id = %(id)s RETURNING *) "
    "INSERT INTO changes (kind, object_id, verb, version, actor) SELECT 'User', id, 'patch', version, 'test' FROM users"
)


class Log:
    """A database whose log is read as every reader reads it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection = psycopg.connect(url, autocommit=True)
        self.position = changes.end(self.connection.execute)

    def read(self, limit: int = 500) -> list[Change]:
        found: list[Change] = []
        while (batch := changes.read(self.connection.execute, self.position, limit)).changes:
            self.position = batch.position
            found += batch.changes
        return found

    def make(self, *names: str) -> None:
        for name in names:
            self.connection.execute(MAKE, {"id": name})

    def writer(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url)


@pytest.fixture
def log(database_url: str) -> Iterator[Log]:
    made = Log(database_url)
    yield made
    made.connection.execute("DELETE FROM users")
    made.connection.close()


def shown(found: list[Change]) -> list[tuple[str, int]]:
    return [(change.object_id, change.version) for change in found]


def test_an_older_transaction_that_writes_later_comes_later(log: Log) -> None:
    """Its id is older, and between the two runs a third that splits what a reader sees."""
    log.make("x", "y", "z")
    with log.writer() as old, log.writer() as between, log.writer() as new:
        old.execute(WRITE, {"id": "y"})
        between.execute(WRITE, {"id": "z"})
        new.execute(WRITE, {"id": "x"})
        new.commit()
        old.execute(WRITE, {"id": "x"})
        old.commit()
        found = log.read()
        between.commit()
        found += log.read()
    assert [one for one in shown(found) if one[0] == "x"] == [("x", 2), ("x", 3)]
    assert sorted(shown(found)) == [("x", 2), ("x", 3), ("y", 2), ("z", 2)]


def test_many_slow_and_fast_writers_of_few_objects_lose_nothing_and_keep_every_order(log: Log) -> None:
    names = [f"o{number}" for number in range(5)]
    log.make(*names)
    threads = [threading.Thread(target=_write, args=(log, names, seed)) for seed in range(8)]
    for thread in threads:
        thread.start()
    found: list[Change] = []
    while any(thread.is_alive() for thread in threads):
        found += log.read(limit=7)
    found += log.read()
    versions = {name: [c.version for c in found if c.object_id == name] for name in names}
    stored = dict(log.connection.execute("SELECT id, version FROM users").fetchall())
    assert versions == {name: list(range(2, stored[name] + 1)) for name in names}
    assert sum(len(seen) for seen in versions.values()) == 8 * 40


def _write(log: Log, names: list[str], seed: int) -> None:
    chance = random.Random(seed)
    with log.writer() as connection:
        for _ in range(20):
            # In one order, so that no two of them wait for each other.
            for name in sorted(chance.sample(names, 2)):
                connection.execute(WRITE, {"id": name})
                connection.execute("SELECT pg_sleep(%s)", [chance.choice([0, 0, 0.004])])
            connection.commit()


def test_ten_thousand_changes_in_small_pages_come_once_each_in_one_order(log: Log) -> None:
    insert = "INSERT INTO changes (kind, object_id, verb, version, actor) SELECT 'Bulk', g::text, 'create', 1, 't' FROM generate_series(1, 2500) g"

    def write() -> None:
        with log.writer() as connection:
            connection.execute(insert)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = log.read(limit=333)
    assert len(found) == len({c.position for c in found}) == 10_000
    assert [c.position for c in found] == sorted(c.position for c in found)


def test_what_a_long_transaction_hides_comes_when_it_ends_and_what_is_rolled_back_never(log: Log) -> None:
    log.make("a", "b")
    with log.writer() as long, log.writer() as short:
        long.execute(WRITE, {"id": "a"})
        short.execute(WRITE, {"id": "b"})
        short.commit()
        assert shown(log.read()) == []
        long.rollback()
    assert shown(log.read()) == [("b", 2)]


def test_large_changes_come_in_smaller_batches_and_all_of_them(log: Log) -> None:
    text = "INSERT INTO changes (kind, object_id, verb, version, actor, object) VALUES ('Big', '1', 'patch', 1, 't', %s::json)"
    for _ in range(12):
        log.connection.execute(text, ['{"text": "' + "x" * 1_000_000 + '"}'])
    first = changes.read(log.connection.execute, log.position)
    assert first.more
    assert 1 <= len(first.changes) < 12
    assert len(log.read()) == 12


def test_a_cursor_is_the_same_for_the_same_change_and_gives_its_position_back(log: Log) -> None:
    log.make("q")
    log.connection.execute(WRITE, {"id": "q"})
    (change,) = log.read()
    run = log.connection.execute
    text = changes.cursor(changes.horizon(run).log, change.position)
    assert changes.position_of(run, text, "after") == change.position == changes.end(run)


def test_a_reader_that_ignores_running_transactions_would_skip(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is what holds: without it this history loses a change."""
    monkeypatch.setattr(changes, "_READ", changes._READ.replace(changes.SETTLED, "true"))
    log.make("s", "t")
    with log.writer() as slow:
        slow.execute(WRITE, {"id": "s"})
        log.connection.execute(WRITE, {"id": "t"})
        found = log.read()
        slow.commit()
    assert shown(found + log.read()) == [("t", 2)]


def test_a_log_that_is_ordered_by_the_writer_s_own_id_would_turn_an_object_s_versions_round(log: Log) -> None:
    """`change_position` is what holds: without it the case of the first test comes out wrong."""
    log.connection.execute("ALTER TABLE changes ALTER COLUMN xid SET DEFAULT pg_current_xact_id()")
    log.make("u", "v")
    with log.writer() as old, log.writer() as new:
        old.execute(WRITE, {"id": "v"})
        new.execute(WRITE, {"id": "u"})
        new.commit()
        old.execute(WRITE, {"id": "u"})
        old.commit()
    log.connection.execute("ALTER TABLE changes ALTER COLUMN xid SET DEFAULT change_position()")
    assert [one for one in shown(log.read()) if one[0] == "u"] == [("u", 3), ("u", 2)]
