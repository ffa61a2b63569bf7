"""A stop that does not come to an end by itself is forced, and what was asked for meanwhile is not lost."""

import os
import signal
from collections.abc import Iterator

import psutil
import pytest

from tests.e2e.conftest import System, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hasty")]
HASTY = {
    "AMBIENT_SESSIONS_STOP_GRACE": "0",
    "AMBIENT_SESSIONS_STOP_DEADLINE": "2",
}


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system that waits for nothing long."""
    started = System(tmp_path_factory.mktemp("hasty") / "data", **HASTY).start()
    yield started
    assert started.stop() == 0


def test_a_supervisor_that_hangs_is_ended_and_the_session_is_stopped(hasty: System) -> None:
    session = hasty.session()
    hasty.until(session, "Running")
    state = hasty.state(session)
    os.kill(state["supervisor"], signal.SIGSTOP)
    assert hasty.ask("POST", f"/sessions/{session}/stop").status_code == 200
    row = hasty.until(session, "Stopped", "Failed")
    assert (row["phase"], hasty.reason(row)) == ("Stopped", "UserStopped")
    wait_for(lambda: hasty.processes(session) == [], "the end of every process")
    assert hasty.ask("POST", f"/sessions/{session}/start").status_code == 200
    hasty.until(session, "Running")
    hasty.ask("DELETE", f"/sessions/{session}")


def test_a_deleted_session_whose_supervisor_hangs_leaves_nothing(hasty: System) -> None:
    session = hasty.session()
    hasty.until(session, "Running")
    runner = hasty.state(session)["pid"]
    os.kill(hasty.state(session)["supervisor"], signal.SIGSTOP)
    hasty.ask("DELETE", f"/sessions/{session}")
    wait_for(lambda: not (hasty.folder / "sessions" / session).exists(), "the clean-up", 40)
    assert not psutil.pid_exists(runner) or psutil.Process(runner).status() == "zombie"
