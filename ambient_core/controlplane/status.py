"""What the control plane is doing, asked of the database: from any machine, whoever leads and whether anybody does."""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.rows import dict_row

from ambient_core.controlplane.leader import LOCK
from ambient_core.database import driver_url, url_of
from ambient_core.database.listen import CHANNEL
from ambient_core.errors import SetupError

_STATUS = (
    "SELECT leaders.fence, leaders.holder, leaders.since, heard.at, extract(epoch FROM now() - heard.at) AS silent, "
    "CASE WHEN heard.fence = leaders.fence THEN heard.figures END AS figures, "
    "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = %(high)s AND objid = %(low)s "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS led, "
    "(SELECT count(*) FROM reconcile_states WHERE attempts > 0) AS stuck "
    "FROM (SELECT 1) AS one LEFT JOIN controlplane_leaders AS leaders ON leaders.name = 'control-plane' "
    "LEFT JOIN controlplane_figures AS heard ON heard.name = 'control-plane'"
)
_STUCK = (
    "SELECT kind, object_id, waiting_for, since, attempts, last_error, CASE WHEN next_at > now() THEN next_at END AS next_at "
    "FROM reconcile_states WHERE attempts > 0 OR (%(all)s AND waiting_for IS NOT NULL) ORDER BY since LIMIT %(limit)s"
)
_RETRY = (
    "INSERT INTO controlplane_requests (kind, object_id) VALUES (%(kind)s, %(id)s) "
    "ON CONFLICT (kind, object_id) DO UPDATE SET at = now()"
)


def status(url: str) -> Mapping[str, Any]:
    """Who leads, with which number, since when, and its figures.

    Raises:
        SetupError: the database does not answer, or is not migrated.
    """
    parameters = {"high": LOCK >> 32, "low": LOCK & 0xFFFFFFFF}
    return _ask(url, _STATUS, parameters)[0]


def stuck(url: str, *, everything: bool = False, limit: int = 200) -> list[Mapping[str, Any]]:
    """What waits for what, since when, how often it was tried and when it is tried again; the oldest first.

    Args:
        everything: also what waits without anything being wrong.
        limit: at most so many.

    Raises:
        SetupError: the database does not answer, or is not migrated.
    """
    return _ask(url, _STUCK, {"all": everything, "limit": limit})


def retry(url: str, kind: str, identifier: str) -> None:
    """Have the leader look at one object now.

    Raises:
        SetupError: the database does not answer, or is not migrated.
    """
    _ask(url, _RETRY, {"kind": kind, "id": identifier})
    _ask(url, f"SELECT pg_notify('{CHANNEL}', '')", {})


def _ask(url: str, statement: str, parameters: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    try:
        with psycopg.connect(
            driver_url(url_of(url)), autocommit=True, connect_timeout=5, row_factory=dict_row
        ) as connection:
            cursor = connection.execute(statement, parameters)
            return list(cursor.fetchall()) if cursor.description else []
    except psycopg.errors.UndefinedTable:
        raise SetupError("The database is not up to date; run: ambient db upgrade") from None
    except psycopg.Error as fault:
        raise SetupError(f"The database does not answer ({type(fault).__name__}).") from fault
