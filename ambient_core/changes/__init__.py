"""The change log: what happened to which object, written by the statement that writes the object, read in commit order.

This is the only place that knows how the log is read. Watch, audit, history, the control plane and ``ambient_after_commit``
all come through `read`.

The room has who reads it beneath HTTP: what follows it, who watches, who sees which change, and what is kept for how long.
"""

import base64
import binascii
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.types import UserDefinedType

from ambient_core.errors import BadQuery, Gone, Unavailable
from ambient_core.kinds import Resource

Run = Callable[[str, Mapping[str, Any]], Any]
"""Runs SQL text with ``%(name)s`` parameters: a connection's ``execute`` or a transaction's ``raw``."""

_MOST_BYTES = 4 * 1024 * 1024
_MOST_UNSETTLED = 100_000
_LATEST = 2**63 - 1


class TransactionId(UserDefinedType[str]):
    """PostgreSQL's ``xid8``: a transaction id that never wraps around."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The type's name in SQL."""
        return "xid8"


changes = Table(
    "changes",
    Resource.metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("xid", TransactionId, server_default=text("change_position()"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("project_id", Text),
    Column("verb", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", DateTime(timezone=True), server_default=text("now()"), nullable=False),
    Column("object", JSON),
    Column("token_id", Text),
    Column("address", Text),
    Column("operation_id", Text),
    Index(None, "xid", "seq"),
    Index("ix_changes_kind_object_id_seq", "kind", "object_id", "seq"),
)

change_horizon = Table(
    "change_horizon",
    Resource.metadata,
    Column("id", SmallInteger, primary_key=True, server_default=text("1"), autoincrement=False),
    Column("log", Text, server_default=text("substr(gen_random_uuid()::text, 1, 8)"), nullable=False),
    Column("xid", TransactionId, server_default=text("'0'"), nullable=False),
    Column("seq", BigInteger, server_default=text("0"), nullable=False),
    Column("at", DateTime(timezone=True)),
    CheckConstraint("id = 1", name="one_row"),
)
"""One row: which log this is, and up to where it was pruned."""


class Position(NamedTuple):
    """How far the log was read: after this row.

    Args:
        xid: the transaction that orders the row.
        seq: the row.
    """

    xid: int
    seq: int


START = Position(0, 0)


@dataclass(frozen=True, slots=True)
class Now:
    """Where the log is in one snapshot.

    Args:
        position: what a reader may see by now ends here.
        included: changes that are committed in the snapshot, though they come after the position.
    """

    position: Position
    included: frozenset[int]


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one object, as ``ambient_after_commit`` hears of it.

    Args:
        kind: name of the kind.
        object_id: which object.
        project_id: where it lives, if anywhere.
        verb: ``create``, ``patch``, ``delete`` or an action's name.
        version: the object's version after the change (before it, for a delete).
        actor: who did it, as ``kind:id``.
        at: when the write began, as an RFC 3339 time in UTC.
        object: the object after the change (before it, for a delete) as JSON text, without secret fields.
        position: where it stands in the log.
        token_id: by which token, where tokens have ids.
        address: from where.
        operation_id: in which operation.
    """

    kind: str
    object_id: str
    project_id: str | None
    verb: str
    version: int
    actor: str
    at: str
    object: bytes
    position: Position
    token_id: str | None = None
    address: str | None = None
    operation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive changes.

    Args:
        changes: in commit order.
        position: how far the log is read with them.
        more: whether there are more already.
    """

    changes: tuple[Change, ...]
    position: Position
    more: bool


@dataclass(frozen=True, slots=True)
class Horizon:
    """What is kept of the log.

    Args:
        log: names this log, so that a cursor of another one is noticed.
        position: rows up to here are pruned; only the last state of each object that lives is kept of them.
        at: times before this one cannot be answered any more; ``None`` while nothing was pruned.
    """

    log: str
    position: Position
    at: datetime | None


WIRE_TIME = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
COLUMNS = (
    "c.xid::text, c.seq, c.kind, c.object_id, c.project_id, c.verb, c.version, c.actor, "
    + WIRE_TIME.format("c.at")
    + ", c.object::text, c.token_id, c.address, c.operation_id"
)
"""What `change_of` makes a `Change` of, from ``changes AS c``."""

SETTLED = "c.xid < pg_snapshot_xmin(pg_current_snapshot())"
"""Condition of rows that no running transaction can still put one before: sequence order is not commit order."""

_READ = f"""
SELECT {COLUMNS}, c.found FROM (
    SELECT c.*, count(*) OVER () AS found, coalesce(sum(octet_length(c.object::text)) OVER (ORDER BY c.xid, c.seq), 0)
        - coalesce(octet_length(c.object::text), 0) AS bytes_before
    FROM (
        SELECT c.* FROM changes AS c
        WHERE {SETTLED} AND (c.xid, c.seq) > (%(xid)s::xid8, %(seq)s) AND (c.xid, c.seq) <= (%(last_xid)s::xid8, %(last_seq)s)
        ORDER BY c.xid, c.seq LIMIT %(limit)s
    ) AS c
) AS c WHERE c.bytes_before < {_MOST_BYTES} ORDER BY c.xid, c.seq
"""
_KEYS = f"""
SELECT c.xid::text, c.seq, c.kind, c.object_id FROM changes AS c
WHERE {SETTLED} AND (c.xid, c.seq) > (%(xid)s::xid8, %(seq)s) ORDER BY c.xid, c.seq LIMIT %(limit)s
"""
_END = f"""
SELECT coalesce(c.xid, h.xid)::text, coalesce(c.seq, h.seq) FROM change_horizon AS h LEFT JOIN LATERAL (
    SELECT c.xid, c.seq FROM changes AS c WHERE {SETTLED} AND (c.xid, c.seq) > (h.xid, h.seq)
    ORDER BY c.xid DESC, c.seq DESC LIMIT 1
) AS c ON true
"""
_NOW = f"""
SELECT e.xid::text, e.seq, ARRAY(
    SELECT c.seq FROM changes AS c WHERE NOT {SETTLED} AND (c.xid, c.seq) > (e.xid, e.seq) LIMIT {_MOST_UNSETTLED + 1}
) FROM ({_END.replace("::text", "")}) AS e (xid, seq)
"""
_HORIZON = "SELECT log, xid::text, seq, at FROM change_horizon"
_BOUND = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text"


def change_of(row: Sequence[Any]) -> Change:
    """A change from a row of `COLUMNS`."""
    xid, seq, kind, identifier, project, verb, version, actor, at, content, *origin = row[:13]
    raw = (content or "null").encode()
    return Change(kind, identifier, project, verb, version, actor, at, raw, Position(int(xid), seq), *origin)


def read(run: Run, after: Position, limit: int = 500, until: Position | None = None) -> Batch:
    """The next changes in commit order; none is ever skipped.

    Args:
        run: runs a statement.
        after: how far the log was read.
        limit: changes at most; there are fewer when they are large.
        until: the last position that is wanted.
    """
    last = until or Position(_LATEST, _LATEST)
    parameters = {"xid": str(after.xid), "seq": after.seq, "last_xid": str(last.xid), "last_seq": last.seq}
    rows = run(_READ, {**parameters, "limit": limit}).fetchall()
    found = tuple(change_of(row) for row in rows)
    more = bool(rows) and (rows[0][-1] == limit or len(rows) < rows[0][-1])
    return Batch(found, found[-1].position if found else after, more)


def read_keys(run: Run, after: Position, limit: int = 1000) -> list[tuple[str, str, Position]]:
    """The next changes in commit order, as kind, object id and position alone."""
    rows = run(_KEYS, {"xid": str(after.xid), "seq": after.seq, "limit": limit}).fetchall()
    return [(kind, identifier, Position(int(xid), seq)) for xid, seq, kind, identifier in rows]


def end(run: Run) -> Position:
    """The position of the last change that a reader may see by now."""
    xid, seq = run(_END, {}).fetchone()
    return Position(int(xid), seq)


def now(run: Run) -> Now:
    """Where the log is now, so that who reads on from there misses nothing and sees nothing that was before.

    Raises:
        Unavailable: an older transaction holds back too much of it.
    """
    xid, seq, included = run(_NOW, {}).fetchone()
    if len(included) > _MOST_UNSETTLED:
        raise Unavailable("The change log is too far behind to begin a watch; an older transaction holds it back.")
    return Now(Position(int(xid), seq), frozenset(included))


def horizon(run: Run) -> Horizon:
    """What is kept of the log."""
    log, xid, seq, at = run(_HORIZON, {}).fetchone()
    return Horizon(log, Position(int(xid), seq), at)


def cursor(log: str, position: Position) -> str:
    """A position as text for callers: the same for the same position, on every replica."""
    raw = bytes.fromhex(log) + position.xid.to_bytes(8, "big") + position.seq.to_bytes(8, "big")
    return base64.urlsafe_b64encode(raw + zlib.crc32(raw).to_bytes(4, "big")).decode()


def position_of(run: Run, text: str, name: str) -> Position:
    """The position that a caller's cursor means.

    Args:
        run: runs a statement.
        text: what the caller sent.
        name: of the parameter or header, for the refusal.

    Raises:
        BadQuery: it is no cursor of this log, or one that the log has not reached.
        Gone: what follows it is not kept any more.
    """
    log, position = _decoded(text, name)
    kept = horizon(run)
    if log != kept.log:
        raise BadQuery(f"{name} is a cursor of another database; begin anew without it.")
    if position.xid >= int(run(_BOUND, {}).fetchone()[0]):
        raise BadQuery(f"{name} is a cursor that this change log has not reached; begin anew without it.")
    check_kept(kept, position, name)
    return position


def check_kept(kept: Horizon, position: Position, name: str) -> None:
    """Refuse a position that lies before what is kept.

    Raises:
        Gone: saying what to do.
    """
    if position < kept.position:
        since = kept.at.isoformat(timespec="seconds") if kept.at else "now"
        raise Gone(
            f"{name} is older than what the change log keeps (since {since}): changes after it are gone. Read the present "
            "objects again, or watch with initial=true, and go on from there."
        )


def _decoded(text: str, name: str) -> tuple[str, Position]:
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raw = b""
    if len(raw) != 24 or zlib.crc32(raw[:20]).to_bytes(4, "big") != raw[20:]:
        raise BadQuery(f"{name} must be a cursor as this API gave it.")
    return raw[:4].hex(), Position(int.from_bytes(raw[4:12], "big"), int.from_bytes(raw[12:20], "big"))
