"""HTTP for any kind: the five verbs and the actions, written once.

The room has one request from its parameters to its error: the operation, its idempotency key, and what is said when it fails.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask.typing import ResponseReturnValue

from ambient_core.database.statements import NOWHERE, Clause
from ambient_core.errors import BadQuery, NotFound, PreconditionRequired
from ambient_core.http.body import JSON, MERGE_PATCH, json_body, parse, raw_body
from ambient_core.http.context import Response, the_request
from ambient_core.http.preconditions import failed
from ambient_core.kinds import Action, Kind, rules_of
from ambient_core.rest.idempotency import Once, Secrecy
from ambient_core.rest.operation import current
from ambient_core.rest.parameters import (
    DRY_RUN,
    agree,
    check_parameters,
    check_project,
    is_dry_run,
    list_query,
    matching,
    max_affected,
    may_name,
    negotiate,
    one,
    preconditions,
    project_header,
    searchable,
)
from ambient_core.schemas import load, schemas_of
from ambient_core.search.paging import fields_of
from ambient_core.store import Answer
from ambient_core.store.query import Query
from ambient_core.store.stream import NDJSON

DRY_RUN_HEADER = "Ambient-Dry-Run"


def response_of(answer: Answer) -> Response:
    """An answer of a store as an HTTP response."""
    response = Response(answer.body or None, answer.status, content_type="application/json" if answer.body else None)
    if answer.version is not None:
        response.headers["ETag"] = f'"{answer.version}"'
    if answer.headers:
        response.headers.extend(dict(answer.headers))
    if current().transaction.rehearsal:
        response.headers[DRY_RUN_HEADER] = "true"
    return response


class Resources:
    """The views of one kind.

    Args:
        kind: what is served.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.schemas = schemas_of(kind)
        self._access = {column.name: rules_of(column).access for column in kind.table.columns}

    def list(self, query: Query | None = None, past: Clause = NOWHERE) -> Response:
        """GET the collection: a page, or all of it as lines.

        Args:
            query: what is asked for, when it was read already.
            past: what is read instead of the present.
        """
        answer = streamed if negotiate(JSON, NDJSON) == NDJSON else listed
        return answer(self.kind, query or list_query(self.kind), past)

    def get(self, id: str, past: Clause = NOWHERE) -> Response:  # noqa: A002
        """GET one object.

        Args:
            id: which one.
            past: what is read instead of the present.
        """
        negotiate(JSON)
        store = current().store(self.kind, "get")
        store.past = past
        check_parameters("fields", *(["as_of", "version"] if past.text else []))
        fields = fields_of(one("fields"), self.kind.selectable)
        condition = preconditions(required=False)
        if condition is None:
            return response_of(store.get(id, fields))
        try:
            answer = store.get(id, fields)
        except NotFound:
            if condition.asks_for_existence:
                raise failed(self.kind.name, None) from None
            raise
        version = answer.version or 0
        if condition.is_fresh(version):
            answer = Answer(b"", 304, version)
        elif not condition.holds(version):
            raise failed(self.kind.name, version, condition)
        return response_of(answer)

    def create(self) -> Response:
        """POST to the collection."""
        negotiate(JSON)
        store = current().store(self.kind, "create")
        check_parameters(DRY_RUN)
        return once(lambda raw: store.create(self.values(parse(raw), project_header())))

    def values(self, body: Any, project: str | None) -> dict[str, Any]:
        """Validate a body for a new object.

        Args:
            project: that the request's header names; a body that names none is meant for it.
        """
        column = self.kind.project_column
        if project and column and column in self.schemas.create.fields and isinstance(body, dict):
            check_project(project)
            if column not in body:
                body = {**body, column: project}
            elif isinstance(body[column], str):
                agree(project, body[column], column)
        return load(self.schemas.create, body, self._access)

    def changes(self, body: Any) -> dict[str, Any]:
        """Validate a body that changes an object."""
        return load(self.schemas.patch, body, self._access, partial=True)

    def patch(self, id: str) -> Response:  # noqa: A002
        """PATCH one object."""
        negotiate(JSON)
        store = current().store(self.kind, "patch")
        check_parameters(DRY_RUN)
        values = self.changes(json_body(the_request()))
        condition = preconditions(required=demands_if_match(self.kind))
        rehearse()
        return response_of(store.patch(id, values, condition))

    def delete(self, id: str) -> Response:  # noqa: A002
        """DELETE one object."""
        store = current().store(self.kind, "delete")
        check_parameters(DRY_RUN)
        condition = preconditions(required=demands_if_match(self.kind))
        rehearse()
        store.delete(id, condition)
        return response_of(Answer(b"", 204))

    def delete_matching(self) -> Response:
        """DELETE the objects of the collection that match a search."""
        negotiate(JSON)
        store = current().store(self.kind, "delete")
        query, most = matching(self.kind), max_affected()
        if demands_if_match(self.kind):
            raise PreconditionRequired(f"A {self.kind.name} is deleted one at a time, with If-Match.")
        rehearse()
        deleted = store.delete_matching(query, most)
        return response_of(Answer(f'{{"kind":"Deletion","deleted":{deleted}}}'.encode()))


