"""The control plane, killed at each step of starting a session: the next one brings the session to its true end, once."""

import signal

import psutil
import pytest

from tests.e2e.conftest import wait_for
from tests.faults.conftest import Parts

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("parts")]
STEPS = [
    "Launch",
    "Report-Creating",
    "Publish",
    "Report-Running",
    "StartRun",
    "Report-Stopping",
    "Terminate",
    "Report-Completed",
]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_session_completes_once_whatever_was_interrupted(parts: Parts, step: str, moment: str) -> None:
    session = parts.session(prompt="Look.", stop_on_run_finished=True)
    crashing = parts.spawn("crashing", "tests.faults.crashing", step, moment)
    assert crashing.wait(60) == -signal.SIGKILL
    with parts.control_plane():
        row = parts.until(session, "Completed", "Failed", "Stopped", seconds=90)
        wait_for(lambda: parts.processes(session) == [], "the end of every process")
    assert (row["phase"], row["starts"], parts.reason(row)) == ("Completed", 1, "RunFinished")
    runs = parts.ask("GET", f"/sessions/{session}/agui/runs").json()["items"]
    assert [run["state"] for run in runs] == ["finished"]
    assert parts.ask("GET", f"/sessions/{session}/messages").json()["total"] == 3


def test_a_session_deleted_while_nobody_looks_leaves_nothing(parts: Parts) -> None:
    session = parts.session()
    with parts.control_plane() as plane:
        parts.until(session, "Running")
        runner = psutil.Process(parts.state(session)["pid"])
        plane.kill()
    parts.ask("DELETE", f"/sessions/{session}")
    assert runner.is_running()
    with parts.control_plane():
        wait_for(lambda: not (parts.folder / "sessions" / session).exists(), "the clean-up")
    assert parts.processes(session) == []
