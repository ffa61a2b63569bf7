"""How far readers of the change log are behind, and what holds them back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ambient_core.changes import SETTLED, Run

_MOST = 100_000
_UNSEEN = f"""
SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(c.at)), 0)::float8 FROM (
    SELECT c.at FROM changes AS c WHERE NOT {SETTLED} LIMIT {_MOST}) AS c
"""
# Whoever has a transaction id and has not ended: in any database of the server, prepared ones too.
_HOLDER = """
SELECT who, seconds::float8 FROM (
    SELECT concat(
            'process ', pid, ' (', coalesce(nullif(application_name, ''), 'unnamed'), ', ', usename, ', ', datname, ', ', state, ')'
        ) AS who,
        extract(epoch FROM clock_timestamp() - xact_start) AS seconds, age(backend_xid) AS age
    FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
    UNION ALL
    SELECT concat('prepared transaction ', quote_literal(gid)), extract(epoch FROM clock_timestamp() - prepared), age(transaction)
    FROM pg_prepared_xacts
) AS holders ORDER BY age DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Lag:
    """How far readers of the change log are behind.

    Args:
        unseen: committed changes that no reader may see yet (counted up to 100,000).
        seconds: age of the oldest of them; 0 when there is none.
        transaction_seconds: age of the oldest running transaction that writes; 0 when there is none.
        holder: which one that is, without what it runs.
    """

    unseen: int
    seconds: float
    transaction_seconds: float
    holder: str

    def warning(self, limit: float) -> str | None:
        """What to look at, when readers are further behind than a number of seconds."""
        if self.seconds < limit:
            return None
        held = (
            f"; the oldest writing transaction is {self.holder}, for {self.transaction_seconds:.0f} s"
            if self.holder
            else ""
        )
        return f"changes of the last {self.seconds:.0f} s are not seen yet{held}. See docs/operations.md."

    def figures(self) -> Mapping[str, tuple[str, float]]:
        """The gauges, each with what it means."""
        return {
            "ambient_change_log_unseen": ("Committed changes that no reader may see yet.", float(self.unseen)),
            "ambient_change_log_lag_seconds": ("Age of the oldest change that no reader may see yet.", self.seconds),
            "ambient_oldest_write_transaction_seconds": (
                "Age of the oldest running transaction that has written; it holds back what readers see.",
                self.transaction_seconds,
            ),
        }

    def note(self, limit: float) -> dict[str, Any]:
        """What readiness shows."""
        note = {
            "unseen": self.unseen,
            "lag_seconds": round(self.seconds, 3),
            "oldest_write_transaction_seconds": round(self.transaction_seconds, 3),
        }
        warning = self.warning(limit)
        return {**note, "warning": warning} if warning else note


def measure(run: Run) -> Lag:
    """Look how far readers of the log are behind."""
    unseen, seconds = run(_UNSEEN, {}).fetchone()
    holder, age = run(_HOLDER, {}).fetchone() or ("", 0.0)
    return Lag(unseen, max(0.0, seconds), max(0.0, age or 0.0), holder)
