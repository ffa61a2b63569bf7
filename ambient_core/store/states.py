"""What the control plane knows of each object: what it saw, what it waits for, and when it looks again.

Kept beside the objects, so that writing it counts no version and wakes nobody. Any copy of the API can read it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import BigInteger, Column, DateTime, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from ambient_core.database.transaction import Transaction
from ambient_core.kinds import Resource

reconcile_states = Table(
    "reconcile_states",
    Resource.metadata,
    Column("kind", Text, primary_key=True),
    Column("object_id", Text, primary_key=True),
    Column("waiting_for", Text),
    Column("since", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("attempts", BigInteger, nullable=False, server_default=text("0")),
    Column("last_error", Text),
    Column("next_at", DateTime(timezone=True)),
    Column("seen", JSONB),
    Column("at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
)
_KEEP = (
    "INSERT INTO reconcile_states (kind, object_id, waiting_for, attempts, last_error, next_at, seen) "
    "SELECT kind, id, waiting_for, coalesce(attempts, 0), last_error, now() + next_in * interval '1 second', seen "
    "FROM json_to_recordset(%(states)s::json) AS given (kind text, id text, waiting_for text, attempts bigint, "
    "last_error text, next_in double precision, seen jsonb) ON CONFLICT (kind, object_id) DO UPDATE SET "
    "since = CASE WHEN reconcile_states.waiting_for IS NOT DISTINCT FROM excluded.waiting_for "
    "THEN reconcile_states.since ELSE now() END, waiting_for = excluded.waiting_for, attempts = excluded.attempts, "
    "last_error = excluded.last_error, next_at = excluded.next_at, seen = excluded.seen, at = now()"
)
_FORGET = (
    "DELETE FROM reconcile_states USING json_to_recordset(%(gone)s::json) AS given (kind text, id text) "
    "WHERE reconcile_states.kind = given.kind AND object_id = given.id"
)
_READ = (
    "SELECT waiting_for, since, attempts, last_error, CASE WHEN next_at > now() THEN next_at END, seen, at "
    "FROM reconcile_states WHERE kind = %(kind)s AND object_id = %(id)s"
)


def keep_states(
    transaction: Transaction, states: Sequence[Mapping[str, Any]], gone: Sequence[Mapping[str, Any]]
) -> None:
    """Keep what is known of objects.

    Args:
        transaction: the one to write in; begun here.
        states: what is known of each, by the names that an `ObjectState` has on the wire.
        gone: ``kind`` and ``id`` of objects of which nothing is left.
    """
    transaction.begin()
    transaction.raw(_KEEP, {"states": orjson.dumps(states).decode()})
    transaction.raw(_FORGET, {"gone": orjson.dumps(gone).decode()})


def read_state(transaction: Transaction, kind: str, identifier: str) -> Mapping[str, Any]:
    """What is known of one object; empty when nothing is."""
    row = transaction.raw(_READ, {"kind": kind, "id": identifier}).fetchone()
    if row is None:
        return {}
    names = ("waiting_for", "since", "attempts", "last_error", "next_at", "seen", "at")
    return {name: value for name, value in zip(names, row, strict=True) if value is not None}
