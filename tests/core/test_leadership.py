"""The number that a leader's writes carry: the newest is taken, an older one and nonsense are refused, all in one transaction."""

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from ambient_core.controlplane.leader import Leader

STATES = "/controlplane/states"


@pytest.fixture
def leader(database_url: str) -> Iterator[Leader]:
    made = Leader(database_url)
    assert made.acquire()
    yield made
    made.close()


def put(call: Any, fence: Any, **state: Any) -> Any:
    body = {"states": [{"kind": "Thing", "id": "a", **state}]}
    return call("POST", STATES, json=body, headers={} if fence is None else {"X-Ambient-Fence": str(fence)})


def test_31_the_newest_number_is_taken_and_every_other_is_refused(control_plane: Any, leader: Leader) -> None:
    assert put(control_plane, leader.fence).status_code == 204
    assert put(control_plane, None).status_code == 204
    for other in (leader.fence - 1, leader.fence + 1):
        refusal = put(control_plane, other)
        assert refusal.status_code == 409
        assert [fault["rule"] for fault in refusal.json["errors"]] == ["fence"]
    assert put(control_plane, "first").status_code == 400


def test_only_the_control_plane_says_what_it_knows(call: Any, control_plane: Any) -> None:
    assert put(call, None).status_code == 403
    wrong = control_plane("POST", STATES, json={"states": [{"kind": "Thing", "attempts": "many"}]})
    assert {fault["field"] for fault in wrong.json["errors"]} == {"/states/0/id", "/states/0/attempts"}


def test_a_state_keeps_since_when_it_waits_for_the_same(control_plane: Any, database_url: str) -> None:
    def state() -> Any:
        with psycopg.connect(database_url) as connection:
            columns = "waiting_for, since, attempts, next_at > now(), seen"
            return connection.execute(f"SELECT {columns} FROM reconcile_states WHERE object_id = 'a'").fetchone()

    put(control_plane, None, waiting_for="a quota", attempts=1, next_in=60, seen={"stage": "absent"})
    first = state()
    put(control_plane, None, waiting_for="a quota", attempts=2, next_in=60)
    second = state()
    put(control_plane, None, waiting_for="the runner")
    third = state()
    assert (first[0], first[2:], second[2]) == ("a quota", (1, True, {"stage": "absent"}), 2)
    assert (second[1] == first[1], third[1] > first[1]) == (True, True)
    control_plane("POST", STATES, json={"states": [], "gone": [{"kind": "Thing", "id": "a"}]})
    assert state() is None


def test_the_next_number_waits_for_a_write_that_is_under_way(database_url: str, leader: Leader) -> None:
    other = Leader(database_url)
    with psycopg.connect(database_url) as writer:
        writer.execute("SELECT fence FROM controlplane_leaders FOR SHARE")
        leader.release()
        thread = threading.Thread(target=other.acquire)
        thread.start()
        with psycopg.connect(database_url, autocommit=True) as watcher:
            waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            while watcher.execute(waits).fetchone() == (0,):
                assert thread.is_alive()
        assert not other.leads()
    thread.join(10)
    assert other.leads()
    other.close()
