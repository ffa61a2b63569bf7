"""The log of a session's runner, whichever runtime it runs in.

The gateway reads it from the runtime. The API may have no way to the runtime (it runs elsewhere, without rights in the
cluster): it checks the caller and passes the request on to the gateway, which checks again.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from flask import Response, current_app, request
from flask_smorest import Blueprint

from ambient_core import BadQuery, current
from ambient_core.config import Settings
from ambient_core.errors import BASE_PATH, Unavailable
from ambient_core.openapi import documents
from ambient_core.rest import check_parameters, one
from ambient_core.rest.credential import Kept
from ambient_sessions.reconcile import runtime_of
from ambient_sessions.runtimes import LogsWanted, Runtime, Target, Waiting
from ambient_sessions.settings import sessions_settings

log = logging.getLogger(__name__)
MOST_LINES = 100_000
_HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
_RUNTIME = "ambient_session_runtime"
_LONGEST_REFUSAL = 65536


@dataclass(frozen=True, slots=True)
class _Place:
    settings: Settings
    hooks: Any


def blueprint() -> Blueprint:
    """Make the blueprint of logs."""
    made = Blueprint("logs", "logs", url_prefix=f"{BASE_PATH}/sessions", description="Logs of sessions.")
    made.surfaces = {"api", "gateway"}
    made.add_url_rule("/<string:id>/logs", endpoint="logs", view_func=made.doc(**_DOCUMENT)(logs), methods=["GET"])
    return made


def logs(id: str) -> Response:  # noqa: A002
    """What the runner of a session wrote."""
    operation = current()
    check_parameters("follow", "tail", "since")
    wanted = LogsWanted(_tail(one("tail")), _since(one("since")), follow=_follow(one("follow")))
    row = operation.store("Session", "logs").row(id)
    operation.release()
    if current_app.surface == "gateway":  # type: ignore[attr-defined]
        lines = _lines(_runtime(), Target(row["id"], row["project_id"]), wanted)
        return _streamed(Kept(lines, lambda operation: operation.store("Session", "logs").row(id)))
    return _passed_on(f"{operation.settings.gateway_url}{BASE_PATH}/sessions/{row['id']}/logs")


def _lines(runtime: Runtime, target: Target, wanted: LogsWanted) -> Iterator[bytes]:
    """The lines; what is in the way is told before the first of them."""
    try:
        if wanted.follow:
            # A log that is followed may be silent for long: whether it can be read is found out by its last line.
            next(runtime.logs(target, LogsWanted(tail=1)), None)
            return _guarded(runtime.logs(target, wanted))
        found = runtime.logs(target, wanted)
        first = next(found, b"")
    except Waiting as fault:
        raise Unavailable(
            f"The log cannot be read now: {fault.reason}: {fault.message}", retry_after=max(1, int(fault.after))
        ) from fault
    return _guarded(found, first)


def _guarded(lines: Iterator[bytes], first: bytes = b"") -> Iterator[bytes]:
    try:
        if first:
            yield first
        yield from lines
    except Waiting as fault:
        log.warning("a log broke off: %s", fault)


def _runtime() -> Runtime:
    """The runtime of this process, made when the first log is asked for; it is never started, so it looks at nothing."""
    found: Runtime | None = current_app.extensions.get(_RUNTIME)
    if found is None:
        place = _Place(current().settings, current_app.plugins.hooks)  # type: ignore[attr-defined]
        try:
            found = runtime_of(place, sessions_settings())
        except Exception as fault:
            log.exception("the runtime cannot be used for logs")
            raise Unavailable("The gateway cannot use the runtime; its log says why.", retry_after=10) from fault
        current_app.extensions[_RUNTIME] = found
    return found


def _passed_on(url: str) -> Response:
    client = httpx.Client(timeout=httpx.Timeout(10.0, read=None), follow_redirects=False, trust_env=False)
    headers = {"Authorization": request.headers["Authorization"], "X-Operation-ID": current().id}
    try:
        answer = client.send(client.build_request("GET", url, params=request.args, headers=headers), stream=True)
        if answer.status_code != 200:
            with client:
                return _refused(answer)
    except httpx.TransportError:
        client.close()
        raise Unavailable("The gateway, which has the logs, does not answer; try again.", retry_after=2) from None
    return _streamed(_pieces(client, answer))


def _refused(answer: httpx.Response) -> Response:
    raw = b""
    for piece in answer.iter_bytes():
        raw += piece
        if len(raw) > _LONGEST_REFUSAL:
            raise Unavailable("The gateway, which has the logs, answered nonsense.", retry_after=10)
    kept = {name: answer.headers[name] for name in ("Retry-After",) if name in answer.headers}
    return Response(raw, answer.status_code, kept, mimetype="application/json")


def _pieces(client: httpx.Client, answer: httpx.Response) -> Iterator[bytes]:
    try:
        yield from answer.iter_bytes()
    except httpx.TransportError as fault:
        log.warning("a log broke off: %s", type(fault).__name__)
    finally:
        answer.close()
        client.close()


def _streamed(pieces: Iterator[bytes]) -> Response:
    return Response(pieces, mimetype="text/plain", headers=_HEADERS)


def _tail(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= MOST_LINES):
        raise BadQuery(f"tail must be a number of lines from 0 to {MOST_LINES}.")
    return int(text)


def _since(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadQuery("since must be an RFC 3339 time such as 2026-01-31T12:00:00Z.")
    return at


def _follow(text: str | None) -> bool:
    if text not in (None, "true", "false"):
        raise BadQuery("follow must be true or false.")
    return text == "true"


def _query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": description}


_DOCUMENT: dict[str, Any] = {
    "operationId": "getSessionLogs",
    "summary": "Read what the runner of a session wrote.",
    "description": "Nothing is there before the first start, and nothing when the runtime keeps it no more.",
    "tags": ["sessions"],
    "x-ambient-verb": "logs",
    "parameters": [
        _query("follow", {"type": "boolean", "default": False}, "Go on as it is written, until the runner has ended."),
        _query("tail", {"type": "integer", "minimum": 0, "maximum": MOST_LINES}, "Only so many last lines."),
        _query("since", {"type": "string", "format": "date-time"}, "Only what was written after this time."),
    ],
    "responses": {
        "200": {
            "description": "The log, line by line.",
            "content": {"text/plain": {"schema": {"type": "string"}, "example": "Listening on 127.0.0.1:8001\n"}},
        },
        **documents.refusals((400, 401, 403, 404, 500, 503)),
    },
}
