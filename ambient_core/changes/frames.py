"""A change as a server-sent event, made once for all who get it."""

import orjson

from ambient_core import changes
from ambient_core.changes import Position
from ambient_core.changes.visibility import Sight


class Frame:
    """One server-sent event, made once for all who get it.

    Args:
        position: of the change.
        data: the event's bytes.
    """

    __slots__ = ("data", "position")

    def __init__(self, position: Position, data: bytes) -> None:
        self.position = position
        self.data = data


def frame(name: str, sight: Sight) -> Frame:
    """The event that shows a change.

    Args:
        name: of the log, for the cursor.
        sight: what to show.
    """
    change = sight.change
    cursor = changes.cursor(name, change.position)
    facts = {
        "type": sight.type,
        "cursor": cursor,
        "kind": change.kind,
        "object_id": change.object_id,
        "project_id": None if sight.left else change.project_id,
        "verb": change.verb,
        "version": change.version,
        "actor": change.actor,
        "at": change.at,
    }
    content = sight.object if b"\n" not in sight.object else orjson.dumps(orjson.loads(sight.object))
    body = orjson.dumps({key: value for key, value in facts.items() if value is not None})
    data = b'id: %b\nevent: %b\ndata: %b,"object":%b}\n\n' % (
        cursor.encode(),
        sight.type.encode(),
        body[:-1],
        content,
    )
    return Frame(change.position, data)
