"""What can be done about a session: the steps that the plan is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ambient_sessions.lifecycle import Phase


@dataclass(frozen=True, slots=True)
class Launch:
    """Ask the runtime for this start."""


@dataclass(frozen=True, slots=True)
class Terminate:
    """Ask what runs to end.

    Args:
        force: at once.
    """

    force: bool = False


@dataclass(frozen=True, slots=True)
class Clean:
    """Remove what is left of a deleted session."""


@dataclass(frozen=True, slots=True)
class Publish:
    """Tell the gateway where the runner answers."""

    endpoint: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """Write phase and reason.

    Args:
        phase: where the session stands.
        reason: one word.
        message: details for people.
        facts: further fields of the status.
        ending: why it is going to end, when that is decided now: reason and message.
        acted: whether what the row asks for was done; only then its version counts as observed.
    """

    phase: Phase
    reason: str
    message: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    ending: tuple[str, str] | None = None
    acted: bool = True


@dataclass(frozen=True, slots=True)
class Away:
    """Write that the runtime does not answer; the phase stays, and its clock stands still."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class StartRun:
    """Let the agent answer a message."""

    message_id: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again."""

    seconds: float
    reason: str


Step = Launch | Terminate | Clean | Publish | Report | Away | StartRun | Wait
