"""What OpenAPI says of each operation; plain data, so that documentation and routes are made from one declaration."""

from collections.abc import Iterable, Mapping, Sequence
from inspect import cleandoc
from typing import Any

from ambient_core.errors import CATALOGUE
from ambient_core.kinds import Access, Action, Kind, Verb, rules_of
from ambient_core.kinds.rules import type_of
from ambient_core.openapi import headers
from ambient_core.rest.apply import unique_groups

Document = dict[str, Any]

JSON = "application/json"
NDJSON = "application/x-ndjson"
_USUAL = (400, 401, 403, 500, 503, 504)
_BY_VERB: dict[str, tuple[int, ...]] = {
    "list": (406, 429),
    "get": (404, 406, 412),
    "create": (406, 409, 413, 415, 422),
    "patch": (404, 406, 409, 412, 413, 415, 428),
    "delete": (404, 409, 412, 428),
}
_CONDITIONS = ("IfMatch", "IfNoneMatch")
_DRY_RUN = "DryRun"
_KEY = "IdempotencyKey"
_ETAG = {"ETag": headers.reference("ETag")}
_LOCATION = {"Location": headers.reference("Location")}


def reference(name: str) -> Document:
    """A reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def content(schema: Document, example: Any = None) -> Document:
    """A JSON body."""
    media: Document = {"schema": schema}
    if example is not None:
        media["example"] = example
    return {JSON: media}


def refusals(statuses: Iterable[int]) -> Document:
    """The error answers of an operation."""
    return {str(status): {"$ref": f"#/components/responses/Error{status}"} for status in sorted(set(statuses))}


def camel(name: str) -> str:
    """``patch_status`` -> ``patchStatus``."""
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def verb(kind: Kind, verb: Verb) -> Document:
    """One of the five verbs."""
    summary = {
        "list": f"List objects of kind {kind.name}.",
        "get": f"Read one {kind.name}.",
        "create": f"Make a {kind.name}.",
        "patch": f"Change a {kind.name} (JSON Merge Patch, RFC 7396).",
        "delete": f"Delete a {kind.name}.",
    }[verb]
    document: Document = {
        "operationId": f"{verb}{kind.name}",
        "summary": summary,
        "tags": [kind.plural],
        "x-ambient-verb": verb,
    }
    document["parameters"] = _parameters(kind, verb)
    if verb == "create" and "patch" in kind.verbs:
        # What `apply` finds an object by, for those who declare objects.
        document["x-ambient-unique"] = [list(group) for group in unique_groups(kind)]
    if verb in ("create", "patch"):
        name = f"{kind.name}{verb.capitalize()}"
        media = content(reference(name), example(kind, creating=verb == "create"))
        if verb == "patch":
            media["application/merge-patch+json"] = dict(media[JSON])
        document["requestBody"] = {"required": True, "content": media}
    document["responses"] = {**_success(kind, verb), **refusals((*_USUAL, *_BY_VERB[verb]))}
    return document


def _parameters(kind: Kind, verb: Verb) -> Sequence[str | Document]:
    if verb == "list":
        return ["Page", "Size", "PageToken", "Total", "Search", "OrderBy", "Fields", *_project(kind)]
    own = {"get": ["Fields", *_CONDITIONS], "create": [_KEY, _DRY_RUN]}.get(verb, [*_CONDITIONS, _DRY_RUN])
    return [*own, "Project"] if kind.project_column else own


def _success(kind: Kind, verb: Verb) -> Document:
    if verb == "delete":
        return {"204": {"description": "It is deleted."}}
    if verb == "list":
        media = content(reference(f"{kind.name}List"))
        lines = (
            "Every matching object, a line of JSON each, from one snapshot; without page, size, page_token and total."
        )
        media[NDJSON] = {"schema": {"type": "string", "description": lines, "example": '{"id":"1"}\n{"id":"2"}\n'}}
        return {"200": {"description": "One page, or all of it as lines.", "content": media}}
    answer: Document = {
        "description": f"The {kind.name}.",
        "content": content(reference(kind.name)),
        "headers": dict(_ETAG),
    }
    if verb == "create":
        answer["headers"] |= _LOCATION
    found = {"201" if verb == "create" else "200": answer}
    if verb == "get":
        found["304"] = {"description": "The caller has this version already (If-None-Match).", "headers": dict(_ETAG)}
    return found


def delete_matching(kind: Kind) -> Document:
    """The deletion of what matches a search."""
    parameters: list[str | Document] = [
        {**PARAMETERS["Search"], "required": True, "example": "id = 'none'"},
        {
            "name": "max_affected",
            "in": "query",
            "required": True,
            "schema": {"type": "integer", "minimum": 0, "maximum": 10000},
            "description": "With more matches than that, nothing is deleted (409, with matched).",
            "example": 1,
        },
        _DRY_RUN,
        *_project(kind),
    ]
    return {
        "operationId": f"deleteMatching{kind.name}",
        "summary": f"Delete every {kind.name} that matches a search, all or none.",
        "tags": [kind.plural],
        "x-ambient-verb": "delete",
        "parameters": parameters,
        "responses": {
            "200": {"description": "How many there were.", "content": content(reference("Deletion"))},
            **refusals((*_USUAL, 406, 409, 428)),
        },
    }


def _project(kind: Kind) -> list[str | Document]:
    project = kind.project_column
    if not project or project == "id":
        return []
    schema = {"type": "string", "maxLength": 63}
    return [{"name": project, "in": "query", "schema": schema, "description": "Only those of this project."}, "Project"]


def action(kind: Kind, action: Action) -> Document:
    """An action: its first docstring paragraph, body, answer and errors."""
    text = cleandoc(action.doc or f"{action.name} a {kind.name}.").split("\n\n")
    document: Document = {
        "operationId": action.operation_id or f"{camel(action.name)}{kind.name}",
        "summary": " ".join(text[0].split()),
        "tags": [kind.plural],
        "x-ambient-verb": action.name,
        "parameters": [*_action_headers(action), *action.parameters],
    }
    if action.until:
        document["x-ambient-until"] = {name: dict(values) for name, values in action.until.items()}
    if len(text) > 1:
        document["description"] = "\n\n".join(text[1:])
    if action.body is not None:
        document["requestBody"] = {"required": True, "content": {JSON: {"schema": action.body}}}
    document["responses"] = {str(action.status): _answer(kind, action)}
    extra = (404, 409, 413, 415, 422) if action.method == "POST" else (404, 409, 413, 415) if action.body else (404,)
    conditions = ((412, 428) if action.conditional else ()) + (() if action.streams else (406,))
    document["responses"] |= refusals((*_USUAL, *extra, *conditions, *action.errors))
    return document


def _action_headers(action: Action) -> list[str]:
    keyed = [_KEY] if action.method == "POST" and not action.streams else []
    return [*keyed, *(_CONDITIONS if action.conditional else ()), *([_DRY_RUN] if action.writes else [])]


def _answer(kind: Kind, action: Action) -> Document:
    if action.answer is None:
        return {"description": "Done."}
    schema: Any = action.answer
    if isinstance(schema, str):
        schema = reference(kind.name if schema == "self" else schema)
    answer: Document = {"description": f"The answer of {action.name}.", "content": content(schema)}
    if isinstance(action.answer, str) and not action.answer.endswith("List"):
        answer["headers"] = {**_ETAG, **(_LOCATION if action.status == 201 else {})}
    if action.streams:
        stream = {"type": "string", "description": "Server-sent events.", "example": 'id: 1\ndata: {"seq": 1}\n\n'}
        answer["content"]["text/event-stream"] = {"schema": stream}
    return answer


def example(kind: Kind, *, creating: bool) -> Document:
    """A body that would be accepted, from the fields' own examples."""
    wanted = (Access.CREATE, Access.WRITE, Access.SECRET) if creating else (Access.WRITE,)
    columns = kind.columns(*wanted)
    shown = {column.name: rules_of(column).example for column in columns if rules_of(column).example is not None}
    if creating:
        needed = [c for c in columns if not c.nullable and rules_of(c).default is None and c.server_default is None]
        shown |= {c.name: "demo" for c in needed if c.name not in shown and type_of(c).python_type is str}
    return shown


