"""How many answers that have no end of their own are open at once: of one principal, and in this process."""

import threading
from collections import Counter
from collections.abc import Callable

from ambient_core import metrics
from ambient_core.errors import TooManyRequests
from ambient_core.identity import CONTROL_PLANE, Principal

_RETRY_AFTER = "5"


class OpenStreams:
    """Counts the open streams of one process.

    Args:
        most: in all; 0 for no limit.
        most_of_one: of one principal; 0 for no limit.
    """

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._lock = threading.Lock()
        self._of: Counter[str] = Counter()
        self._count = 0

    def enter(self, principal: Principal) -> Callable[[], None]:
        """Count one in; answers what counts it out, once.

        Raises:
            TooManyRequests: there are as many as may be.
        """
        actor = principal.actor
        with self._lock:
            if self._most and self._count >= self._most:
                raise _full(
                    f"This server holds {self._most} streams already (open_stream_limit); another replica may have room"
                )
            # The control plane hears for everybody.
            if self._most_of_one and principal != CONTROL_PLANE and self._of[actor] >= self._most_of_one:
                raise _full(
                    f"You hold {self._most_of_one} streams of this server already (principal_stream_limit); close one"
                )
            self._count += 1
            self._of[actor] += 1
            metrics.observe_streams(self._count)
        entered = [actor]

        def leave() -> None:
            with self._lock:
                if entered:
                    self._leave(entered.pop())

        return leave

    def _leave(self, actor: str) -> None:
        self._count -= 1
        self._of[actor] -= 1
        if not self._of[actor]:
            del self._of[actor]
        metrics.observe_streams(self._count)


def _full(words: str) -> TooManyRequests:
    return TooManyRequests(f"{words}, or try again in {_RETRY_AFTER} s.", headers={"Retry-After": _RETRY_AFTER})
