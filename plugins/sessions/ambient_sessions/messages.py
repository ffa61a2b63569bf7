"""Messages of a session: written once, numbered without gaps, read as pages or as a stream."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import marshmallow as ma
import orjson
from flask import Response, request
from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, String, Table, Text, UniqueConstraint, text

from ambient_core import Answer, BadQuery, Forbidden, Resource, Store, action, current
from ambient_core.database import Database
from ambient_core.database.transaction import Transaction
from ambient_core.ids import new_id
from ambient_core.openapi.documents import PARAMETERS
from ambient_core.rest import one
from ambient_core.rest.credential import Kept
from ambient_core.schemas.fields import Integer, Time, broken
from ambient_core.schemas.fields import Text as TextField
from ambient_core.search.paging import page_of
from ambient_sessions.ownership import check_owned

HEARTBEAT = 10.0
_BATCH = 200
_COLUMNS = ("id", "session_id", "seq", "event_type", "payload", "created_at")

session_messages = Table(
    "session_messages",
    Resource.metadata,
    Column("id", String(63), primary_key=True),
    Column("session_id", String(63), ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("event_type", String(255), nullable=False),
    Column("payload", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), server_default=text("now()"), nullable=False),
    UniqueConstraint("session_id", "seq"),
    info={"exported": True},
)

_JSON = (
    "concat('{\"id\":', to_json(id)::text, ',\"session_id\":', to_json(session_id)::text, ',\"seq\":', seq, "
    '\',"event_type":\', to_json(event_type)::text, \',"payload":\', to_json(payload)::text, \',"created_at":"\', '
    "to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), '\"}')"
)
_INSERT = (
    "INSERT INTO session_messages (id, session_id, seq, event_type, payload) SELECT %(id)s::text, %(session_id)s::text, "
    "coalesce(max(seq), 0) + 1, %(event_type)s::text, %(payload)s::text FROM session_messages WHERE session_id = %(session_id)s::text "
    f"RETURNING {_JSON}"
)
_READ = (
    f"SELECT seq, {_JSON} FROM session_messages WHERE session_id = %(session_id)s AND seq > %(after)s "
    "ORDER BY seq LIMIT %(limit)s OFFSET %(offset)s"
)
# A run that is called like a message has heard it and all before it. What was said on the legacy platform was answered there.
_UNHEARD = (
    "WITH asked AS (SELECT seq FROM session_messages WHERE session_id = %(session)s AND id = %(id)s AND event_type = 'user'), "
    "heard AS (SELECT max(seq) AS seq FROM session_messages JOIN agui_runs ON agui_runs.session_id = "
    "session_messages.session_id AND run_id = id WHERE session_messages.session_id = %(session)s) "
    "SELECT id, payload FROM session_messages, asked, heard WHERE session_id = %(session)s AND event_type = 'user' "
    "AND session_messages.seq <= asked.seq AND session_messages.seq > "
    "coalesce(heard.seq, CASE WHEN %(imported)s THEN asked.seq - 1 ELSE 0 END) ORDER BY session_messages.seq"
)
_COUNT = "SELECT count(*) FROM session_messages WHERE session_id = %(session_id)s AND seq > %(after)s"


def _check_type(value: str) -> None:
    if not 1 <= len(value) <= 255:
        raise broken("length", "must have 1 to 255 characters.")


class SessionMessageCreate(ma.Schema):
    """A message to be added."""

    class Meta:
        """Faults of unknown names are named by the loader."""

        unknown = ma.EXCLUDE

    event_type = TextField(
        load_default="user", validate=_check_type, metadata={"description": "Persons write user, runners the rest."}
    )
    payload = TextField(required=True, metadata={"example": "Now look at the tests."})


class SessionMessage(ma.Schema):
    """A message of a session."""

    id = TextField(required=True)
    session_id = TextField(required=True)
    seq = Integer(required=True, metadata={"description": "Counts from 1 in each session, without gaps."})
    event_type = TextField(required=True)
    payload = TextField(required=True)
    created_at = Time(required=True)


class SessionMessageList(ma.Schema):
    """Messages of a session, oldest first."""

    kind = TextField(required=True)
    page = Integer(required=True)
    size = Integer(required=True)
    total = Integer(required=True)
    items = ma.fields.List(ma.fields.Nested(SessionMessage), required=True)


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message that is going to be written."""

    id: str
    session_id: str
    event_type: str
    payload: str


