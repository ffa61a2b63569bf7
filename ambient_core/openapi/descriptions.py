"""What OpenAPI says of the change log: list, watch and past."""

import marshmallow as ma

from ambient_core.kinds import Action, Kind
from ambient_core.openapi import documents, headers
from ambient_core.openapi.documents import Document, content, reference, refusals
from ambient_core.schemas.fields import Integer
from ambient_core.schemas.validators import Range

EVENT_STREAM = "text/event-stream"
_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}
CURSOR = "nGo2lwAAAAAAAAMIAAAAAAAAACqfEl1E"
_FACTS: Document = {
    "cursor": {"type": "string", "description": "Where the change stands in the log.", "example": CURSOR},
    "kind": {"type": "string", "description": "The object's kind.", "example": "Skill"},
    "object_id": {"type": "string", "example": "01jk5x8y3v9mgq2t4w6z8b0c2d"},
    "project_id": {"type": "string", "description": "Where the object lives, if anywhere.", "example": "demo"},
    "verb": {"type": "string", "description": "What was done: create, patch, delete or an action.", "example": "patch"},
    "version": {"type": "integer", "description": "The object's version after the change.", "example": 2},
    "actor": {"type": "string", "description": "Who did it, as kind:id.", "example": "person:developer"},
    "at": {**_TIME, "description": "When the write began.", "example": "2026-01-31T12:00:00.000000Z"},
    "operation_id": {
        "type": "string",
        "description": "The request's X-Operation-ID.",
        "example": "01jk5x8y3v9mgq2t4w6z8b0c2d",
    },
    "token_id": {"type": "string", "description": "By which API token; shown to who may read everything."},
    "address": {
        "type": "string",
        "description": "From where; shown to who may read everything.",
        "example": "192.0.2.1",
    },
    "object": {
        "type": "object",
        "nullable": True,
        "additionalProperties": True,
        "description": "The object after the change (for a delete the last state), without secret fields.",
        "example": {"id": "01jk5x8y3v9mgq2t4w6z8b0c2d", "kind": "Skill", "version": 2},
    },
}
CHANGE: Document = {
    "type": "object",
    "required": ["cursor", "kind", "object_id", "verb", "version", "actor", "at", "object"],
    "properties": _FACTS,
}
CHANGE_LIST: Document = {
    "type": "object",
    "required": ["kind", "size", "cursor", "items"],
    "properties": {
        "kind": {"type": "string", "example": "ChangeList"},
        "size": {"type": "integer", "description": "Changes on this page.", "example": 1},
        "cursor": {
            "type": "string",
            "description": "The end of the log: a watch after it misses nothing.",
            "example": CURSOR,
        },
        "kept_since": {
            "type": "string",
            "format": "date-time",
            "description": "What was done before is not kept any more; absent while everything is.",
        },
        "next_page_token": {
            "type": "string",
            "description": "For the next page, when there is one.",
            "example": CURSOR,
        },
        "items": {"type": "array", "items": reference("Change")},
    },
}
HISTORY_ENTRY: Document = {
    "type": "object",
    "required": ["cursor", "version", "verb", "actor", "at"],
    "properties": {
        **{name: _FACTS[name] for name in ("cursor", "version", "verb", "actor", "at")},
        "diff": {
            "type": "array",
            "description": "What it changed against the version before (JSON Patch, RFC 6902), when that is kept.",
            "items": {"type": "object", "additionalProperties": True},
            "example": [{"op": "replace", "path": "/name", "value": "triage"}],
        },
    },
}
HISTORY_LIST: Document = {
    "type": "object",
    "required": ["kind", "size", "items"],
    "properties": {
        "kind": {"type": "string", "example": "HistoryEntryList"},
        "size": {"type": "integer", "description": "Versions on this page.", "example": 1},
        "next_page_token": CHANGE_LIST["properties"]["next_page_token"],
        "items": {"type": "array", "items": reference("HistoryEntry")},
    },
}
SCHEMAS = {"Change": CHANGE, "ChangeList": CHANGE_LIST, "HistoryEntry": HISTORY_ENTRY, "HistoryEntryList": HISTORY_LIST}

_EVENTS = (
    f'id: {CURSOR}\nevent: ADDED\ndata: {{"type":"ADDED","cursor":"{CURSOR}","kind":"Skill","object_id":"1","verb":"create",'
    '"version":1,"actor":"person:developer","at":"2026-01-31T12:00:00.000000Z","object":{"id":"1","kind":"Skill"}}\n\n'
    f'id: {CURSOR}\nevent: BOOKMARK\ndata: {{"type":"BOOKMARK","cursor":"{CURSOR}"}}\n\n'
)
STREAM: Document = {
    "schema": {
        "type": "string",
        "description": "Server-sent events ADDED, MODIFIED, DELETED, BOOKMARK and ERROR; the id of each is its cursor.",
    },
    "example": _EVENTS,
}


class Restoring(ma.Schema):
    """Which version to write anew."""

    class Meta:
        """Faults of unknown names are named by the loader."""

        unknown = ma.EXCLUDE

    version = Integer(
        required=True,
        validate=Range(1, 2**63 - 1),
        metadata={"description": "The version to write anew.", "example": 1, "minimum": 1},
    )


