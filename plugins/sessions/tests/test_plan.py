"""What is done for a session, as a table; and in a small world, where it always comes to an end."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ambient_sessions.lifecycle import ACTIVE, TERMINAL, Phase, check_status
from ambient_sessions.plan import Clean, Launch, Publish, Report, StartRun, Step, Terminate, Wait, plan
from ambient_sessions.runtimes import Observed
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
DEADLINE = 180.0
ENDPOINT = {"host": "127.0.0.1", "port": 1, "token": "t"}


def row(phase: Phase | None = Phase.RUNNING, **fields: Any) -> dict[str, Any]:
    return {"id": "s", "starts": 1, "phase": phase, "start_time": (NOW - timedelta(seconds=60)).isoformat(), **fields}


def seen(stage: str, **fields: Any) -> Observed:
    alive = stage in ("preparing", "starting", "ready")
    endpoint = ENDPOINT if stage == "ready" else None
    made = Observed(starts=1, alive=alive, stage=stage, reason=stage.title(), message=stage, since=NOW.timestamp())
    return replace(made, endpoint=endpoint, **fields)


def shape(steps: Iterable[Step]) -> list[str]:
    """Steps in short: a report as phase and reason."""
    return [f"{s.phase}:{s.reason}" if isinstance(s, Report) else type(s).__name__ for s in steps]


ABSENT = Observed()
EXITED = seen("exited", exit_code=0)
CRASHED = seen("exited", exit_code=1, reason="RunnerExit")
ENDED_BY_US = seen("exited", exit_code=None, reason="Stopped")
LOST = seen("lost", reason="SupervisorLost")
DONE = {"stop_on_run_finished": True, "run_state": "finished"}

TABLE: dict[str, tuple[dict[str, Any] | None, Observed, list[str]]] = {
    "deleted, nothing there": (None, ABSENT, []),
    "deleted, still running": (None, seen("ready"), ["Terminate", "Clean"]),
    "deleted, a folder is left": (None, EXITED, ["Clean"]),
    "never started": (row(None), ABSENT, []),
    "over, and a runner is there": (row(Phase.STOPPED), seen("ready"), ["Terminate"]),
    "over": (row(Phase.COMPLETED), EXITED, []),
    "stop, running": (row(Phase.STOPPING), seen("ready"), ["Terminate", "Stopped:UserStopped"]),
    "stop, gone already": (row(Phase.STOPPING), EXITED, ["Stopped:UserStopped"]),
    "started": (row(Phase.PENDING), ABSENT, ["Launch", "Creating:Launched", "Wait"]),
    "started again, the old one lives": (row(Phase.PENDING, starts=2), seen("ready"), ["Terminate", "Wait"]),
    "started again, the old one ended": (
        row(Phase.PENDING, starts=2),
        EXITED,
        ["Launch", "Creating:Launched", "Wait"],
    ),
    "the supervisor comes up": (row(Phase.PENDING), Observed(alive=True, stage="preparing"), ["Wait"]),
    "cloning": (row(Phase.CREATING), seen("preparing"), ["Creating:Preparing", "Wait"]),
    "answers": (row(Phase.CREATING), seen("ready"), ["Publish", "Running:Running", "Wait"]),
    "does not answer in time": (
        row(Phase.CREATING),
        seen("starting", since=NOW.timestamp() - DEADLINE - 1),
        ["Terminate", "Failed:StartTimedOut"],
    ),
    "clone failed": (row(Phase.CREATING), seen("exited", exit_code=None, reason="CloneFailed"), ["Failed:CloneFailed"]),
    "over before it was seen": (row(Phase.PENDING), EXITED, ["Creating:Launched", "Wait"]),
    "works": (row(run_state="active"), seen("ready"), ["Wait"]),
    "has a message to answer": (row(pending_message_id="m"), seen("ready"), ["StartRun", "Wait"]),
    "answers one, another waits": (row(pending_message_id="m", run_state="active"), seen("ready"), ["Wait"]),
    "run finished": (row(**DONE), seen("ready"), ["Terminate", "Completed:RunFinished"]),
    "run failed": (row(**DONE | {"run_state": "error"}), seen("ready"), ["Terminate", "Failed:RunFailed"]),
    "run cancelled": (row(**DONE | {"run_state": "cancelled"}), seen("ready"), ["Terminate", "Stopped:RunCancelled"]),
    "run finished, another message waits": (row(**DONE, pending_message_id="m"), seen("ready"), ["StartRun", "Wait"]),
    "run finished, and it was to stay": (row(run_state="finished"), seen("ready"), ["Wait"]),
    "timed out": (row(timeout=59), seen("ready"), ["Terminate", "Failed:TimedOut"]),
    "not timed out yet": (row(timeout=61), seen("ready"), ["Wait"]),
    "idle": (row(inactivity_timeout=59), seen("ready"), ["Terminate", "Stopped:Inactivity"]),
    "idle by the clock, but at work": (row(inactivity_timeout=59, run_state="active"), seen("ready"), ["Wait"]),
    "crashed": (row(), CRASHED, ["Failed:RunnerExit"]),
    "crashed when it was about to end": (row(**DONE), CRASHED, ["Failed:RunnerExit"]),
    "ended by itself": (row(), EXITED, ["Completed:Completed"]),
    "ended by us, not reported": (row(**DONE), ENDED_BY_US, ["Completed:RunFinished"]),
    "timed out by us, not reported": (row(timeout=59), ENDED_BY_US, ["Failed:TimedOut"]),
    "killed by us, not reported": (row(**DONE), LOST, ["Completed:RunFinished"]),
    "ended by somebody": (row(), ENDED_BY_US, ["Failed:RunnerStopped"]),
    "supervisor killed": (row(), LOST, ["Failed:SupervisorLost"]),
    "vanished": (row(), ABSENT, ["Failed:RunnerLost"]),
}


@pytest.mark.parametrize("case", TABLE)
def test_the_table(case: str) -> None:
    given_row, observed, expected = TABLE[case]
    assert shape(plan(given_row, observed, NOW, DEADLINE)) == expected


class World:
    """A runtime and a row that do what the steps say; the runner behaves as it was told."""

    def __init__(self, fate: list[str], **fields: Any) -> None:
        self.fate = fate
        self.now = NOW
        self.row: dict[str, Any] = row(Phase.PENDING, start_time=None, **fields)
        self.seen = ABSENT
        self.launched = 0

    def apply(self, step: Step) -> None:
        if isinstance(step, Launch):
            assert not self.seen.alive
            self.launched += 1
            self.seen = replace(seen("preparing"), starts=self.row["starts"], since=self.now.timestamp())
        elif isinstance(step, Terminate):
            self.seen = replace(self.seen, alive=False, stage="exited", reason="Stopped", endpoint=None)
        elif isinstance(step, StartRun):
            self.row |= {"run_state": "active", "pending_message_id": None}
        elif isinstance(step, Report):
            check_status(self.row["phase"], step.phase)
            self.row |= {"phase": step.phase, **step.facts}
        else:
            assert isinstance(step, Publish | Wait | Clean)

    def goes_on(self) -> None:
        self.now += timedelta(seconds=1)
        fate = self.fate.pop(0) if self.fate else "ready"
        if self.row.get("run_state") == "active":
            self.row |= {"run_state": "finished", "run_changed_at": self.now.isoformat()}
        if self.seen.alive:
            code = {"exited": 0, "crashed": 1}.get(fate)
            self.seen = replace(seen("exited" if fate == "crashed" else fate), exit_code=code, since=self.seen.since)


FATES = st.lists(st.sampled_from(["preparing", "starting", "ready", "exited", "crashed", "lost"]), max_size=8)
CRASHES = st.lists(st.integers(0, 3), max_size=12)


@settings(deadline=None)
@given(fate=FATES, crashes=CRASHES, stop=st.integers(0, 20), prompt=st.booleans(), stays=st.booleans())
def test_in_any_world_a_session_ends_whatever_step_is_cut_short(
    fate: list[str], crashes: list[int], stop: int, prompt: bool, stays: bool
) -> None:
    world = World(fate, pending_message_id="m" if prompt else None, stop_on_run_finished=not stays)
    for look in range(60):
        steps = plan(world.row, world.seen, world.now, DEADLINE)
        done = crashes.pop(0) if crashes else len(steps)
        for step in steps[:done]:
            world.apply(step)
        if world.row["phase"] in TERMINAL and not world.seen.alive:
            break
        world.goes_on()
        if look == 20 + stop and world.row["phase"] in ACTIVE:
            world.row["phase"] = Phase.STOPPING
    assert world.row["phase"] in TERMINAL
    assert not world.seen.alive
    assert world.launched <= 1
    if world.row["phase"] == Phase.COMPLETED and world.launched:
        assert world.seen.exit_code == 0 or world.row.get("run_state") == "finished"