def streamed(kind: Kind, query: Query, past: Clause = NOWHERE) -> Response:
    """All of a list, a line for each object; see `ambient_core.store.stream`."""
    for name in ("page", "size", "page_token", "total"):
        if name in the_request().args:
            raise BadQuery(f"A list that is streamed has no pages; leave {name} out.")
    operation = current()
    store = operation.store(kind, "list")
    store.past = past
    rows = store.stream(query)
    operation.release()
    # Not to be kept, and not to be held back by a proxy until it is whole.
    return Response(rows, mimetype=NDJSON, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


def listed(kind: Kind, query: Query, past: Clause = NOWHERE) -> Response:
    """A page of a kind, with the token of the page that follows it.

    Args:
        kind: what is listed.
        query: which part of it.
        past: what is read instead of the present.
    """
    operation = current()
    store = operation.store(kind, "list")
    store.past = past
    if (token := one("page_token") if may_name(the_request().query_string, b"page_token") else None) is not None:
        if one("page") is not None:
            raise BadQuery("page and page_token say two different things; give one of them.")
        number, after = operation.runtime.signer.read(operation.transaction, query.bound_to(operation.principal), token)
        query = replace(query, page=replace(query.page, page=number, after=after))
    return response_of(store.list(query))


def demands_if_match(kind: Kind) -> bool:
    """Whether a change of an object of this kind must say which version it builds on."""
    return kind.requires_if_match or current().settings.require_if_match


def rehearse() -> bool:
    """Make this request a dry run if it asks for one; answers whether it does."""
    if dry := is_dry_run():
        current().transaction.rehearse()
    return dry


def once(act: Callable[[bytes], Answer], *, secret: bool = False) -> Response:
    """Run a POST, once per ``Idempotency-Key``; a dry run keeps nothing, so it needs and leaves no record.

    Args:
        act: takes the raw body, answers.
        secret: whether the answer holds a secret, so that it is kept sealed.
    """
    raw = raw_body(the_request(), JSON)
    attempt = attempt_of(raw)
    if rehearse() or attempt is None:
        return response_of(act(raw))
    if secret:
        attempt.secrecy = Secrecy(current().runtime.keyring)
    answer = attempt.earlier()
    if answer is None:
        answer = act(raw)
        attempt.keep(answer)
    return response_of(answer)


def attempt_of(raw: bytes) -> Once | None:
    """The use of this request's ``Idempotency-Key``; ``None`` when it has none.

    Args:
        raw: its body.

    Raises:
        BadQuery: the key is empty, too long or not printable.
    """
    key = the_request().environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    operation, project = current(), project_header() or ""
    return Once(operation.transaction, operation.principal.actor, key, _operation_text(project), raw)


def _operation_text(project: str) -> str:
    """What a key belongs to beside the body: method, address with its parameters, and the project of the header."""
    asked = the_request()
    return " ".join([asked.method, asked.full_path.rstrip("?"), *([project] if project else [])])


def action_view(kind: Kind, action: Action) -> Callable[..., ResponseReturnValue]:
    """The view of an action: permission, body, the function, and its answer."""
    schema = action.body() if action.body is not None else None
    known = [str(parameter["name"]) for parameter in action.parameters if parameter.get("in") == "query"]

    known += [DRY_RUN] if action.writes else []

    def view(**arguments: str) -> ResponseReturnValue:
        store = current().store(kind, action.name)
        check_parameters(*known)
        demanded = not action.fenced and demands_if_match(kind)
        condition = preconditions(required=demanded) if action.conditional else None

        def act(raw: bytes) -> Answer:
            given = [] if schema is None else [load(schema, parse(raw) if raw else {})]
            if condition is not None:
                store.require(arguments["id"], condition)
            answer: Answer = action.function(store, *arguments.values(), *given)
            return answer

        if not action.streams:
            negotiate(JSON)
        if action.method == "POST" and not action.streams:
            return _told(once(act, secret=action.secret), secret=action.secret)
        if action.writes:
            rehearse()
        reads = action.method in ("POST", "PATCH")
        return _told(act(raw_body(the_request(), JSON, MERGE_PATCH) if reads else b""), secret=action.secret)

    view.__name__ = f"{action.name}_{kind.name}"
    return view


def _told(answer: Any, *, secret: bool) -> ResponseReturnValue:
    response: ResponseReturnValue = response_of(answer) if isinstance(answer, Answer) else answer
    if secret and isinstance(response, Response):
        # RFC 6749 5.1: no cache on the way keeps a token.
        response.headers["Cache-Control"] = "no-store"
    return response


__all__ = [
    "Resources",
    "action_view",
    "check_parameters",
    "list_query",
    "once",
    "one",
    "response_of",
    "searchable",
]
