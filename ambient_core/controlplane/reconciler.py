"""What a plugin gives the control plane: one object of one kind at a time, brought to what its row says."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ambient_sdk import AmbientClient

from ambient_core.config import Settings


@dataclass(frozen=True, slots=True)
class Again:
    """Look at this object again, though nothing may have changed.

    Args:
        after: seconds from now.
        reason: what is waited for; shown to people.
    """

    after: float
    reason: str


@dataclass(frozen=True, slots=True)
class Context:
    """What a reconciler works with.

    Args:
        client: the API, as the control plane.
        settings: of the core.
        hooks: pluggy's relay, for hooks that the plugin publishes.
        wake: puts an object into the queue now, by its id.
    """

    client: AmbientClient
    settings: Settings
    hooks: Any
    wake: Callable[[str], None]


class Reconciler:
    """Brings objects of one kind to what their rows say. Subclass it.

    Attributes:
        kind: name of the kind whose changes wake it.
    """

    kind: str

    def setup(self, context: Context) -> None:
        """Get ready; called once, when this process has become the leader."""
        self.context = context

    def keys(self) -> Iterable[str]:
        """Ids of every object that may need work, for the full resync."""
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
