"""Where sessions run: what every runtime offers the reconciler.

A runtime is asked, and never waits: `launch` and `terminate` answer when the request is made, and `observe` tells what came
of it. Whatever is in the way for now is a `Waiting`, with its reason.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

Stage = Literal["absent", "unknown", "preparing", "starting", "ready", "stopping", "exited", "lost"]


class Waiting(Exception):
    """Something is in the way for now: a quota, a namespace that is going, a server that is away.

    Args:
        reason: one word, as conditions show it.
        message: what was said, in the other side's words, without secrets.
        after: seconds until trying again makes sense.
        outage: whether the runtime itself is away; a deadline does not run meanwhile.
    """

    def __init__(self, reason: str, message: str, *, after: float = 5.0, outage: bool = False) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
        self.after = after
        self.outage = outage


@dataclass(frozen=True, slots=True)
class Observed:
    """What is there of one session, as its runtime sees it now.

    Args:
        starts: which start it belongs to; 0 when nothing is there, or nothing says which.
        alive: whether anything of it runs, or may come to run without another request.
        stage: ``absent``: nothing is there; ``unknown``: it cannot be seen now (`reason` says why); ``preparing`` to
            ``ready``: on its way; ``stopping``: asked to end; ``exited``: ended, with `exit_code`; ``lost``: gone without
            a word.
        reason: one word for the stage, as conditions show it.
        message: details for people, without secrets.
        exit_code: of the runner, when it has exited.
        endpoint: where the runner answers: host, port and its token.
        repositories: what was cloned.
        identity: ``kube_cr_name``, ``kube_cr_uid`` and ``kube_namespace``, where there are such.
        conditions: facts beyond the stage, as the wire shows conditions.
    """

    starts: int = 0
    alive: bool = False
    stage: Stage = "absent"
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    endpoint: Mapping[str, Any] | None = None
    repositories: tuple[Mapping[str, Any], ...] = field(default=())
    identity: Mapping[str, str] = field(default_factory=dict)
    conditions: tuple[Mapping[str, Any], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class LaunchOrder:
    """What a runtime needs to start a session.

    Args:
        session: the session as the API shows it.
        token: its own token for the API.
        api_url: where the API is.
        files: (path, content) that the workspace must have before the first run.
        variables: of its runner, from plugins.
    """

    session: Mapping[str, Any]
    token: str
    api_url: str
    files: tuple[tuple[str, str], ...]
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """Which session is meant.

    Args:
        session_id: its id.
        project_id: where it lives; ``None`` when its row is gone and nobody remembers.
        published: whether the gateway knows where its runner answers; the runtime need not find out the token again.
    """

    session_id: str
    project_id: str | None = None
    published: bool = False


@dataclass(frozen=True, slots=True)
class LogsWanted:
    """Which part of a session's log.

    Args:
        tail: only so many last lines; all that is kept when ``None``.
        since: only what was written after this time.
        follow: go on as it is written, until the runner has ended.
    """

    tail: int | None = None
    since: datetime | None = None
    follow: bool = False


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that the runtime tells of a session: an event of its pod, a line of its supervisor.

    Args:
        at: when it was seen last, RFC 3339.
        source: who says so, such as ``pod 01jk...-runner``.
        reason: one word.
        message: the source's own words.
    """

    at: str
    source: str
    reason: str
    message: str


class Runtime(Protocol):
    """A place where sessions run. Its methods are called from several threads, never twice at once for one session."""

    name: str

    def start(self, wake: Callable[[str], None]) -> None:
        """Begin to look around; ``wake`` takes the id of a session that has changed."""

    def stop(self) -> None:
        """Let go; what runs goes on."""

    def observe(self, target: Target) -> Observed:
        """What is there now; never raises because nothing is there or nobody answers."""

    def launch(self, order: LaunchOrder) -> None:
        """Ask for this start of a session; asking again for the same start changes nothing.

        Raises:
            Waiting: it cannot be asked for now.
        """

    def terminate(self, target: Target, *, force: bool = False) -> None:
        """Ask what runs of a session to end; asking again changes nothing.

        Args:
            force: end it at once, without the time to end by itself.

        Raises:
            Waiting: it cannot be asked for now.
        """

    def clean(self, target: Target) -> None:
        """Remove everything of a session that does not run.

        Raises:
            Waiting: it cannot be removed now.
        """

    def sessions(self) -> Iterable[Target]:
        """The sessions that this runtime knows of, deleted ones included.

        Raises:
            Waiting: it cannot be said now.
        """

    def logs(self, target: Target, wanted: LogsWanted) -> Iterator[bytes]:
        """The runner's log, as it is kept; empty when there is none.

        Raises:
            Waiting: it cannot be read now.
        """

    def happenings(self, target: Target) -> Sequence[Happening]:
        """What the runtime tells of a session, oldest first; empty when it tells nothing."""
