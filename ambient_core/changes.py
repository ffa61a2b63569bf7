"""The change log: what happened to which object, written by the statement that writes the object."""

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.types import UserDefinedType

from ambient_core.kinds import Resource

CHANNEL = "ambient_changes"
"""The channel that is notified after commits; it only wakes, it never carries data."""


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
    Column("xid", TransactionId, server_default=text("pg_current_xact_id()"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("project_id", Text),
    Column("verb", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", DateTime(timezone=True), server_default=text("now()"), nullable=False),
    Column("object", JSON),
    Index(None, "xid", "seq"),
    Index(None, "kind", "object_id"),
)


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one object, as ``ambient_after_commit`` hears of it.

    Args:
        kind: name of the kind.
        object_id: which object.
        project_id: where it lives, if anywhere.
        verb: ``create``, ``patch``, ``delete`` or an action's name.
        version: the object's version after the change.
        actor: who did it, as ``kind:id``.
        object: the object after the change (before it, for a delete) as JSON text, without secret fields.
    """

    kind: str
    object_id: str
    project_id: str | None
    verb: str
    version: int
    actor: str
    object: bytes
