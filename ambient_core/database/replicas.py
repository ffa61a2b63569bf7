"""Lists that are read from a server which follows the primary, and still show their caller everything it wrote or saw.

A caller says by the header `POSITION` how far its reads must reach: "0" at first, then the last that any answer gave it. A
list is read from the replica once that has come so far, and to where the primary was a moment ago; else from the primary.
Who sends no such header is always answered by the primary.
"""

import logging
import re
import time
from contextlib import suppress

import psycopg

from ambient_core.database import Database
from ambient_core.database.gate import Gate
from ambient_core.database.transaction import Transaction
from ambient_core.errors import BadQuery, Unavailable

log = logging.getLogger(__name__)
POSITION = "Ambient-Position"
STALENESS = 1.0
"""Seconds that a replica may be behind, whatever a caller asks for: so long a lost role shows in lists."""
AWAY = 5.0
"""Seconds for which a replica that did not answer is left alone."""

_LSN = re.compile(r"0|[0-9A-F]{1,8}/[0-9A-F]{1,8}")
_WRITTEN = "SELECT pg_current_wal_insert_lsn()::text"
_REPLAYED = (
    "SELECT coalesce(r.at >= greatest(%(asked)s::pg_lsn, %(recent)s::pg_lsn), false), r.at::text "
    "FROM (SELECT pg_last_wal_replay_lsn() AS at) AS r"
)


class Replica:
    """A server that follows the primary.

    Args:
        primary: where everything is written.
        database: the replica.
    """

    def __init__(self, primary: Database, database: Database) -> None:
        self.database = database
        self._primary = primary
        self._recent = ("0/0", 0.0)
        self._away_until = 0.0

    def read(self, asked: str, deadline: float | None, gate: Gate) -> tuple[Transaction, str] | None:
        """A transaction on the replica and how far it reaches; ``None`` when the primary must answer.

        Args:
            asked: how far it must reach, as the caller says it.
            deadline: of the transaction.
            gate: of the transaction.

        Raises:
            BadQuery: ``asked`` is no position.
        """
        if not _LSN.fullmatch(asked):
            raise BadQuery(f'{POSITION} must be a position as an answer gave it, or 0 at first; it is "{asked[:40]}".')
        if time.monotonic() < self._away_until:
            return None
        transaction = Transaction(self.database, deadline, gate)
        try:
            parameters = {"asked": "0/0" if asked == "0" else asked, "recent": self._recently()}
            reached, position = transaction.raw(_REPLAYED, parameters).fetchone() or (False, None)
        except (Unavailable, psycopg.Error) as fault:
            log.warning("the replica does not answer; the primary does (%s)", type(fault).__name__)
            self._away_until, reached = time.monotonic() + AWAY, False
        if reached:
            return transaction, str(position)
        transaction.rollback()
        return None

    def written(self) -> str:
        """Where the primary is: everything that is committed by now lies before it."""
        began = time.monotonic()
        with self._primary.transaction() as transaction:
            found = transaction.raw(_WRITTEN).fetchone()
        assert found is not None
        self._recent = (found[0], began)
        return str(found[0])

    def position(self) -> str | None:
        """Where the primary is, for an answer; ``None`` when it does not say."""
        with suppress(Unavailable):
            return self.written()
        return None

    def _recently(self) -> str:
        position, asked_at = self._recent
        return position if time.monotonic() < asked_at + STALENESS else self.written()
