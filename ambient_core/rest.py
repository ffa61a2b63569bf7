"""HTTP for any kind: the five verbs and the actions, written once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, and_

from ambient_core import search
from ambient_core.access import Guard
from ambient_core.body import JSON, MERGE_PATCH, json_body, parse, raw_body
from ambient_core.config import Settings
from ambient_core.database import Database, Transaction
from ambient_core.errors import BadQuery
from ambient_core.idempotency import Once
from ambient_core.identity import Principal
from ambient_core.kinds import Action, Kind, Registry, rules_of
from ambient_core.paging import fields_of, order_of, page_of
from ambient_core.schemas import load, schemas_of
from ambient_core.store import Answer, Query, Store, Surroundings

PROJECT_HEADER = "X-Ambient-Project"
LIST_PARAMETERS = ("page", "size", "search", "orderBy", "fields")


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the requests of one process share."""

    settings: Settings
    database: Database
    registry: Registry
    guard: Guard
    before_write: tuple[tuple[str, Callable[..., Any]], ...]


class Operation:
    """One request: who asks, its transaction, and the stores it opens.

    Args:
        identifier: the operation id of answer and log.
        runtime: what the process shares.
    """

    def __init__(self, identifier: str, runtime: Runtime) -> None:
        self.id = identifier
        self.runtime = runtime
        self.settings = runtime.settings
        self.database = runtime.database
        self.registry = runtime.registry
        self.principal: Principal = _NOBODY
        self.transaction = Transaction(runtime.database)

    def store(self, kind: str | Kind, verb: str) -> Store:
        """Open the store of a kind for this caller.

        Args:
            kind: a kind or its name.
            verb: what is going to be done; it is asked for, and it is what the change log says.

        Raises:
            Forbidden: the caller may not use this verb.
        """
        if isinstance(kind, str):
            kind = self.registry[kind]
        guard = self.runtime.guard
        guard.check(self.principal, verb, kind)
        surroundings = Surroundings(
            self.transaction, self.principal, self.registry, self.runtime.before_write, self.store
        )
        return (kind.store or Store)(kind, surroundings, verb, guard.scope(self.principal, verb, kind))

    def release(self) -> None:
        """Commit and give the connection back: call it before a long stream."""
        self.transaction.commit()


_NOBODY = Principal("person", "nobody", "Nobody")


def current() -> Operation:
    """The operation of the request that is being answered."""
    operation = g.operation
    assert isinstance(operation, Operation)
    return operation


@lru_cache(maxsize=512)
def searchable(kind: Kind) -> Mapping[str, search.Column]:
    """The readable fields of a kind, as search and order take them."""
    return {column.name: search.Column.of(column, rules_of(column).choices) for column in kind.readable}


def one(name: str) -> str | None:
    """A query parameter that may be given once.

    Raises:
        BadQuery: it came twice.
    """
    values = request.args.getlist(name)
    if len(values) > 1:
        raise BadQuery(f"The parameter {name!r} came {len(values)} times; give it once.")
    return values[0] if values else None


def check_parameters(*known: str) -> None:
    """Refuse query parameters that mean nothing here: a misspelt filter must not answer with everything.

    Raises:
        BadQuery: naming the parameter and what is near it.
    """
    for name in request.args:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known ones: {', '.join(known) or 'none'}."
            raise BadQuery(f"The parameter {name[:100]!r} is not known here; {hint}")


def list_query(kind: Kind) -> Query:
    """Read the parameters of a list: page, size, search, orderBy, fields, and the project.

    Raises:
        BadQuery: naming the parameter and its rule.
    """
    return _list_query(kind, request.query_string, request.headers.get(PROJECT_HEADER))


@lru_cache(maxsize=1024)
def _list_query(kind: Kind, _text: bytes, header: str | None) -> Query:
    """The same text means the same query, whoever asks: a list that is asked for again is not parsed again."""
    project = kind.project_column if kind.project_column != "id" else None
    check_parameters(*LIST_PARAMETERS, *([project] if project else []))
    columns = searchable(kind)
    text = one("search")
    where: ColumnElement[bool] | None = search.where(search.parse(text), columns) if text and text.strip() else None
    wanted = (one(project) or header) if project else None
    if project and wanted:
        _check_project(wanted)
        belongs = kind.table.c[project] == wanted
        where = belongs if where is None else and_(belongs, where)
    fields = fields_of(one("fields"), kind.selectable)
    return Query(page_of(request.args.to_dict(flat=False)), where, order_of(one("orderBy"), columns), fields)


