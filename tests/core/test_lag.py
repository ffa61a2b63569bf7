"""What holds readers of the change log back is measured and shown; it keeps no request away."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from ambient_core import metrics
from ambient_core.changes import lag
from ambient_core.config import Settings
from ambient_core.serving import health
from tests.core.test_change_log import WRITE, Log


@pytest.fixture
def log(database_url: str) -> Iterator[Log]:
    made = Log(database_url)
    yield made
    made.connection.execute("DELETE FROM users")
    made.connection.close()


def test_one_long_transaction_is_seen_with_what_it_hides(log: Log, settings: Settings, database_url: str) -> None:
    own = replace(settings, database_url=database_url, change_lag_warning=0)
    log.make("a", "b")
    log.connection.execute(WRITE, {"id": "b"})
    with psycopg.connect(database_url, application_name="the-long-one") as long:
        long.execute(WRITE, {"id": "a"})
        log.connection.execute(WRITE, {"id": "b"})
        found = lag.measure(log.connection.execute)
        note = health.change_log_note(own)["change_log"]
        figures = health.exposition(own).decode()
    assert found.unseen == note["unseen"] == 1
    assert 0 < found.seconds <= found.transaction_seconds + 1
    assert "the-long-one" in found.holder
    assert "the-long-one" in note["warning"]
    assert "ambient_change_log_unseen 1.0" in figures
    assert "ambient_oldest_write_transaction_seconds " in figures


def test_a_reader_of_another_database_holds_nothing_back(log: Log) -> None:
    log.make("c")
    with psycopg.connect(log.url) as reader:
        reader.execute("SELECT count(*) FROM changes")
        log.connection.execute(WRITE, {"id": "c"})
        assert [change.object_id for change in log.read()] == ["c"]


def test_without_a_database_there_is_no_figure_and_no_fault(settings: Settings) -> None:
    away = replace(settings, database_url="postgresql://127.0.0.1:1/none")
    assert health.change_log_note(away) == {}
    assert b"ambient_change_log" not in health.exposition(away)


def test_open_watches_are_counted(call: Any, app: Any) -> None:
    stream = call("GET", "/users?watch=true", buffered=False)
    assert b"ambient_watches 1.0" in metrics.exposition()
    stream.close()
    assert b"ambient_watches 0.0" in metrics.exposition()