def unheard(transaction: Transaction, row: Mapping[str, Any], message_id: str) -> list[tuple[str, str]]:
    """Messages of persons that no run has heard, oldest first, up to one of them, as (id, text).

    Args:
        transaction: what it is read through.
        row: the session.
        message_id: the last one; when it is no message of this session, there are none.
    """
    values = {"session": row["id"], "id": message_id, "imported": row["imported_from"] is not None}
    found: list[tuple[str, str]] = transaction.raw(_UNHEARD, values).fetchall()
    return found


def add_message(store: Store, message: NewMessage) -> str:
    """Write a message and answer its JSON; the session's row must be locked, or new in this transaction."""
    row = store.transaction.raw(_INSERT, asdict(message)).fetchone()
    assert row is not None
    return str(row[0])


@action(
    method="POST",
    path="messages",
    status=201,
    body=SessionMessageCreate,
    answer=SessionMessage,
    fenced=True,
    operation_id="createSessionMessage",
)
def push_message(store: Store, identifier: str, values: dict[str, Any]) -> Answer:
    """Add a message to a session.

    Persons write messages of type ``user``, which the agent answers with a run as soon as it can; a session's runner
    writes all other types.
    """
    row = store.row(identifier, lock=True)
    check_owned(row)
    kind = values["event_type"]
    runner = store.principal.kind == "session"
    if runner == (kind == "user"):
        wanted = "any event_type but 'user'" if runner else "event_type 'user'"
        raise Forbidden(f"You may write messages of {wanted}.")
    message = NewMessage(new_id(), row["id"], kind, values["payload"])
    shown = add_message(store, message)
    if kind == "user":
        store.write(row["id"], {"pending_message_id": message.id})
    else:
        store.transaction.announce()
    return Answer(shown.encode(), 201)


_PARAMETERS = [
    {
        "name": "after_seq",
        "in": "query",
        "schema": {"type": "integer", "minimum": 0},
        "description": "Only messages after this number.",
    },
    PARAMETERS["Page"],
    PARAMETERS["Size"],
]


@action(
    method="GET",
    path="messages",
    answer=SessionMessageList,
    streams=True,
    operation_id="listSessionMessage",
    parameters=_PARAMETERS,
)
def messages(store: Store, identifier: str) -> Answer | Response:
    """Read the messages of a session, oldest first.

    With ``Accept: text/event-stream`` the messages come as server-sent events, from ``after_seq`` or ``Last-Event-ID`` on,
    and go on as they are written.
    """
    streaming = request.accept_mimetypes.best_match(["application/json", "text/event-stream"]) == "text/event-stream"
    cursor = _cursor(request.headers.get("Last-Event-ID") if streaming else None)
    session = store.row(identifier)["id"]
    if streaming:
        operation = current()
        operation.release()
        told = _stream(operation.database, session, cursor)
        frames = Kept(told, lambda operation: operation.store("Session", "messages").row(session))
        return Response(
            frames, mimetype="text/event-stream", headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        )
    page = page_of(request.args.to_dict(flat=False))
    values = {"session_id": session, "after": cursor, "limit": page.size, "offset": page.offset}
    rows = store.transaction.raw(_READ, values).fetchall()
    total = store.transaction.raw(_COUNT, values).fetchone()
    items = ",".join(row[1] for row in rows)
    head = {"kind": "SessionMessageList", "page": page.page, "size": len(rows), "total": total[0] if total else 0}
    return Answer(orjson.dumps(head)[:-1] + b',"items":[' + items.encode() + b"]}")


def _cursor(last_event: str | None) -> int:
    name, given = ("after_seq", one("after_seq")) if last_event is None else ("Last-Event-ID", last_event)
    return position(name, given, "a whole number from 0")


def position(name: str, text: str | None, wanted: str) -> int:
    """Where a caller has read up to; 0 when they do not say.

    Args:
        name: of the parameter or header.
        text: what it says.
        wanted: what it must be, for who is refused.

    Raises:
        BadQuery: it is no such number.
    """
    if text is None:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadQuery(f"{name} must be {wanted}; it is {text[:40]!r}.")
    return int(text)


def _stream(database: Database, session: str, cursor: int) -> Iterator[bytes]:
    listener = database.listener
    yield b": connected\n\n"
    while True:
        position = listener.position()
        with database.transaction() as transaction:
            values = {"session_id": session, "after": cursor, "limit": _BATCH, "offset": 0}
            rows = transaction.raw(_READ, values).fetchall()
            alive = transaction.raw("SELECT 1 FROM sessions WHERE id = %(id)s", {"id": session}).fetchone()
        for seq, data in rows:
            cursor = seq
            yield f"id: {seq}\ndata: {data}\n\n".encode()
        if alive is None:
            return
        if not rows:
            listener.wait(position, HEARTBEAT)
            yield b": heartbeat\n\n"