def plain(operation: str, summary: str, schema: Document, *, open_to_all: bool) -> Document:
    """An operation of the core that reads one document."""
    statuses = (400, 404, 500) if open_to_all else (400, 401, 404, 500, 503)
    document: Document = {
        "operationId": operation,
        "summary": summary.split("\n", maxsplit=1)[0],
        "tags": ["core"],
        "responses": {"200": {"description": "The document.", "content": content(schema)}, **refusals(statuses)},
    }
    if open_to_all:
        document["security"] = []
    return document


def _object(**properties: Mapping[str, Any]) -> Document:
    return {"type": "object", "required": sorted(properties), "properties": dict(properties)}


_TEXT = {"type": "string"}
_WHOLE = {"type": "integer"}
METADATA = _object(id=_TEXT, kind=_TEXT, href=_TEXT, version=_TEXT)
VERSION = _object(version=_TEXT, api=_TEXT)
ERROR_ENTRY = _object(id=_TEXT, kind=_TEXT, href=_TEXT, code=_TEXT, reason=_TEXT, status=_WHOLE)


def listed(item: Document) -> Document:
    """The list envelope around an item's schema."""
    return _object(kind=_TEXT, page=_WHOLE, size=_WHOLE, total=_WHOLE, items={"type": "array", "items": item})


