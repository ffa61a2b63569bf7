"""PostgreSQL and API workers that go away under load: 503 or a broken connection, then service again, nothing lost."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest

from tests.e2e.conftest import wait_for
from tests.faults.conftest import Parts

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("parts")]


class Load:
    """Clients that write users, and remember what was acknowledged."""

    def __init__(self, parts: Parts, prefix: str) -> None:
        self.parts = parts
        self.prefix = prefix
        self.acknowledged: set[str] = set()
        self.statuses: Counter[int] = Counter()
        self.refusals: list[httpx.Response] = []
        self.broken = 0
        self.stopping = threading.Event()

    def write(self, number: int) -> None:
        count = 0
        with httpx.Client(headers=self.parts.headers, trust_env=False, timeout=30) as client:
            while not self.stopping.is_set():
                count += 1
                name = f"{self.prefix}-{number}-{count}"
                try:
                    answer = client.post(f"{self.parts.api}/users", json={"username": name, "name": name})
                except httpx.TransportError:
                    self.broken += 1
                    continue
                self.statuses[answer.status_code] += 1
                if answer.status_code == 201:
                    self.acknowledged.add(name)
                else:
                    self.refusals.append(answer)

    @contextmanager
    def running(self) -> Iterator["Load"]:
        threads = [threading.Thread(target=self.write, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        yield self
        self.stopping.set()
        for thread in threads:
            thread.join(60)

    def grows(self) -> bool:
        before = len(self.acknowledged)
        wait_for(lambda: len(self.acknowledged) > before + 20, "new acknowledged writes", 40)
        return True

    def check_nothing_is_lost_or_half_written(self) -> None:
        with psycopg.connect(self.parts.postgres.url) as connection:
            rows = connection.execute("SELECT id, username FROM users WHERE username LIKE %s", [f"{self.prefix}-%"])
            stored = {name: identifier for identifier, name in rows.fetchall()}
            logged = connection.execute("SELECT object_id FROM changes WHERE kind = 'User' AND verb = 'create'")
            changes = Counter(row[0] for row in logged.fetchall())
        assert self.acknowledged <= set(stored)
        assert all(changes[identifier] == 1 for identifier in stored.values())


def test_59_a_database_that_stops_and_starts_is_503_and_then_service(parts: Parts) -> None:
    with Load(parts, "outage").running() as load:
        assert load.grows()
        parts.postgres.stop()
        wait_for(lambda: load.statuses[503] > 20, "refusals", 30)
        parts.postgres.start()
        assert load.grows()
    assert set(load.statuses) == {201, 503}
    assert load.broken == 0
    for refusal in load.refusals:
        assert int(refusal.headers["Retry-After"]) >= 1
        assert set(refusal.json()) >= {"kind", "code", "reason", "operation_id"}
        assert "postgres" not in refusal.text.lower()
        assert "psycopg" not in refusal.text.lower()
    load.check_nothing_is_lost_or_half_written()


def test_api_workers_that_are_killed_are_replaced(parts: Parts) -> None:
    with Load(parts, "killed").running() as load:
        assert load.grows()
        killed = parts.workers("api")
        assert len(killed) >= 2
        for worker in killed:
            worker.kill()
        assert load.grows()
    assert set(load.statuses) == {201}
    assert load.broken > 0
    assert not {p.pid for p in killed} & {p.pid for p in parts.workers("api")}
    load.check_nothing_is_lost_or_half_written()


def test_a_session_survives_a_database_that_stops_in_the_middle(parts: Parts) -> None:
    with parts.control_plane():
        session = parts.session(prompt="Look.", stop_on_run_finished=True)
        parts.until(session, "Creating", "Running", "Completed")
        parts.postgres.stop()
        parts.postgres.start()
        row = parts.until(session, "Completed", "Failed", seconds=60)
    assert parts.reason(row) in ("RunFinished", "RunFailed")
