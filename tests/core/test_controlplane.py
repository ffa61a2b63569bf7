"""The control plane's parts on a real database: one leader, no change skipped, one fault disturbs nobody."""

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ambient_core import Again, Reconciler
from ambient_core.config import Settings
from ambient_core.controlplane.leader import LEASE, Leader
from ambient_core.controlplane.loop import ControlPlane
from ambient_core.controlplane.wakeup import ChangeReader
from tests.e2e.conftest import wait_for
from tests.wrong_clock import set_wrong

CHANGE = "INSERT INTO changes (kind, object_id, verb, version, actor) VALUES ('Thing', %s, 'patch', 1, 'test')"


@pytest.fixture
def leaders(database_url: str) -> Iterator[tuple[Leader, Leader]]:
    # Longer than any pause of a busy machine, where nothing is to run out.
    pair = (Leader(database_url, lease=30), Leader(database_url, lease=30))
    yield pair
    for leader in pair:
        leader.close()


def test_one_of_two_leads_and_hands_over_with_a_greater_number(leaders: tuple[Leader, Leader]) -> None:
    one, two = leaders
    assert (one.acquire(), two.acquire(), one.leads(), two.leads()) == (True, False, True, False)
    one.release()
    # The server frees the lock when it has noticed that the connection is closed.
    wait_for(two.acquire, "the other leader")
    assert (one.leads(), one.acquire()) == (False, False)
    assert two.fence == one.fence + 1


@pytest.mark.slow
def test_a_leader_whose_connection_breaks_knows_and_another_takes_over(
    leaders: tuple[Leader, Leader], database_url: str
) -> None:
    # It notices at the latest after a fifth of its lease.
    one, two = Leader(database_url, lease=5), leaders[1]
    assert one.acquire()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
    wait_for(two.acquire, "the other leader")
    wait_for(one.lost.is_set, "the end of the first")
    assert (one.leads(), two.leads()) == (False, True)


@pytest.mark.slow
def test_a_leader_stays_it_beyond_its_lease(leaders: tuple[Leader, Leader], database_url: str) -> None:
    one, two = Leader(database_url), leaders[1]
    assert one.acquire()
    end = time.monotonic() + 1.2 * LEASE
    wait_for(lambda: two.acquire() or time.monotonic() > end, "more than a lease")
    assert (one.leads(), two.leads()) == (True, False)
    one.close()


@pytest.mark.slow
def test_the_server_frees_the_lock_of_one_that_says_nothing(leaders: tuple[Leader, Leader]) -> None:
    speaks = threading.Event()
    silent = Leader(leaders[0]._url, lease=1, figures=lambda: {"spoke": speaks.wait(60)})
    silent.acquire()
    assert silent.fence > 0
    wait_for(leaders[1].acquire, "the other leader")
    assert not silent.leads()
    speaks.set()
    silent.close()


def test_no_leader_and_no_time_without_a_database() -> None:
    nobody = Leader("postgresql://127.0.0.1:1/none?connect_timeout=2")
    assert not nobody.acquire()
    with pytest.raises(LookupError):
        nobody.clock.now()


@pytest.fixture
def reader(database_url: str) -> Iterator[ChangeReader]:
    made = ChangeReader(database_url)
    list(made.read())
    yield made
    made.close()


def read(reader: ChangeReader) -> list[str]:
    return [identifier for _, identifier in reader.read()]


