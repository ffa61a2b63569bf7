"""The life of a session, in one table; the API and the control plane both go by it.

==========  ====================  ==================================================
phase       a caller may          the control plane may write
==========  ====================  ==================================================
(none)      start -> Pending
Pending     stop -> Stopping      Creating, Running, Stopping, Failed
Creating    stop -> Stopping      Running, Stopping, Completed, Failed, Stopped
Running     stop -> Stopping      Stopping, Completed, Failed, Stopped
Stopping                          Completed, Stopped, Failed
Stopped     start -> Pending
Completed   start -> Pending
Failed      start -> Pending
==========  ====================  ==================================================

Writing the phase that is there already is always allowed: conditions change more often than phases. A session that the
control plane itself ends (its run has finished, its time is over) is Stopping until its runner has ended, as one that a
caller stops.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from ambient_core import Conflict, Forbidden
from ambient_sessions.conditions import ENDING, condition, merge


class Phase(StrEnum):
    """Where a session stands; a session that was never started has none."""

    PENDING = "Pending"
    CREATING = "Creating"
    RUNNING = "Running"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    COMPLETED = "Completed"
    FAILED = "Failed"


TERMINAL = frozenset({Phase.STOPPED, Phase.COMPLETED, Phase.FAILED})
ACTIVE = frozenset(Phase) - TERMINAL

ACTIONS: dict[str, dict[Phase | None, Phase]] = {
    "start": dict.fromkeys((None, Phase.STOPPED, Phase.COMPLETED, Phase.FAILED), Phase.PENDING),
    "stop": dict.fromkeys((Phase.PENDING, Phase.CREATING, Phase.RUNNING), Phase.STOPPING),
}
"""What a caller may do, and the phase that follows."""

RUNNING_OR_ENDED = {"phase": {"Running": True, "Completed": True, "Failed": False, "Stopped": False}}
"""When a start is over, and whether it came to what was wanted."""

ENDED = {"phase": {"Stopped": True, "Completed": True, "Failed": False}}
"""When a stop is over, and whether it came to what was wanted."""

WRITES: dict[Phase | None, frozenset[Phase]] = {
    None: frozenset(),
    Phase.PENDING: frozenset({Phase.CREATING, Phase.RUNNING, Phase.STOPPING, Phase.FAILED}),
    Phase.CREATING: frozenset({Phase.RUNNING, Phase.STOPPING, Phase.COMPLETED, Phase.FAILED, Phase.STOPPED}),
    Phase.RUNNING: frozenset({Phase.STOPPING, Phase.COMPLETED, Phase.FAILED, Phase.STOPPED}),
    Phase.STOPPING: frozenset({Phase.COMPLETED, Phase.STOPPED, Phase.FAILED}),
    Phase.STOPPED: frozenset(),
    Phase.COMPLETED: frozenset(),
    Phase.FAILED: frozenset(),
}
"""What the control plane may write after each phase."""


OF_RUNNERS = frozenset({"sdk_session_id", "sdk_restart_count", "reconciled_repos"})
"""What of a status a session's own runner may write; all else the control plane alone."""

_OF_ONE_START = (
    "conditions",
    "start_time",
    "completion_time",
    "run_id",
    "run_state",
    "run_changed_at",
    "observed_version",
    "kube_cr_uid",
)


def check_action(action: str, phase: str | None) -> Phase:
    """The phase that follows a caller's action.

    Raises:
        Conflict: the action is not possible in this phase; names the phases in which it is.
    """
    allowed = ACTIONS[action]
    current = Phase(phase) if phase is not None else None
    if current not in allowed:
        where = ", ".join(sorted(p.value if p else "not started" for p in allowed))
        raise Conflict(f"A session in phase {_name(current)} cannot {action}; it can when it is: {where}.")
    return allowed[current]


def check_status(phase: str | None, new: str) -> None:
    """Refuse a status that does not follow from the phase.

    Raises:
        Conflict: naming the phase and what may follow.
    """
    current = Phase(phase) if phase is not None else None
    if current == new or Phase(new) in WRITES[current]:
        return
    after = ", ".join(sorted(WRITES[current])) or "nothing but a new start"
    raise Conflict(f"A session in phase {_name(current)} cannot become {new}; what may follow: {after}.")


def started(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What a caller's start writes: nothing of an earlier start is left but the count.

    Raises:
        Conflict: it cannot be started now.
    """
    phase = check_action("start", row["phase"])
    return {**dict.fromkeys(_OF_ONE_START), "phase": phase.value, "phase_changed_at": now, "starts": row["starts"] + 1}


def stopped(row: Mapping[str, Any], now: datetime, who: str) -> dict[str, Any]:
    """What a caller's stop writes.

    Raises:
        Conflict: it cannot be stopped now.
    """
    phase = check_action("stop", row["phase"])
    ending = condition(ENDING, True, "UserStopped", f"The session was stopped by {who}.")
    return {"phase": phase.value, "phase_changed_at": now, "conditions": merge(row["conditions"] or (), [ending], now)}


def reported(row: Mapping[str, Any], values: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What a status of the control plane writes; ``starts`` and ``if_version`` say what it is about.

    Raises:
        Conflict: it is about another start, or was decided on another version, or its phase may not follow.
    """
    given = dict(values)
    if (starts := given.pop("starts")) != row["starts"]:
        raise Conflict(
            f"The session was started {row['starts']} times by now; this is news of another start ({starts})."
        )
    if (version := given.pop("if_version", None)) is not None and version != row["version"]:
        raise Conflict(f"The session is at version {row['version']} by now; this was decided on version {version}.")
    if (phase := given.get("phase")) is not None:
        check_status(row["phase"], phase)
        if phase != row["phase"]:
            given["phase_changed_at"] = now
            if phase in TERMINAL:
                given.setdefault("completion_time", now)
    return given


def check_runners(values: Mapping[str, Any]) -> None:
    """Refuse a status of a session's own runner that says more than is a runner's to say.

    Raises:
        Forbidden: naming what is the control plane's.
    """
    if others := sorted(values.keys() - OF_RUNNERS - {"starts", "if_version"}):
        raise Forbidden(f"A session's runner writes {', '.join(sorted(OF_RUNNERS))}, and not {', '.join(others)}.")


def _name(phase: Phase | None) -> str:
    return phase.value if phase else "'not started'"
