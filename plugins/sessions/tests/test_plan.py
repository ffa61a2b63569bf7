"""What is done for a session, as a table. How it goes on from there in any world: see `simulation`."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ambient_sessions.conditions import ENDING, REACHABLE, READY
from ambient_sessions.lifecycle import Phase
from ambient_sessions.plan import MISSING, Limits, hindered, plan
from ambient_sessions.runtimes import Observed, Waiting
from ambient_sessions.steps import Report, Step, Terminate, Wait

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
LIMITS = Limits(start=180, waiting=3600, stop=60, force=30, missing=5)
ENDPOINT = {"host": "127.0.0.1", "port": 1, "token": "t"}


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


def row(phase: Phase | None = Phase.RUNNING, since: float = 60, **fields: Any) -> dict[str, Any]:
    return {"id": "s", "starts": 1, "phase": phase, "start_time": ago(60), "phase_changed_at": ago(since), **fields}


def having(kind: str, status: str, reason: str, since: float = 0) -> list[dict[str, Any]]:
    return [{"type": kind, "status": status, "reason": reason, "last_transition_time": ago(since)}]


def seen(stage: str, **fields: Any) -> Observed:
    alive = stage in ("preparing", "starting", "ready", "stopping")
    endpoint = ENDPOINT if stage == "ready" else None
    made = Observed(starts=1, alive=alive, stage=stage, reason=stage.title(), message=stage)
    return replace(made, endpoint=endpoint, **fields)


def shape(steps: Iterable[Step]) -> list[str]:
    """Steps in short: a report as phase and reason, and why it is going to end."""
    return [short(step) for step in steps]


def short(step: Step) -> str:
    if isinstance(step, Report):
        return f"{step.phase}:{step.ending[0] if step.ending else step.reason}"
    if isinstance(step, Terminate) and step.force:
        return "Force"
    return type(step).__name__


ABSENT = Observed()
UNKNOWN = Observed(stage="unknown", reason="Unreachable", message="no answer")
EXITED = seen("exited", exit_code=0)
CRASHED = seen("exited", exit_code=1, reason="RunnerExit")
ENDED_BY_US = seen("exited", exit_code=None, reason="Stopped")
LOST = seen("lost", reason="SupervisorLost")
DONE = {"stop_on_run_finished": True, "run_state": "finished"}
GO = ["Launch", "Creating:Launched", "Wait"]


def ending(reason: str, since: float = 1) -> dict[str, Any]:
    return row(Phase.STOPPING, since, conditions=having(ENDING, "True", reason))


def ends(reason: str) -> list[str]:
    return [f"Stopping:{reason}", "Terminate", "Wait"]


TABLE: dict[str, tuple[dict[str, Any] | None, Observed, list[str]]] = {
    "deleted, nothing there": (None, ABSENT, []),
    "deleted, still running": (None, seen("ready"), ["Terminate", "Wait"]),
    "deleted, asked to end": (None, seen("stopping"), ["Force", "Wait"]),
    "deleted, a folder is left": (None, EXITED, ["Clean"]),
    "deleted, out of sight": (None, UNKNOWN, ["Wait"]),
    "never started": (row(None), ABSENT, []),
    "over, and a runner is there": (row(Phase.STOPPED, 1), seen("ready"), ["Terminate", "Wait"]),
    "over, and a runner does not end": (row(Phase.FAILED, 61), seen("ready"), ["Force", "Wait"]),
    "over": (row(Phase.COMPLETED), EXITED, []),
    "over, out of sight": (row(Phase.COMPLETED), UNKNOWN, []),
    "stop, running": (row(Phase.STOPPING, 1), seen("ready"), ["Terminate", "Stopping:Stopping", "Wait"]),
    "stop, another start's runs": (
        row(Phase.STOPPING, 1, starts=2),
        seen("ready"),
        ["Terminate", "Stopping:Stopping", "Wait"],
    ),
    "stop, ending for long": (row(Phase.STOPPING, 61), seen("stopping"), ["Force", "Stopping:StopForced", "Wait"]),
    "stop, forced in vain": (row(Phase.STOPPING, 91), seen("stopping"), ["Force", "Failed:StopTimedOut", "Wait"]),
    "stop, out of sight": (row(Phase.STOPPING, 9999), UNKNOWN, ["Away", "Wait"]),
    "stop, and an outage goes on": (
        row(Phase.STOPPING, 9999, conditions=having(REACHABLE, "False", "Unreachable", 900)),
        seen("stopping"),
        ["Terminate", "Stopping:Stopping", "Wait"],
    ),
    "stop, and an outage has just ended": (
        row(Phase.STOPPING, 9999, conditions=having(REACHABLE, "True", "Reachable", 30)),
        seen("stopping"),
        ["Terminate", "Stopping:Stopping", "Wait"],
    ),
    "stop, gone already": (row(Phase.STOPPING), EXITED, ["Stopped:UserStopped"]),
    "stop, never launched, as it seems": (row(Phase.STOPPING), ABSENT, ["Terminate", "Stopping:Stopping", "Wait"]),
    "stop, an earlier start's end is seen": (
        row(Phase.STOPPING, starts=2),
        EXITED,
        ["Terminate", "Stopping:Stopping", "Wait"],
    ),
    "stop, never launched": (
        row(Phase.STOPPING, conditions=having(READY, "False", "Stopping")),
        ABSENT,
        ["Stopped:UserStopped"],
    ),
    "stop, crashed meanwhile": (row(Phase.STOPPING), CRASHED, ["Stopped:UserStopped"]),
    "ended for its run, gone": (ending("RunFinished"), ENDED_BY_US, ["Completed:RunFinished"]),
    "ended for its time, gone": (ending("TimedOut"), LOST, ["Failed:TimedOut"]),
    "ended for a stop, gone": (ending("UserStopped"), LOST, ["Stopped:UserStopped"]),
    "started": (row(Phase.PENDING), ABSENT, GO),
    "started long ago": (row(Phase.PENDING, 99999), ABSENT, GO),
    "started, out of sight": (row(Phase.PENDING), UNKNOWN, ["Away", "Wait"]),
    "started again, the old one lives": (
        row(Phase.PENDING, 1, starts=2),
        seen("ready"),
        ["Terminate", "Pending:EarlierRunner", "Wait"],
    ),
    "started again, the old one lives on": (
        row(Phase.PENDING, 61, starts=2),
        seen("stopping"),
        ["Force", "Pending:EarlierRunner", "Wait"],
    ),
    "started again, the old one never ends": (
        row(Phase.PENDING, 3601, starts=2),
        seen("stopping"),
        ends("StartTimedOut"),
    ),
    "started again, the old one ended": (row(Phase.PENDING, starts=2), EXITED, GO),
    "something comes up": (row(Phase.PENDING), Observed(alive=True, stage="preparing"), ["Wait"]),
    "launched, and nothing to be seen": (row(Phase.CREATING, 10), ABSENT, GO),
    "launched, and nothing ever came": (row(Phase.CREATING, 181), ABSENT, ends("StartTimedOut")),
    "cloning": (row(Phase.CREATING), seen("preparing"), ["Creating:Preparing", "Wait"]),
    "answers": (row(Phase.CREATING), seen("ready"), ["Publish", "Running:Running", "Wait"]),
    "answers, and was not reported as launched": (
        row(Phase.PENDING),
        seen("ready"),
        ["Publish", "Running:Running", "Wait"],
    ),
    "does not answer in time": (row(Phase.CREATING, 181), seen("starting"), ends("StartTimedOut")),
    "late, but not reported as launched": (row(Phase.PENDING, 999), seen("starting"), ["Creating:Starting", "Wait"]),
    "clone failed": (row(Phase.CREATING), seen("exited", exit_code=None, reason="CloneFailed"), ["Failed:CloneFailed"]),
    "clone failed, its supervisor is about to go": (
        row(Phase.CREATING),
        replace(CRASHED, alive=True),
        ["Failed:RunnerExit", "Wait"],
    ),
    "its node is lost, and may still run it": (row(), replace(LOST, alive=True), ["Failed:SupervisorLost", "Wait"]),
    "stopped elsewhere": (row(), seen("exited", reason="StoppedElsewhere"), ["Stopped:StoppedElsewhere"]),
    "idle, says the operator": (row(), seen("exited", reason="Inactivity"), ["Stopped:Inactivity"]),
    "stopped elsewhere before it was seen": (
        row(Phase.PENDING),
        seen("exited", reason="StoppedElsewhere"),
        ["Creating:Launched", "Wait"],
    ),
    "over before it was seen": (row(Phase.PENDING), EXITED, ["Creating:Launched", "Wait"]),
    "works": (row(run_state="active"), seen("ready"), ["Running:Running", "Wait"]),
    "has a message to answer": (row(pending_message_id="m"), seen("ready"), ["Running:Running", "StartRun", "Wait"]),
    "answers one, another waits": (
        row(pending_message_id="m", run_state="active"),
        seen("ready"),
        ["Running:Running", "Wait"],
    ),
    "run finished": (row(**DONE), seen("ready"), ends("RunFinished")),
    "run failed": (row(**DONE | {"run_state": "error"}), seen("ready"), ends("RunFailed")),
    "run cancelled": (row(**DONE | {"run_state": "cancelled"}), seen("ready"), ends("RunCancelled")),
    "run finished, another message waits": (
        row(**DONE, pending_message_id="m"),
        seen("ready"),
        ["Running:Running", "StartRun", "Wait"],
    ),
    "run finished, and it was to stay": (row(run_state="finished"), seen("ready"), ["Running:Running", "Wait"]),
    "timed out": (row(timeout=59), seen("ready"), ends("TimedOut")),
    "not timed out yet": (row(timeout=61), seen("ready"), ["Running:Running", "Wait"]),
    "idle": (row(inactivity_timeout=59), seen("ready"), ends("Inactivity")),
    "idle by the clock, but at work": (
        row(inactivity_timeout=59, run_state="active"),
        seen("ready"),
        ["Running:Running", "Wait"],
    ),
    "crashed": (row(), CRASHED, ["Failed:RunnerExit"]),
    "crashed when it was about to end": (row(**DONE), CRASHED, ["Failed:RunnerExit"]),
    "ended by itself": (row(), EXITED, ["Completed:Completed"]),
    "ended by somebody": (row(), ENDED_BY_US, ["Failed:RunnerStopped"]),
    "supervisor killed": (row(), LOST, ["Failed:SupervisorLost"]),
    "running, out of sight": (row(), UNKNOWN, ["Away", "Wait"]),
    "does not answer now": (row(), seen("starting"), ["Running:Starting", "Wait"]),
    "answers again": (
        row(conditions=having(READY, "False", "Starting")),
        seen("ready"),
        ["Publish", "Running:Running", "Wait"],
    ),
    "vanished": (row(), ABSENT, ["Running:RunnerMissing", "Wait"]),
    "vanished for long": (row(conditions=having(READY, "False", MISSING, 5)), ABSENT, ["Failed:RunnerLost"]),
    "another start's runs": (row(starts=2), seen("ready"), ["Terminate", "Wait"]),
    "remade by somebody": (row(kube_cr_uid="1"), seen("ready", identity={"kube_cr_uid": "2"}), ["Terminate", "Wait"]),
}


@pytest.mark.parametrize("case", TABLE)
def test_the_table(case: str) -> None:
    given_row, observed, expected = TABLE[case]
    assert shape(plan(given_row, observed, NOW, LIMITS)) == expected


def test_what_is_left_of_a_deleted_session_is_forced_to_end_when_it_takes_too_long() -> None:
    assert shape(plan(None, seen("ready"), NOW, LIMITS, gone=59)) == ["Terminate", "Wait"]
    assert shape(plan(None, seen("ready"), NOW, LIMITS, gone=61)) == ["Force", "Wait"]


QUOTA = Waiting("QuotaExceeded", "exceeded quota: pods", after=7)
AWAY = Waiting("Unreachable", "connection refused", after=3, outage=True)
HINDERED: dict[str, tuple[dict[str, Any] | None, Waiting, list[str]]] = {
    "deleted": (None, QUOTA, ["Wait"]),
    "over": (row(Phase.STOPPED), QUOTA, ["Wait"]),
    "a quota": (row(Phase.PENDING), QUOTA, ["Pending:QuotaExceeded", "Wait"]),
    "a quota for an hour": (row(Phase.PENDING, 3601), QUOTA, ends("StartTimedOut")),
    "nobody answers": (row(Phase.PENDING), AWAY, ["Away", "Wait"]),
    "nobody answers for a day": (row(Phase.PENDING, 86400), AWAY, ["Away", "Wait"]),
    "a stop": (row(Phase.STOPPING), QUOTA, ["Stopping:QuotaExceeded", "Wait"]),
    "a stop, nobody answers": (row(Phase.STOPPING, 86400), AWAY, ["Away", "Wait"]),
    "a stop for an hour": (row(Phase.STOPPING, 3601), QUOTA, ["Failed:StopTimedOut", "Wait"]),
}


@pytest.mark.parametrize("case", HINDERED)
def test_the_table_of_what_is_in_the_way(case: str) -> None:
    given_row, waiting, expected = HINDERED[case]
    steps = hindered(given_row, waiting, NOW, LIMITS)
    assert shape(steps) == expected
    assert all(step.seconds >= min(waiting.after, 0.5) for step in steps if isinstance(step, Wait))


@pytest.mark.parametrize("phase", [None, *Phase])
@pytest.mark.parametrize("looks", [ABSENT, UNKNOWN, seen("ready"), EXITED])
def test_nothing_is_done_about_a_session_that_is_only_mirrored(phase: Phase | None, looks: Observed) -> None:
    assert plan(row(phase, mirrored=True), looks, NOW, LIMITS) == ()