def test_changes_come_once_and_in_order(reader: ChangeReader, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        for name in ("a", "b", "c"):
            connection.execute(CHANGE, [name])
    assert (read(reader), read(reader)) == (["a", "b", "c"], [])


def test_a_slow_writer_is_not_skipped_by_a_fast_one(reader: ChangeReader, database_url: str) -> None:
    with psycopg.connect(database_url) as slow, psycopg.connect(database_url, autocommit=True) as fast:
        slow.execute(CHANGE, ["slow"])
        fast.execute(CHANGE, ["fast"])
        before = read(reader)
        slow.commit()
        assert before + read(reader) == ["slow", "fast"]


def test_many_slow_and_fast_writers_lose_nothing(reader: ChangeReader, database_url: str) -> None:
    def write(number: int) -> None:
        with psycopg.connect(database_url) as connection:
            for count in range(25):
                connection.execute(CHANGE, [f"{number}-{count}"])
                connection.execute("SELECT pg_sleep(%s)", [0.001 * (number % 3)])
                connection.commit()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    found: list[str] = []
    while any(thread.is_alive() for thread in threads):
        found += read(reader)
    found += read(reader)
    assert sorted(found) == sorted(f"{number}-{count}" for number in range(6) for count in range(25))


def test_a_reader_goes_on_after_its_connection_was_cut(reader: ChangeReader, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        ours = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ambient-changes'"
        connection.execute(ours)
        connection.execute(CHANGE, ["after"])
    with pytest.raises(psycopg.Error):
        read(reader)
    reader.close()
    assert read(reader) == ["after"]


class Things(Reconciler):
    """Remembers what it was asked for; one key always fails."""

    kind = "Thing"

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.looks = 0
        self.times: list[datetime] = []

    def keys(self) -> Iterable[str]:
        self.looks += 1
        if self.looks == 1:
            raise RuntimeError("not ready yet")
        return ["known", "poisoned"]

    def reconcile(self, key: str) -> Again | None:
        self.seen.append(key)
        self.times.append(self.context.now())
        if key == "poisoned":
            raise RuntimeError("always")
        return Again(0.05, "once more") if key == "again" and self.seen.count(key) < 3 else None


@pytest.fixture
def things(settings: Settings, database_url: str, tokens: dict[str, Path]) -> Iterator[Things]:
    made = Things()
    plane = ControlPlane(replace(settings, database_url=database_url, poll_interval=0.05), [made], None)
    thread = threading.Thread(target=plane.run)
    thread.start()
    yield made
    plane.stop()
    thread.join(30)
    assert not thread.is_alive()


def test_the_loop_survives_faults_and_hears_of_changes(things: Things, database_url: str) -> None:
    wait_for(lambda: {"known", "poisoned"} <= set(things.seen), "the full look")
    with psycopg.connect(database_url, autocommit=True) as connection:
        for name in ("changed", "again"):
            connection.execute(CHANGE, [name])
    wait_for(lambda: "changed" in things.seen and things.seen.count("again") == 3, "the changes")
    wait_for(lambda: things.seen.count("poisoned") >= 2, "another try of what failed")
    assert things.seen.count("known") == 1


@pytest.mark.parametrize("seconds", [600, -600])
def test_a_reconciler_is_told_the_database_s_time_whatever_this_host_s_clock_says(
    things: Things, database_url: str, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    set_wrong(seconds, monkeypatch.setattr)
    wait_for(lambda: "known" in things.seen, "the full look")
    with psycopg.connect(database_url, autocommit=True) as connection:
        before = time_of(connection)
        connection.execute(CHANGE, ["now"])
        wait_for(lambda: "now" in things.seen, "the change")
        # It is behind by the way of an answer.
        assert before - timedelta(seconds=5) < things.times[things.seen.index("now")] <= time_of(connection)


def time_of(connection: psycopg.Connection[Any]) -> datetime:
    found = connection.execute("SELECT clock_timestamp()").fetchone()
    assert found is not None
    at: datetime = found[0]
    return at


@pytest.mark.slow
def test_an_unknown_kind_wakes_nobody(things: Things, database_url: str) -> None:
    wait_for(lambda: "known" in things.seen, "the full look")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(CHANGE.replace("Thing", "Other"), ["other"])
        connection.execute(CHANGE, ["mine"])
    wait_for(lambda: "mine" in things.seen, "the change")
    assert "other" not in things.seen
