"""Who is kept out: asked of every request, whatever token it came with, and of the database every few seconds."""

import threading
import time
from collections import OrderedDict

from flask import current_app

from ambient_core import Principal, current, hookimpl

TRUSTED = 3.0
"""Seconds for which an answer of the database holds: who is disabled is out after them."""

_MOST = 10_000
_EXTENSION = "ambient_users_standing"
_FIND = "SELECT disabled FROM users WHERE id = %(id)s"


class Standing:
    """What this process knows of users, for a few seconds each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[float, bool]] = OrderedDict()

    def note(self, user: str, *, disabled: bool) -> None:
        """Keep what the database just said."""
        with self._lock:
            self._known[user] = time.monotonic() + TRUSTED, disabled
            self._known.move_to_end(user)
            if len(self._known) > _MOST:
                self._known.popitem(last=False)

    def known(self, user: str) -> bool | None:
        """Whether a user is disabled; ``None`` when the database has to be asked."""
        until, disabled = self._known.get(user, (0.0, False))
        return disabled if time.monotonic() < until else None


def standing() -> Standing:
    """What the application that answers knows."""
    kept = current_app.extensions
    # Asked for before it is made: every request comes by here.
    found = kept.get(_EXTENSION) or kept.setdefault(_EXTENSION, Standing())
    assert isinstance(found, Standing)
    return found


@hookimpl
def ambient_admit(principal: Principal) -> bool | None:
    """Nobody who is disabled; somebody who is no user of ours is no affair of ours."""
    if principal.kind != "person":
        return None
    disabled = standing().known(principal.id)
    if disabled is None:
        with current().database.transaction() as transaction:
            row = transaction.raw(_FIND, {"id": principal.id}).fetchone()
        disabled = row is not None and bool(row[0])
        standing().note(principal.id, disabled=disabled)
    return False if disabled else None