def paged(item: Document) -> Document:
    """The envelope of a list that may be read by page tokens, without a count."""
    envelope = _object(kind=_TEXT, page=_WHOLE, size=_WHOLE, items={"type": "array", "items": item})
    envelope["properties"]["total"] = {"type": "integer", "description": "Matching objects; absent with total=false."}
    envelope["properties"]["next_page_token"] = {
        "type": "string",
        "description": "The page_token of the next page; absent on the last one.",
    }
    return envelope


ERROR_LIST = listed(ERROR_ENTRY)
PLUGIN_LIST = listed(
    {
        "type": "object",
        "required": ["kind", "name", "state"],
        "properties": dict.fromkeys(("kind", "name", "version", "state", "reason"), _TEXT),
    }
)
DELETION = _object(kind={"type": "string", "example": "Deletion"}, deleted={"type": "integer", "example": 3})
ERROR: Document = {
    "type": "object",
    "required": ["id", "kind", "href", "code", "reason", "operation_id"],
    "properties": {
        "id": _TEXT,
        "kind": {"type": "string", "example": "Error"},
        "href": _TEXT,
        "code": {"type": "string", "example": "ambient-api-server-8"},
        "reason": {"type": "string", "description": "What is wrong and what would be right."},
        "operation_id": {"type": "string", "description": "Names this request in the log."},
        "results": {
            "type": "array",
            "description": "Of an atomic batch that failed: what became of each operation.",
            "items": {"type": "object", "additionalProperties": True},
        },
        "matched": {"type": "integer", "description": "With 409 of a deletion by search: how many objects match."},
        "current_version": {"type": "integer", "description": "With 412: the version that is stored now."},
        "errors": {
            "type": "array",
            "description": "Every fault, when they belong to fields.",
            "items": _object(
                field={"type": "string", "description": "JSON pointer into the body."}, rule=_TEXT, reason=_TEXT
            ),
        },
    },
}


def _query(name: str, schema: Document, description: str, example: Any = None) -> Document:
    parameter: Document = {"name": name, "in": "query", "schema": schema, "description": description}
    return parameter if example is None else {**parameter, "example": example}


def _header(name: str, description: str, example: str) -> Document:
    return {"name": name, "in": "header", "schema": _TEXT, "description": description, "example": example}


PARAMETERS: dict[str, Document] = {
    "Page": _query("page", {"type": "integer", "minimum": 1, "default": 1, "maximum": 2**53}, "Which page, from 1."),
    "Size": _query("size", {"type": "integer", "minimum": 1, "maximum": 500, "default": 100}, "Objects on a page."),
    "Search": _query(
        "search",
        {"type": "string", "maxLength": 4096},
        "A condition over fields.",
        "created_at > '2026-01-01T00:00:00Z'",
    ),
    "OrderBy": _query(
        "orderBy", _TEXT, "Fields to order by, each with asc or desc; id is always the last.", "created_at desc"
    ),
    "Fields": _query("fields", _TEXT, "Fields to show; id, kind and href always come.", "created_at,version"),
    "PageToken": _query(
        "page_token",
        {"type": "string", "maxLength": 8192},
        "The next_page_token of the page before: the same cost at any depth, and nothing repeated or left out while others "
        "write. It belongs to the query, the order and the caller. No count unless total=true; not together with page.",
    ),
    "Total": _query("total", {"type": "boolean"}, "Whether to count; true unless page_token is given.", example=False),
    "DryRun": _query(
        "dry_run",
        {"type": "boolean", "default": False},
        "Check and answer as if, with the header Ambient-Dry-Run: true, and keep nothing.",
    ),
    "IfMatch": _header(
        "If-Match", "The ETag that the change builds on, several of them, or *; if none is the stored one, 412.", '"3"'
    ),
    "IfNoneMatch": _header(
        "If-None-Match", "ETags that the caller has: a GET answers 304 when one is the stored one, a change 412.", '"3"'
    ),
    "Project": _header(
        "X-Ambient-Project",
        "The project that is meant: lists show, and new objects get, this one. One that contradicts the rest is 400.",
        "demo",
    ),
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        "description": "The same key and body within 24 hours answers what the first request answered.",
    },
}


def error_responses() -> dict[str, Document]:
    """One reusable response per HTTP status."""
    found: dict[str, Document] = {}
    for cls in CATALOGUE:
        body = {**cls.reference(), "reason": cls.title, "operation_id": "01jd0000000000000000000000"}
        media = content(reference("Error"), body)
        answer = {"description": cls.title, "headers": headers.of_refusal(cls.status), "content": media}
        found.setdefault(f"Error{cls.status}", answer)
    return found
