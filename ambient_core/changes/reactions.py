"""``ambient_after_commit``: plugins hear of every change in commit order, whoever wrote it, from the change log."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from ambient_core.changes import Change
from ambient_core.changes.follower import Tail
from ambient_core.database import Database

log = logging.getLogger(__name__)


class Reactions:
    """Tells the implementations of ``ambient_after_commit``, in a thread that reads the log at their own pace.

    A slow implementation delays no watch and no request, and however slow it is, it misses nothing.

    Args:
        database: whose log.
        implementations: of ``ambient_after_commit``.
        interval: seconds between looks at the log without news.
    """

    def __init__(
        self, database: Database, implementations: Sequence[tuple[str, Callable[..., Any]]], interval: float
    ) -> None:
        self._database = database
        self._implementations = tuple(implementations)
        self._interval = interval

    def start(self) -> None:
        """Hear of what is committed from now on; without implementations nothing is started."""
        if not self._implementations:
            return
        tail = Tail(self._database, self._interval, "ambient-after-commit")
        try:
            tail.seek_end()
        except psycopg.Error as fault:
            log.warning("ambient_after_commit is not called in this process: %s", type(fault).__name__)
            return
        threading.Thread(target=self._run, args=(tail,), name="after-commit", daemon=True).start()

    def _run(self, tail: Tail) -> None:
        while not self._database.closed:
            batch = tail.next()
            if batch.changes:
                self._tell(batch.changes)
        tail.close()

    def _tell(self, found: Sequence[Change]) -> None:
        for name, function in self._implementations:
            try:
                function(changes=found)
            except Exception:
                log.exception("plugin %s failed in ambient_after_commit; what was written stays written", name)
