"""Two control planes, and what becomes of the one that leads: the other takes over, and the first writes nothing more."""

import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.e2e.conftest import wait_for
from tests.faults.conftest import Parts

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("parts")]
HAND_OVER = 10.0
LEADER = "SELECT fence, split_part(holder, ':', 2)::int FROM controlplane_leaders"
CUT = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = %s"


class Pair:
    """Two control planes over one database."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.planes: dict[int, subprocess.Popen[bytes]] = {}
        for name in ("first", "second"):
            process = parts.spawn(name, "ambient_core", "controlplane", "run", "--no-gateway")
            self.planes[process.pid] = process

    def ask(self, statement: str, *values: Any) -> Any:
        with psycopg.connect(self.parts.postgres.url, autocommit=True) as connection:
            return connection.execute(statement, values).fetchone()

    def leader(self, after: int = 0) -> tuple[int, "subprocess.Popen[bytes]"]:
        """Number and process of the leader, once there is one with a greater number."""

        def newer() -> Any:
            found = self.ask(LEADER)
            return found if found and found[0] > after and found[1] in self.planes else None

        fence, pid = wait_for(newer, "a leader")
        return fence, self.planes[pid]

    def works(self) -> None:
        """A session is started, by whoever leads."""
        session = self.parts.session()
        self.parts.until(session, "Running")
        self.parts.ask("DELETE", f"/sessions/{session}")

    def status_by(self, fence: int) -> int:
        """What the API answers to a status with this number."""
        session = self.parts.ask("POST", "/sessions", json={"name": "s", "project_id": "demo"}).json()["id"]
        token = (self.parts.folder / "tokens" / "control-plane").read_text()
        headers = {"Authorization": f"Bearer {token}", "X-Ambient-Fence": str(fence)}
        body = {"starts": 0, "kube_namespace": "x"}
        return self.parts.ask("PATCH", f"/sessions/{session}/status", json=body, headers=headers).status_code

    def end(self) -> None:
        for process in self.planes.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.planes.values():
            process.wait(60)


@pytest.fixture
def pair(parts: Parts) -> Iterator[Pair]:
    made = Pair(parts)
    yield made
    made.end()


def test_a_leader_that_is_killed_is_followed_within_ten_seconds(pair: Pair) -> None:
    fence, leader = pair.leader()
    leader.kill()
    killed = time.monotonic()
    pair.leader(after=fence)
    assert time.monotonic() - killed < HAND_OVER
    pair.works()


def test_a_leader_that_is_stopped_is_followed_and_cannot_write_when_it_goes_on(pair: Pair) -> None:
    fence, stopped = pair.leader()
    stopped.send_signal(signal.SIGSTOP)
    at = time.monotonic()
    newer, follower = pair.leader(after=fence)
    assert time.monotonic() - at < HAND_OVER
    assert (pair.status_by(fence), pair.status_by(newer)) == (409, 200)
    stopped.send_signal(signal.SIGCONT)
    pair.works()
    assert pair.ask(LEADER)[0] == newer
    follower.kill()
    newest, again = pair.leader(after=newer)
    assert again is stopped
    assert newest > newer
    pair.works()


def test_a_leader_whose_connection_is_cut_steps_down_and_competes_again(pair: Pair) -> None:
    fence, _ = pair.leader()
    lock = 0x636F6E74726F6C & 0xFFFFFFFF
    pair.ask(CUT, lock)
    newer, _ = pair.leader(after=fence)
    assert pair.status_by(fence) == 409
    pair.works()
    assert all(process.poll() is None for process in pair.planes.values())
    assert newer == fence + 1
