"""Two control planes, and what becomes of the one that leads: the other takes over, and the first writes nothing more."""

import signal
import time
from collections.abc import Iterator

import pytest

from tests.faults.conftest import Parts
from tests.faults.pair import HAND_OVER, LEADER, Pair

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("parts")]
CUT = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = %s"


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
