"""Where sessions run: what every runtime offers the reconciler."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Observed:
    """What is there of one session, as its runtime sees it now.

    Args:
        starts: which start it belongs to; 0 when nothing is there.
        alive: whether anything of it runs.
        stage: ``absent``, ``preparing``, ``starting``, ``ready``, ``exited`` or ``lost``.
        reason: one word for the stage, as conditions show it.
        message: details for people, without secrets.
        exit_code: of the runner, when it has exited.
        since: seconds since the epoch at which this start was launched.
        endpoint: where the runner answers: host, port and its token.
        repositories: what was cloned.
    """

    starts: int = 0
    alive: bool = False
    stage: str = "absent"
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    since: float = 0.0
    endpoint: Mapping[str, Any] | None = None
    repositories: tuple[Mapping[str, Any], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class LaunchOrder:
    """What a runtime needs to start a session.

    Args:
        session: the session as the API shows it.
        token: its own token for the API.
        api_url: where the API is.
        files: (path, content) that the workspace must have before the first run.
    """

    session: Mapping[str, Any]
    token: str
    api_url: str
    files: tuple[tuple[str, str], ...]


class Runtime(Protocol):
    """A place where sessions run."""

    name: str

    def observe(self, session_id: str) -> Observed:
        """What is there now; never raises because nothing is."""

    def launch(self, order: LaunchOrder) -> None:
        """Start a session, unless it runs already."""

    def terminate(self, session_id: str) -> None:
        """End what runs of a session, and wait until it has ended."""

    def clean(self, session_id: str) -> None:
        """Remove everything of a session that does not run."""

    def sessions(self) -> Iterable[str]:
        """Ids of the sessions that this runtime knows of, deleted ones included."""
