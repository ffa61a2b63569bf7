"""What a plugin gives the control plane: one object of one kind at a time, brought to what its row says."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ambient_sdk import AmbientClient, Conflict

from ambient_core.access.leadership import RULE
from ambient_core.config import Settings


@dataclass(frozen=True, slots=True)
class Again:
    """Look at this object again, though nothing may have changed.

    Args:
        after: seconds from now.
        reason: what is waited for; shown to people.
        stuck: whether something is in the way; then news wake the object after a short rest only.
    """

    after: float
    reason: str
    stuck: bool = False


class Deposed(Exception):
    """This process leads no more; what it was about to do is another's to decide."""


class NotNow(Exception):
    """A full look could not be finished, because of something outside; it is tried again soon."""


def is_deposed(fault: Exception) -> bool:
    """Whether the API refused a write because another leads by now."""
    return isinstance(fault, Conflict) and any(entry.rule == RULE for entry in fault.errors)


@dataclass(frozen=True, slots=True)
class Context:
    """What a reconciler works with.

    Args:
        client: the API, as the control plane.
        settings: of the core.
        hooks: pluggy's relay, for hooks that the plugin publishes.
        wake: puts an object into the queue now, by its id.
        now: the database's time, with offset; what is counted from a time in a row is counted by this and no other clock.
        check: call it before anything is done to the world; raises `Deposed`.
        note: keeps what was seen of an object, for people who ask; ``None`` when the object is gone.
    """

    client: AmbientClient
    settings: Settings
    hooks: Any
    wake: Callable[[str], None]
    now: Callable[[], datetime]
    check: Callable[[], None] = lambda: None
    note: Callable[[str, Mapping[str, Any] | None], None] = lambda _key, _seen: None


class Reconciler:
    """Brings objects of one kind to what their rows say. Subclass it.

    Attributes:
        kind: name of the kind whose changes wake it.
    """

    kind: str

    def setup(self, context: Context) -> None:
        """Get ready; called once, when this process has become the leader."""
        self.context = context

    def keys(self) -> Iterable[str | tuple[str, Again]]:
        """Ids of every object that may need work, for the full resync; with an `Again` when it need not be now.

        Raises:
            NotNow: not all of them can be found now; those that were given before are worked on.
        """
        raise NotImplementedError

    def reconcile(self, key: str) -> Again | None:
        """Look at what is there now and act; called for one id at a time, never twice at once for the same.

        Returns:
            when to look again without being woken, or ``None``.

        Raises:
            Exception: anything; the object is tried again with back-off, and disturbs no other.
        """
        raise NotImplementedError

    def teardown(self) -> None:
        """Let go; called once, when this process stops or is leader no more."""
