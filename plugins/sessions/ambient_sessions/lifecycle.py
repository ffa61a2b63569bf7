"""The life of a session, in one table; the API and the control plane both go by it.

==========  ====================  ==================================================
phase       a caller may          the control plane may write
==========  ====================  ==================================================
(none)      start -> Pending
Pending     stop -> Stopping      Creating, Running, Failed
Creating    stop -> Stopping      Running, Completed, Failed, Stopped
Running     stop -> Stopping      Completed, Failed, Stopped
Stopping                          Stopped, Failed
Stopped     start -> Pending
Completed   start -> Pending
Failed      start -> Pending
==========  ====================  ==================================================

Writing the phase that is there already is always allowed: conditions change more often than phases.
"""

from enum import StrEnum

from ambient_core import Conflict


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

WRITES: dict[Phase | None, frozenset[Phase]] = {
    None: frozenset(),
    Phase.PENDING: frozenset({Phase.CREATING, Phase.RUNNING, Phase.FAILED}),
    Phase.CREATING: frozenset({Phase.RUNNING, Phase.COMPLETED, Phase.FAILED, Phase.STOPPED}),
    Phase.RUNNING: frozenset({Phase.COMPLETED, Phase.FAILED, Phase.STOPPED}),
    Phase.STOPPING: frozenset({Phase.STOPPED, Phase.FAILED}),
    Phase.STOPPED: frozenset(),
    Phase.COMPLETED: frozenset(),
    Phase.FAILED: frozenset(),
}
"""What the control plane may write after each phase."""


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


def _name(phase: Phase | None) -> str:
    return phase.value if phase else "'not started'"
