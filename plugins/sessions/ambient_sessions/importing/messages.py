"""The messages of a mirrored session, as the legacy platform kept them."""

from typing import Any

import marshmallow as ma
import orjson

from ambient_core import Answer, Conflict, Store, action
from ambient_core.ids import new_id
from ambient_core.schemas.fields import Integer, Items, Shape, Time, broken
from ambient_core.schemas.fields import Text as TextField

_THERE = "SELECT seq, event_type, payload FROM session_messages WHERE session_id = %(id)s AND seq > %(after)s ORDER BY seq LIMIT %(limit)s"
_LAST = "SELECT coalesce(max(seq), 0) FROM session_messages WHERE session_id = %(id)s"
_ADD = (
    "INSERT INTO session_messages (id, session_id, seq, event_type, payload, created_at) VALUES "
    "(%(id)s, %(session_id)s, %(seq)s, %(event_type)s, %(payload)s, coalesce(%(created_at)s::timestamptz, now()))"
)


def _check_type(value: str) -> None:
    if value not in ("user", "assistant"):
        raise broken("enum", "must be user or assistant.")


def _check_number(value: int) -> None:
    if value < 0:
        raise broken("range", "must be at least 0.")


class ImportedMessage(ma.Schema):
    """A message that was written on the legacy platform."""

    class Meta:
        """Faults of unknown names are named by the loader."""

        unknown = ma.EXCLUDE

    event_type = TextField(required=True, validate=_check_type, metadata={"enum": ["user", "assistant"]})
    payload = TextField(required=True, metadata={"example": "Look around and report."})
    created_at = Time()


class ImportedMessages(ma.Schema):
    """Messages in their order."""

    class Meta:
        """Faults of unknown names are named by the loader."""

        unknown = ma.EXCLUDE

    after = Integer(
        required=True,
        validate=_check_number,
        metadata={"description": "Number of the message before the first.", "example": 0},
    )
    items = Items(Shape(ImportedMessage), required=True)


class MessagesTaken(ma.Schema):
    """How far the messages reach by now."""

    total = Integer(required=True)
    added = Integer(required=True)


@action(
    path="imported-messages",
    body=ImportedMessages,
    answer=MessagesTaken,
    fenced=True,
    operation_id="importSessionMessages",
)
def import_messages(store: Store, identifier: str, values: dict[str, Any]) -> Answer:
    """Write messages of a mirrored session; for the control plane alone.

    Those that are there already must be the same ones: repeating it changes nothing, and nothing is written twice.
    """
    row = store.row(identifier, lock=True)
    if not row["mirrored"]:
        raise Conflict("The session is ours; only a mirrored one takes messages of the legacy platform.")
    after, items = values["after"], values["items"]
    known = {"id": row["id"], "after": after, "limit": len(items)}
    there = store.transaction.raw(_THERE, known).fetchall()
    last = (store.transaction.raw(_LAST, known).fetchone() or (0,))[0]
    if after > last:
        raise Conflict(f"The session has {last} messages; give those after {last} first.")
    for (seq, kind, payload), item in zip(there, items, strict=False):
        if (kind, payload) != (item["event_type"], item["payload"]):
            raise Conflict(
                f"Message {seq} is there already, and is another one; the legacy platform has rewritten its history."
            )
    for place, item in enumerate(items[len(there) :], after + len(there) + 1):
        new = {"id": new_id(), "session_id": row["id"], "seq": place, "created_at": None, **item}
        store.transaction.raw(_ADD, new)
    added = len(items) - len(there)
    if added:
        store.transaction.announce()
    return Answer(orjson.dumps({"total": last + added, "added": added}))
