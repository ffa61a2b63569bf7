"""The gateway's addresses: run, events, interrupt, capabilities, runs. The same on the API and on :9080."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import orjson
from flask import Response, request
from flask_smorest import Blueprint

from ambient_core import Answer, BadQuery, Conflict, current
from ambient_core.errors import BASE_PATH, AmbientError, BadGateway, Unavailable
from ambient_core.http.body import JSON, MERGE_PATCH, parse, raw_body
from ambient_core.openapi import documents
from ambient_core.rest import attempt_of, check_parameters, once, one
from ambient_core.rest.credential import Kept
from ambient_core.rest.idempotency import REPLAYED, Once
from ambient_core.search.paging import page_of
from ambient_sessions.agui.address import RunnerAddress, runner_address
from ambient_sessions.agui.inputs import run_input, wanted_run
from ambient_sessions.agui.log import Log, session_store
from ambient_sessions.agui.pump import Order, Pump, connect, keeper_of
from ambient_sessions.agui.stream import all_frames, attached_frames, run_frames
from ambient_sessions.agui.thread import Guard
from ambient_sessions.lifecycle import Phase
from ambient_sessions.messages import position, unheard
from ambient_sessions.ownership import check_owned
from ambient_sessions.settings import sessions_settings

_STREAM = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
_INTERRUPTED = "UPDATE agui_threads SET interrupted_at = coalesce(interrupted_at, now()) WHERE session_id = %(id)s AND active_run = %(run)s"


def blueprint() -> Blueprint:
    """Make the gateway's blueprint."""
    made = Blueprint("agui", "agui", url_prefix=f"{BASE_PATH}/sessions", description="AG-UI streams of sessions.")
    made.surfaces = {"api", "gateway"}
    for path, method, view, document in (
        ("run", "POST", run, _RUN),
        ("events", "GET", events, _EVENTS),
        ("interrupt", "POST", interrupt, _INTERRUPT),
        ("capabilities", "GET", capabilities, _CAPABILITIES),
        ("runs", "GET", runs, _RUNS),
    ):
        made.add_url_rule(
            f"/<string:id>/agui/{path}", endpoint=path, view_func=made.doc(**document)(view), methods=[method]
        )
    made.record_once(lambda state: keeper_of(state.app.runtime) if state.app.surface == "gateway" else None)
    return made


def run(id: str) -> Response:  # noqa: A002
    """Start a run, or attach to the one of the same id, or to the one that the same Idempotency-Key started."""
    operation = current()
    check_parameters()
    raw = raw_body(request, JSON, MERGE_PATCH)  # First: a body comes as slowly as its sender likes.
    row = operation.store("Session", "run").row(id)
    given = run_input(parse(raw) if raw else {}, row)
    # Before the run begins: nobody would hear of it.
    operation.enter_stream()
    attempt = attempt_of(raw)
    earlier = attempt.earlier() if attempt is not None else None
    if earlier is not None:
        given["runId"] = earlier.body.decode()
    run_id = given["runId"]
    log = Log(operation.transaction, id)
    known = log.run(run_id)
    # A run whose runner never answered is forgotten: then the key has started nothing yet.
    replayed = earlier is not None and known is not None
    if known is None:
        check_owned(row)
    if known is None and row["phase"] != Phase.RUNNING:
        shown = row["phase"] or "not started"
        raise Conflict(f"The session is {shown}; a run needs one that is Running.", headers={"Retry-After": "1"})
    if known is None:
        known = _claim(log, row, given)
    if attempt is not None and not replayed:
        attempt.keep(_started(run_id))
    if known is None:
        first = _open(row, given, attempt)
    else:
        first = known.first_seq - 1
        operation.release()
    return _streamed(run_frames(operation.database, id, run_id, first), id, "run", replayed=replayed)


def _started(run_id: str) -> Answer:
    """What is kept for the key of a run: which one it is, because its events are kept already."""
    return Answer(run_id.encode())


def _claim(log: Log, row: dict[str, Any], given: dict[str, Any]) -> Any:
    log.lock()
    if not given["messages"] and (waiting := unheard(current().transaction, row, given["runId"])):
        thread = log.thread()
        thread.add_messages([{"id": id_, "role": "user", "content": payload} for id_, payload in waiting])
        given["messages"] = thread.messages
    return log.claim(given["runId"], given["messages"])


