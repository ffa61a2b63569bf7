"""What happened, as it was seen from outside: every attempt with its answer, every event of every watcher, the log at the end."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

READS = ("get", "list")


@dataclass(frozen=True, slots=True)
class Shown:
    """An object as an answer showed it.

    Args:
        kind: its kind.
        object_id: which one.
        version: at which version.
        marker: the text that only one write carries; it says which write this state comes from.
    """

    kind: str
    object_id: str
    version: int
    marker: str | None


@dataclass(slots=True)
class Attempt:
    """One request of one client. A retry is another attempt with the same key.

    Args:
        client: who sent it.
        verb: what was asked for.
        kind: of which kind.
        target: the object in the address.
        key: the Idempotency-Key.
        marker: what this write alone carries.
        if_match: the version that it was built on.
        invoked: when it was sent.
        answered: when its answer was there; ``None`` when it was lost.
        status: of the answer.
        again: whether the answer says to try again.
        tag: the version that the answer's ETag names.
        shown: the objects in the answer.
    """

    client: int
    verb: str
    kind: str
    target: str | None = None
    key: str | None = None
    marker: str | None = None
    if_match: int | None = None
    invoked: float = 0.0
    answered: float | None = None
    status: int | None = None
    again: bool = False
    tag: int | None = None
    shown: tuple[Shown, ...] = ()

    @property
    def acknowledged(self) -> bool:
        """It was answered with success."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """It was answered that nothing was done, for good."""
        return self.status is not None and 400 <= self.status < 500 and not self.again

    @property
    def lost(self) -> bool:
        """Nobody knows whether it happened."""
        return not self.acknowledged and not self.refused


@dataclass(frozen=True, slots=True)
class Event:
    """What a watcher was told.

    Args:
        type: ``ADDED``, ``MODIFIED`` or ``DELETED``.
        shown: the object.
    """

    type: str
    shown: Shown


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the change log.

    Args:
        verb: what was done.
        shown: the object after it.
    """

    verb: str
    shown: Shown

    @property
    def event(self) -> Event:
        """What a watcher must be told of it."""
        return Event({"create": "ADDED", "delete": "DELETED"}.get(self.verb, "MODIFIED"), self.shown)


@dataclass(slots=True)
class History:
    """Everything that a checker may look at.

    Args:
        attempts: of all clients, in the order in which they were sent.
        events: of each watcher, as they came.
        log: the change log at the end, in commit order.
        present: version by (kind, object) at the end.
    """

    attempts: list[Attempt] = field(default_factory=list)
    events: dict[str, list[Event]] = field(default_factory=dict)
    log: list[Entry] = field(default_factory=list)
    present: dict[tuple[str, str], int] = field(default_factory=dict)


class Recorder:
    """Writes the history down while it happens, from many threads."""

    def __init__(self) -> None:
        self.history = History()
        self._lock = threading.Lock()

    @contextmanager
    def attempt(self, attempt: Attempt) -> Iterator[Attempt]:
        """Keep an attempt from before it is sent; without an answer at the end of the block, it is lost."""
        with self._lock:
            attempt.invoked = time.monotonic()
            self.history.attempts.append(attempt)
        yield attempt
        if attempt.status is not None:
            attempt.answered = time.monotonic()

    def saw(self, watcher: str, event: Event) -> None:
        """Keep what a watcher was told."""
        self.history.events[watcher].append(event)
