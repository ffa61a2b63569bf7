"""What to do about a session: from its row and what is seen of it to steps. Pure; every decision is taken here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ambient_sessions.lifecycle import TERMINAL, Phase
from ambient_sessions.runtimes import Observed

SOON = 0.25
WATCH = 1.0
_BY_US = ("Stopped", "SupervisorLost")


@dataclass(frozen=True, slots=True)
class Launch:
    """Start the session in its runtime."""


@dataclass(frozen=True, slots=True)
class Terminate:
    """End what runs, and wait until it has ended."""


@dataclass(frozen=True, slots=True)
class Clean:
    """Remove what is left of a deleted session."""


@dataclass(frozen=True, slots=True)
class Publish:
    """Tell the gateway where the runner answers."""

    endpoint: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """Write phase and reason."""

    phase: Phase
    reason: str
    message: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StartRun:
    """Let the agent answer a message."""

    message_id: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again."""

    seconds: float
    reason: str


Step = Launch | Terminate | Clean | Publish | Report | StartRun | Wait
Row = Mapping[str, Any]


def plan(row: Row | None, seen: Observed, now: datetime, start_deadline: float) -> tuple[Step, ...]:
    """The steps for one session, in order.

    Args:
        row: the session as the API shows it; ``None`` when it is deleted.
        seen: what its runtime sees.
        now: the time, with offset.
        start_deadline: seconds from launch until the runner must answer.
    """
    if row is None:
        return (Terminate(), Clean()) if seen.alive else (Clean(),) if seen.stage != "absent" else ()
    phase = Phase(row["phase"]) if row.get("phase") else None
    if phase is None or phase in TERMINAL:
        return (Terminate(),) if seen.alive else ()
    if phase is Phase.STOPPING:
        done = Report(Phase.STOPPED, "UserStopped", "The session was stopped on request.")
        return (Terminate(), done) if seen.alive else (done,)
    if seen.alive and seen.starts not in (0, row["starts"]):
        return (Terminate(), Wait(0, "the runner of an earlier start is ending"))
    if seen.starts != row["starts"]:
        return _not_there(phase, seen)
    if phase is Phase.RUNNING:
        return _running(row, seen, now)
    return _coming(phase, seen, now, start_deadline)


def _not_there(phase: Phase, seen: Observed) -> tuple[Step, ...]:
    if seen.alive:
        return (Wait(SOON, "the supervisor is coming up"),)
    if phase is Phase.RUNNING:
        return (Report(Phase.FAILED, "RunnerLost", "The runner is not there any more, and nothing says why."),)
    return (
        Launch(),
        Report(Phase.CREATING, "Launched", "The runtime was asked to start the runner."),
        Wait(SOON, "the runner is starting"),
    )


def _coming(phase: Phase, seen: Observed, now: datetime, start_deadline: float) -> tuple[Step, ...]:
    if seen.stage in ("exited", "lost"):
        if phase is Phase.PENDING and seen.exit_code == 0:
            # The table knows no way from Pending to Completed: a session that ran was Creating first.
            return (Report(Phase.CREATING, "Launched", seen.message), Wait(0, "the runner has ended"))
        return (_ended(seen),)
    if seen.stage == "ready" and seen.endpoint is not None:
        facts = {"start_time": now.isoformat(), "reconciled_repos": [dict(entry) for entry in seen.repositories]}
        return (
            Publish(seen.endpoint),
            Report(Phase.RUNNING, "Running", "The runner answers.", facts),
            Wait(0, "the runner answers"),
        )
    if now.timestamp() - seen.since > start_deadline:
        words = f"The runner did not answer within {start_deadline:g} seconds; its last stage was {seen.reason}."
        return (Terminate(), Report(Phase.FAILED, "StartTimedOut", words))
    return (Report(Phase.CREATING, seen.reason, seen.message), Wait(SOON, seen.message))


def _running(row: Row, seen: Observed, now: datetime) -> tuple[Step, ...]:
    due = _due(row, now)
    if seen.stage in ("exited", "lost"):
        # What we ended, and could not report before we were killed, ended for our reason.
        return (due if due is not None and seen.reason in _BY_US else _ended(seen),)
    if due is not None:
        return (Terminate(), due)
    state, pending = row.get("run_state"), row.get("pending_message_id")
    if pending and state != "active":
        return (StartRun(pending), Wait(WATCH, "the agent is about to answer a message"))
    return (Wait(WATCH, "the runner is working" if state == "active" else "the runner is waiting for a message"),)


def _due(row: Row, now: datetime) -> Report | None:
    """Why a running session is to end now, if it is."""
    if (limit := row.get("timeout")) and (over := _passed(row.get("start_time"), limit, now)):
        return Report(Phase.FAILED, "TimedOut", f"The session ran longer than its timeout of {limit} seconds ({over}).")
    state = row.get("run_state")
    if state == "active" or row.get("pending_message_id"):
        return None
    if row.get("stop_on_run_finished") and state in ("finished", "error", "cancelled"):
        return _after_run(state)
    idle = row.get("inactivity_timeout")
    if idle and _passed(row.get("run_changed_at") or row.get("start_time"), idle, now):
        return Report(Phase.STOPPED, "Inactivity", f"No run for {idle} seconds.")
    return None


def _after_run(state: str) -> Report:
    if state == "error":
        return Report(Phase.FAILED, "RunFailed", "The run ended with an error; the AG-UI events say which.")
    if state == "cancelled":
        return Report(Phase.STOPPED, "RunCancelled", "The run was interrupted.")
    return Report(Phase.COMPLETED, "RunFinished", "The run has finished, and the session was to end with it.")


def _ended(seen: Observed) -> Report:
    if seen.stage == "exited" and seen.exit_code == 0:
        return Report(Phase.COMPLETED, "Completed", seen.message)
    if seen.reason == "Stopped":
        return Report(Phase.FAILED, "RunnerStopped", "Somebody ended the supervisor of the runner from outside.")
    return Report(Phase.FAILED, seen.reason, seen.message)


def _passed(since: str | None, seconds: float, now: datetime) -> str | None:
    if since is None:
        return None
    passed = now - datetime.fromisoformat(since)
    return f"{passed.total_seconds():.0f} seconds" if passed >= timedelta(seconds=seconds) else None