def _open(row: dict[str, Any], given: dict[str, Any], attempt: Once | None) -> int:
    """Connect to the runner, and only then let the run be seen; answers the number before its first event."""
    operation = current()
    try:
        address = runner_address(operation.transaction, row)
        thread = Log(operation.transaction, row["id"]).thread()
        first = Log(operation.transaction, row["id"]).last_seq()
        operation.release()
        order = Order(row["id"], given["runId"], address, given)
        client, response = connect(order, sessions_settings().run_idle_timeout)
    except AmbientError:
        operation.transaction.rollback()
        with operation.database.transaction() as transaction:
            log = Log(transaction, row["id"])
            log.lock()
            log.forget(given["runId"])
            if attempt is not None:
                attempt.forget(transaction, _started(given["runId"]))
        raise
    thread.add_messages(given["messages"])
    pump = Pump(operation.runtime, order, Guard(thread, given["runId"]))
    keeper_of(operation.runtime).add(pump)
    with operation.database.transaction() as transaction:
        transaction.begin()
        Log(transaction, row["id"]).opened(given["runId"])
        _note_run(transaction, row, given["runId"])
    pump.start(client, response)
    return first


def _note_run(transaction: Any, row: dict[str, Any], run_id: str) -> None:
    facts: dict[str, Any] = {"run_id": run_id, "run_state": "active", "run_changed_at": transaction.now()}
    store = session_store(current().runtime, transaction)
    if store.row(row["id"], lock=True)["pending_message_id"] == run_id:
        facts["pending_message_id"] = None
    store.write(row["id"], facts)


def events(id: str) -> Response:  # noqa: A002
    """The events of a session, from a cursor on."""
    operation = current()
    check_parameters("after", "attach")
    operation.store("Session", "get").row(id)
    attach = one("attach")
    if attach not in (None, "true", "false"):
        raise BadQuery("attach must be true or false.")
    if attach == "true":
        operation.release()
        return _streamed(attached_frames(operation.database, id), id, "get")
    name = "after" if "after" in request.args else "Last-Event-ID"
    given = one("after") if name == "after" else request.headers.get(name)
    after = position(name, given, "the number of an event")
    last = Log(operation.transaction, id).last_seq()
    if after > last:
        raise BadQuery(f"There is no event {after} yet; the last one is {last}.")
    operation.release()
    return _streamed(all_frames(operation.database, id, after), id, "get")


def interrupt(id: str) -> Response:  # noqa: A002
    """Interrupt the run that is on; doing it twice is doing it once."""
    operation = current()
    check_parameters()
    raw_body(request, JSON)  # Kept by the request; a connection of the database waits for no body.
    row = operation.store("Session", "run").row(id)
    interrupted: list[str] = []

    def act(raw: bytes) -> Answer:
        wanted = wanted_run(parse(raw) if raw else {})
        active = Log(operation.transaction, id).active_run()
        if active is None or (wanted is not None and wanted != active):
            return _said("idle" if active is None else "active", interrupted=False)
        operation.transaction.raw(_INTERRUPTED, {"id": id, "run": active})
        interrupted.append(active)
        return _said("interrupting", interrupted=True)

    answer = once(act)
    # Noted, and kept for its key, before the runner hears of it: repeated, it does not hit the run that follows.
    operation.release()
    if interrupted:
        _tell_runner(runner_address(operation.transaction, row), id)
    return answer


def _said(state: str, *, interrupted: bool) -> Answer:
    return Answer(orjson.dumps({"state": state, "interrupted": interrupted}))


def _tell_runner(address: RunnerAddress, session: str) -> None:
    """Ask a runner to end its run; the gateway itself ends it after its grace, whatever the runner does."""
    headers = {"X-Ambient-Session-Token": address.token}
    with suppress(httpx.HTTPError), httpx.Client(timeout=3.0, follow_redirects=False, trust_env=False) as client:
        client.post(f"{address.url}/interrupt", json={"thread_id": session}, headers=headers)


def capabilities(id: str) -> Response:  # noqa: A002
    """What the session's runner can do."""
    operation = current()
    check_parameters()
    row = operation.store("Session", "get").row(id)
    address = runner_address(operation.transaction, row)
    operation.release()
    try:
        with httpx.Client(timeout=5.0, follow_redirects=False, trust_env=False) as client:
            headers = {"X-Ambient-Session-Token": address.token}
            with client.stream("GET", f"{address.url}/capabilities", headers=headers) as answer:
                raw = _bounded(answer)
        found = orjson.loads(raw) if answer.status_code == 200 else None
    except httpx.TransportError:
        raise Unavailable("The session's runner does not answer; try again.", retry_after=1) from None
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise BadGateway("The session's runner gave no capabilities.")
    known = found.get("transport")
    transport = {**(known if isinstance(known, dict) else {}), "streaming": True, "resumable": True}
    return _json({**found, "transport": transport})


def _bounded(answer: httpx.Response, limit: int = 1024 * 1024) -> bytes:
    raw = b""
    for chunk in answer.iter_bytes():
        raw += chunk
        if len(raw) > limit:
            raise BadGateway("The session's runner sent more than it may.")
    return raw