def _check_project(name: str) -> None:
    if len(name) > 63 or not name.isprintable() or "\0" in name:
        raise BadQuery("The project must be the name of one: at most 63 printable characters.")


def if_version() -> int | None:
    """The version that ``If-Match`` asks for (RFC 9110, section 13.1.1); ``None`` for no header or ``*``.

    Raises:
        BadQuery: the header holds no entity tag of ours.
    """
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    tag = header.strip()
    if len(tag) > 2 and tag[0] == tag[-1] == '"' and tag[1:-1].isascii() and tag[1:-1].isdigit() and len(tag) < 21:
        return int(tag[1:-1])
    raise BadQuery('If-Match must be one ETag as this API gave it, such as "3", or *.')


def response_of(answer: Answer) -> Response:
    """An answer of a store as an HTTP response."""
    response = Response(answer.body or None, answer.status, mimetype="application/json" if answer.body else None)
    if answer.version is not None:
        response.headers["ETag"] = f'"{answer.version}"'
    if answer.headers:
        response.headers.extend(dict(answer.headers))
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

    def list(self) -> Response:
        """GET the collection."""
        return response_of(current().store(self.kind, "list").list(list_query(self.kind)))

    def get(self, id: str) -> Response:  # noqa: A002
        """GET one object."""
        store = current().store(self.kind, "get")
        check_parameters("fields")
        fields = fields_of(one("fields"), self.kind.selectable)
        return response_of(store.get(id, fields))

    def create(self) -> Response:
        """POST to the collection."""
        store = current().store(self.kind, "create")
        check_parameters()
        return once(lambda raw: store.create(self.values(parse(raw))))

    def values(self, body: Any) -> dict[str, Any]:
        """Validate a body for a new object; the project may come from the header."""
        column = self.kind.project_column
        if column and column in self.schemas.create.fields and isinstance(body, dict) and column not in body:
            project = request.headers.get(PROJECT_HEADER)
            if project:
                _check_project(project)
                body = {**body, column: project}
        return load(self.schemas.create, body, self._access)

    def patch(self, id: str) -> Response:  # noqa: A002
        """PATCH one object."""
        store = current().store(self.kind, "patch")
        check_parameters()
        values = load(self.schemas.patch, json_body(request), self._access, partial=True)
        return response_of(store.patch(id, values, if_version()))

    def delete(self, id: str) -> Response:  # noqa: A002
        """DELETE one object."""
        store = current().store(self.kind, "delete")
        check_parameters()
        store.delete(id, if_version())
        return Response(status=204)


def once(act: Callable[[bytes], Answer]) -> Response:
    """Run a POST, once per ``Idempotency-Key``.

    Args:
        act: takes the raw body, answers.
    """
    raw = raw_body(request, JSON)
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return response_of(act(raw))
    operation = current()
    attempt = Once(operation.transaction, operation.principal.actor, key, f"{request.method} {request.path}", raw)
    answer = attempt.earlier()
    if answer is None:
        answer = act(raw)
        attempt.keep(answer)
    return response_of(answer)


def action_view(kind: Kind, action: Action) -> Callable[..., ResponseReturnValue]:
    """The view of an action: permission, body, the function, and its answer."""
    schema = action.body() if action.body is not None else None
    known = [str(parameter["name"]) for parameter in action.parameters if parameter.get("in") == "query"]

    def view(**arguments: str) -> ResponseReturnValue:
        store = current().store(kind, action.name)
        check_parameters(*known)

        def act(raw: bytes) -> Answer:
            given = [] if schema is None else [load(schema, parse(raw) if raw else {})]
            answer: Answer = action.function(store, *arguments.values(), *given)
            return answer

        if action.method == "POST" and not action.streams:
            return once(act)
        reads = action.method in ("POST", "PATCH")
        return _finished(act(raw_body(request, JSON, MERGE_PATCH) if reads else b""))

    view.__name__ = f"{action.name}_{kind.name}"
    return view


def _finished(answer: Any) -> ResponseReturnValue:
    return response_of(answer) if isinstance(answer, Answer) else answer


def runtime_of(app: Flask) -> Runtime:
    """What this application's requests share."""
    runtime = app.extensions["ambient"]
    assert isinstance(runtime, Runtime)
    return runtime