def _query(name: str, description: str, schema: Document = _TEXT, example: str | None = None) -> Document:
    found: Document = {"name": name, "in": "query", "schema": schema, "description": description}
    return found if example is None else {**found, "example": example}


_FLAG: Document = {"type": "boolean", "default": False}
AFTER = _query("after", "Watch: go on after this cursor; the header Last-Event-ID says the same and goes before it.")
INITIAL = _query("initial", "Watch: the present objects come first, as ADDED, then a BOOKMARK, then changes.", _FLAG)
WATCH = _query("watch", "Answer with server-sent events: what starts or stops to match is ADDED or DELETED.", _FLAG)
LAST_EVENT: Document = {
    "name": "Last-Event-ID",
    "in": "header",
    "schema": _TEXT,
    "description": "Watch: the id of the last event that was read; the stream goes on after it, on any replica.",
}
POSITION: Document = {
    "name": "Ambient-Position",
    "in": "header",
    "schema": _TEXT,
    "description": (
        "Where this server has a replica, it may answer: how far the list must reach, as the last answer with this header said "
        "it, or 0 at first. Without it the list is as it is now."
    ),
    "example": "0/16B3748",
}
AS_OF = _query("as_of", "The objects as they were at this time, as long as the change log is kept.", _TIME)
VERSION = _query("version", "The object as it was at this version.", {"type": "integer", "minimum": 1})
PARAMETERS = {
    "AsOf": AS_OF,
    "Version": VERSION,
    "After": AFTER,
    "Initial": INITIAL,
    "Watch": WATCH,
    "LastEventId": LAST_EVENT,
    "Position": POSITION,
}


def changes_list() -> Document:
    """The operation of ``/changes``."""
    short = {"type": "string", "minLength": 1, "maxLength": 255}
    return {
        "operationId": "listChange",
        "summary": "List what was done by whom, or watch it with Accept: text/event-stream.",
        "description": (
            "The change log of every kind that the caller may list; what is outside the caller's scope is not in it.\n\n"
            "A watch says ADDED, MODIFIED and DELETED for each change, a BOOKMARK at least every minute and a comment at "
            "least every 15 seconds. It resumes by Last-Event-ID on any replica. A cursor that is older than what is kept "
            "answers 410: watch anew with initial=true. An event ERROR says why a stream ends."
        ),
        "tags": ["changes"],
        "parameters": [
            _query("kinds", "Only these kinds, separated by commas.", example="Skill,Session"),
            _query("project_id", "Only of this project.", short),
            _query("object_id", "Only of this object.", short),
            _query("actor", "Only by this one, as kind:id.", short, "person:developer"),
            _query("verb", "Only this verb.", short, "patch"),
            _query("since", "List: not before this time.", _TIME),
            _query("until", "List: before this time.", _TIME),
            _query(
                "order",
                "List: newest or oldest first.",
                {"type": "string", "enum": ["newest", "oldest"], "default": "newest"},
            ),
            _query("page_token", "List: the next_page_token of the page before."),
            "Size",
            "After",
            "Initial",
            "LastEventId",
        ],
        "responses": {
            "200": {
                "description": "One page, or the stream.",
                "content": {**content(reference("ChangeList")), EVENT_STREAM: STREAM},
            },
            **refusals((400, 401, 403, 406, 410, 429, 500, 503, 504)),
        },
    }


def completed(verb: str, document: Document) -> Document:
    """The operation of a list or a get, with watch and past; the others as they are."""
    if verb not in ("list", "get"):
        return document
    watching = ["Watch", "Initial", "After", "LastEventId", "Position"]
    more = ["AsOf", *watching] if verb == "list" else ["AsOf", "Version"]
    answer = dict(document["responses"]["200"])
    if verb == "list":
        answer["content"] = {**answer["content"], EVENT_STREAM: STREAM}
    statuses = (410, 429) if verb == "list" else (410,)
    return {
        **document,
        "parameters": [*document["parameters"], *more],
        "responses": {**document["responses"], "200": answer, **refusals(statuses)},
    }


def history(kind: Kind) -> Document:
    """The operation of an object's history."""
    token = _query("page_token", "The next_page_token of the page before.")
    return {
        "operationId": f"history{kind.name}",
        "summary": f"List the versions of a {kind.name}, newest first: who made each, when, and what it changed.",
        "tags": [kind.plural],
        "x-ambient-verb": "history",
        "parameters": [documents.PARAMETERS["Size"], token],
        "responses": {
            "200": {"description": "One page of versions.", "content": content(reference("HistoryEntryList"))},
            **refusals((400, 401, 403, 404, 406, 410, 500, 503, 504)),
        },
    }


def restore(kind: Kind) -> Document:
    """The operation that writes an old version anew."""
    given = documents.action(kind, Action("restore", restore, body=Restoring))
    made = {
        **given["responses"]["200"],
        "description": f"The {kind.name}; it was deleted, and is made again with its old id.",
        "headers": {"ETag": headers.reference("ETag"), "Location": headers.reference("Location")},
    }
    return {
        **given,
        "summary": f"Write an old version of a {kind.name} anew, also of one that was deleted.",
        "description": (
            "Fields that a caller may write become what they were; what only the server writes, and secret fields, stay. "
            "An object that was deleted is made again under its id, and its versions go on."
        ),
        "responses": {**given["responses"], "201": made},
    }