def runs(id: str) -> Response:  # noqa: A002
    """The runs of a session, newest first."""
    operation = current()
    check_parameters("page", "size")
    operation.store("Session", "get").row(id)
    page = page_of(request.args.to_dict(flat=False))
    rows, total = Log(operation.transaction, id).runs(page.size, page.offset)
    names = ("run_id", "state", "first_seq", "last_seq", "started_at", "ended_at")
    items = [{n: v for n, v in zip(names, row, strict=True) if v is not None} for row in rows]
    return _json({"kind": "RunList", "page": page.page, "size": len(items), "total": total, "items": items})


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body, option=orjson.OPT_UTC_Z), mimetype="application/json")


def _streamed(frames: Iterator[bytes], session: str, verb: str, *, replayed: bool = False) -> Response:
    kept = Kept(frames, lambda operation: operation.store("Session", verb).row(session))
    headers = {**_STREAM, REPLAYED: "true"} if replayed else _STREAM
    return Response(kept, mimetype="text/event-stream", headers=headers)


def _document(
    operation: str, summary: str, success: dict[str, Any], statuses: tuple[int, ...], **more: Any
) -> dict[str, Any]:
    responses = {"200": success, **documents.refusals((400, 401, 403, 404, 500, 503, *statuses))}
    return {"operationId": operation, "summary": summary, "tags": ["agui"], "responses": responses, **more}


_SSE = {
    "description": "Server-sent events, each an AG-UI event.",
    "content": {
        "text/event-stream": {"schema": {"type": "string"}, "example": 'id: 1\ndata: {"type":"RUN_STARTED"}\n\n'}
    },
}
_TEXT = {"type": "string"}
_OBJECT = {"type": "object", "additionalProperties": True}
_INPUT = {
    "type": "object",
    "description": "RunAgentInput of AG-UI 1.0; threadId and runId are made where they are absent.",
    "properties": {
        "threadId": {"type": "string", "minLength": 1, "maxLength": 255},
        "runId": {"type": "string", "minLength": 1, "maxLength": 255},
        "messages": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "role"],
                "properties": {"id": _TEXT, "role": _TEXT},
                "additionalProperties": True,
            },
        },
    },
    "additionalProperties": True,
}
_RUN = _document(
    "runSession",
    "Start a run, or attach to the one of the same id, or to the one that the same Idempotency-Key started.",
    _SSE,
    (409, 413, 415, 422, 502, 504),
    parameters=["IdempotencyKey"],
    requestBody={
        "required": False,
        "content": documents.content(_INPUT, {"messages": [{"id": "1", "role": "user", "content": "Hello."}]}),
    },
)
_EVENTS = _document(
    "listSessionEvent",
    "The AG-UI events of a session, as they come; the stream ends when the session is over.",
    _SSE,
    (),
    parameters=[
        {
            "name": "after",
            "in": "query",
            "schema": {"type": "integer", "minimum": 0},
            "description": "Only events after this number.",
        },
        {
            "name": "attach",
            "in": "query",
            "schema": {"type": "string", "enum": ["true", "false"]},
            "description": "Begin with a snapshot.",
        },
        {"name": "Last-Event-ID", "in": "header", "schema": _TEXT, "description": "As after, for EventSource."},
    ],
)
_INTERRUPT = _document(
    "interruptSession",
    "Interrupt the run that is on.",
    {
        "description": "What is going on now.",
        "content": documents.content(
            {
                "type": "object",
                "required": ["state", "interrupted"],
                "properties": {"state": _TEXT, "interrupted": {"type": "boolean"}},
            }
        ),
    },
    (409, 413, 415, 422),
    parameters=["IdempotencyKey"],
    requestBody={"required": False, "content": documents.content({"type": "object", "properties": {"runId": _TEXT}})},
)
_CAPABILITIES = _document(
    "getSessionCapabilities",
    "What the session's runner can do.",
    {"description": "AG-UI capabilities, as the runner says.", "content": documents.content(_OBJECT)},
    (502,),
)
_ENTRY = {
    "type": "object",
    "required": ["run_id", "state", "first_seq", "started_at"],
    "properties": {
        "run_id": _TEXT,
        "state": _TEXT,
        "first_seq": {"type": "integer"},
        "last_seq": {"type": "integer"},
        "started_at": {"type": "string", "format": "date-time"},
        "ended_at": {"type": "string", "format": "date-time"},
    },
}
_RUNS = _document(
    "listSessionRun",
    "The runs of a session, newest first.",
    {"description": "One page.", "content": documents.content(documents.listed(_ENTRY))},
    (),
    parameters=["Page", "Size"],
)
