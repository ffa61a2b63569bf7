"""The change log is kept for a time: what is older is deleted in small steps that no writer waits for.

Of what is older, the newest state of each object that lives is kept. So history, ``as_of`` and what a watch compares with are
exact for every time that is still kept, and the log never outgrows the objects and what happened to them in that time.
"""

import logging
import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ambient_core.config import Settings
from ambient_core.database import Database
from ambient_core.database.transaction import Transaction
from ambient_core.errors import Unavailable

log = logging.getLogger(__name__)
_DAY = 86400
_FIRST_PAUSE = 60.0

# The rows after the horizon, in commit order, up to the first that is not old enough. An object's positions are in the order
# of its versions, so whatever is older than an object's newest row in this step lies before the new horizon as well.
_STEP = """
WITH kept AS (SELECT xid, seq FROM change_horizon FOR UPDATE),
looked AS (
    SELECT c.*, bool_and(extract(epoch FROM now() - c.at) > %(keep)s) OVER (ORDER BY c.xid, c.seq) AS old FROM (
        SELECT c.xid, c.seq, c.kind, c.object_id, c.verb, c.at FROM changes AS c, kept
        WHERE c.xid < pg_snapshot_xmin(pg_current_snapshot()) AND (c.xid, c.seq) > (kept.xid, kept.seq)
        ORDER BY c.xid, c.seq LIMIT %(limit)s
    ) AS c
),
step AS (SELECT * FROM looked WHERE old),
newest AS (SELECT DISTINCT ON (kind, object_id) kind, object_id, seq, verb FROM step ORDER BY kind, object_id, seq DESC),
gone AS (
    DELETE FROM changes AS c USING newest AS n WHERE c.kind = n.kind AND c.object_id = n.object_id
    AND (c.seq < n.seq OR (c.seq = n.seq AND n.verb = 'delete')) RETURNING 1
),
moved AS (
    UPDATE change_horizon AS h SET xid = last.xid, seq = last.seq, at = greatest(h.at, (SELECT max(at) FROM step))
    FROM (SELECT xid, seq FROM step ORDER BY xid DESC, seq DESC LIMIT 1) AS last RETURNING 1
)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM step), (SELECT count(*) FROM moved)
"""
_KEYS = """
DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM idempotency_keys WHERE created_at <= now() - interval '24 hours' LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
"""
_REFUSALS = """
DELETE FROM refusals WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM refusals WHERE extract(epoch FROM now() - created_at) > %(keep)s
    OR id <= (SELECT id FROM refusals ORDER BY id DESC OFFSET %(most)s LIMIT 1) LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
"""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a pruning did.

    Args:
        changes: rows of the log that were deleted.
        seen: rows that are behind the horizon now.
        keys: idempotency records that were deleted.
        refusals: those that were deleted.
    """

    changes: int
    seen: int
    keys: int
    refusals: int


def step(transaction: Transaction, keep: float, limit: int) -> tuple[int, int]:
    """One step, in one statement; answers how many rows were deleted, and how many are behind the horizon by it.

    Args:
        transaction: of this step alone.
        keep: seconds that are kept; infinite for ever.
        limit: rows that are looked at.
    """
    row = transaction.raw(_STEP, {"keep": keep, "limit": limit}).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def prune(database: Database, settings: Settings, stopping: threading.Event | None = None) -> Pruned:
    """Delete what is older than the settings keep, idempotency records that are over, and refusals beyond their number.

    Args:
        database: to work on.
        settings: how long to keep changes, and the size of a step.
        stopping: ends the work after the step that is under way.
    """
    keep, limit = _seconds(settings.change_retention_days), settings.prune_batch
    changes = seen = 0
    while stopping is None or not stopping.is_set():
        with database.transaction() as transaction:
            deleted, looked = step(transaction, keep, limit)
        changes, seen = changes + deleted, seen + looked
        if looked < limit:
            break
    refused = {"keep": _seconds(settings.refusal_retention_days), "most": settings.refusal_limit, "limit": limit}
    keys = _emptied(database, _KEYS, {"limit": limit}, stopping)
    return Pruned(changes, seen, keys, _emptied(database, _REFUSALS, refused, stopping))


def kept_for(days: float) -> str:
    """How long something is kept, for people."""
    return f"{days:g} days" if days else "for ever"


def _seconds(days: float) -> float:
    return days * _DAY or math.inf


def _emptied(database: Database, text: str, parameters: Mapping[str, Any], stopping: threading.Event | None) -> int:
    """Delete step by step, each in a transaction of its own; answers how many rows there were."""
    gone = 0
    while stopping is None or not stopping.is_set():
        with database.transaction() as transaction:
            deleted = transaction.raw(text, parameters).rowcount
        gone += deleted
        if deleted < parameters["limit"]:
            break
    return gone


class Pruner:
    """Prunes now and then, in a thread; the control plane's leader has one.

    Args:
        settings: the database, and how often.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pruner", daemon=True)

    def start(self) -> None:
        """Begin; the first time is soon."""
        self._thread.start()

    def stop(self) -> None:
        """End after the step that is under way."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        database = Database(self._settings.database_url, pool_size=1, name="ambient-pruner")
        pause = min(_FIRST_PAUSE, self._settings.prune_interval)
        while not self._stopping.wait(pause):
            pause = self._settings.prune_interval
            try:
                found = prune(database, self._settings, self._stopping)
            except Unavailable as fault:
                log.warning("the change log was not pruned: %s", fault.reason)
                continue
            except Exception:
                log.exception("the change log was not pruned")
                continue
            if found.changes or found.keys:
                log.info("pruned %s changes and %s idempotency records", found.changes, found.keys)
        database.close()
