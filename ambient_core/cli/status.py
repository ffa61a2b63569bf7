"""What ``ambient db status`` prints: sizes, the change log, its horizon and lag, dead rows, and what is pending."""

from collections.abc import Iterator
from typing import Any

from ambient_core.changes import Run, lag
from ambient_core.changes.pruning import kept_for
from ambient_core.config import Settings
from ambient_core.database import Database
from ambient_core.plugins import Plugins, load_plugins
from ambient_core.revisions import branches_of, unapplied

_SIZE = (
    "SELECT current_database(), pg_size_pretty(pg_database_size(current_database())), current_setting('server_version')"
)
_LOG = (
    "SELECT count(*), min(at), max(at), pg_size_pretty(pg_total_relation_size('changes')), "
    "(SELECT at FROM change_horizon), (SELECT count(*) FROM idempotency_keys) FROM changes"
)
_TABLES = """
SELECT relname, n_live_tup, n_dead_tup, pg_size_pretty(pg_total_relation_size(relid)),
    coalesce(greatest(last_vacuum, last_autovacuum)::text, 'never')
FROM pg_stat_user_tables ORDER BY pg_total_relation_size(relid) DESC LIMIT 12
"""


def report(settings: Settings, plugins: Plugins | None = None) -> Iterator[str]:
    """The lines of the report.

    Raises:
        Unavailable: the database does not answer.
    """
    database = Database(settings.database_url, pool_size=2, statement_timeout=0, name="ambient-status")
    try:
        pending = unapplied(database, branches_of(plugins or load_plugins(settings)))
        with database.transaction() as transaction:
            yield from _size(transaction.raw)
            if not any(revision.startswith("core_") for revision in pending):
                yield from _change_log(transaction.raw, settings)
            yield from _tables(transaction.raw)
        yield f"pending migrations: {', '.join(pending) or 'none'}"
    finally:
        database.close()


def _size(run: Run) -> Iterator[str]:
    name, size, version = run(_SIZE, {}).fetchone()
    yield f"database: {name}, {size}, PostgreSQL {version}"


def _change_log(run: Run, settings: Settings) -> Iterator[str]:
    rows, first, last, size, horizon, keys = run(_LOG, {}).fetchone()
    found = lag.measure(run)
    yield f"change log: {rows} rows, {size}, from {_time(first)} to {_time(last)}"
    yield f"kept: {kept_for(settings.change_retention_days)}; pruned up to {_time(horizon)}"
    yield f"not seen by readers yet: {found.unseen} changes, the oldest for {found.seconds:.1f} s"
    held = f"{found.holder}, for {found.transaction_seconds:.1f} s" if found.holder else "none"
    yield f"oldest transaction that writes: {held}"
    yield f"idempotency records: {keys}"


def _tables(run: Run) -> Iterator[str]:
    yield "tables (estimates): name, rows, dead rows, size, last vacuum"
    for name, live, dead, size, vacuumed in run(_TABLES, {}).fetchall():
        share = 100 * dead / (live + dead) if live + dead else 0
        yield f"  {name}: {live}, {dead} ({share:.0f} %), {size}, {vacuumed}"


def _time(value: Any) -> str:
    return value.isoformat(timespec="seconds") if value is not None else "nothing"
