"""What a list and a get answer beyond the present: a watch of the kind, or its past; and where a list is read."""

from collections.abc import Callable
from dataclasses import replace

from flask import Response, request

from ambient_core import watch
from ambient_core.access import refuse_log
from ambient_core.changes.present import Initial
from ambient_core.changes.visibility import Facts, View
from ambient_core.database.replicas import POSITION
from ambient_core.database.statements import clause_of, joined, scoped
from ambient_core.database.transaction import Transaction
from ambient_core.errors import BadQuery, NotFound
from ambient_core.http.context import the_request
from ambient_core.identity import Principal
from ambient_core.kinds import Access, Kind, rules_of
from ambient_core.rest import Resources
from ambient_core.rest.operation import current
from ambient_core.rest.parameters import (
    asked_project,
    check_parameters,
    list_query,
    may_name,
    project_header,
    project_parameter,
    searched,
)
from ambient_core.watch import past
from ambient_core.watch.history import version_not_found

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_WATCH = ("watch", "search", "after", "initial")


def list_view(resources: Resources) -> Callable[[], Response]:
    """The view of a kind's collection."""
    kind = resources.kind

    def list_or_watch() -> Response:
        """List objects as they are or were, or watch them."""
        query_string = the_request().query_string
        if not may_name(query_string, b"watch") and not may_name(query_string, b"as_of"):
            return by_position(resources.list)
        if "watch" in request.args and watch.flag("watch"):
            return _watch(kind)
        return by_position(list_present_or_past)

    def list_present_or_past() -> Response:
        at = past.time_of("as_of")
        if at is None:
            return resources.list()
        query = list_query(kind)
        # A page token belongs to its time as it belongs to its search.
        query = replace(query, binding=query.binding + at.isoformat().encode())
        return resources.list(query, past.at_time(current().transaction.raw, kind, at, limited=_limited(kind, "list")))

    return list_or_watch


def by_position(answer: Callable[[], Response]) -> Response:
    """Answer from the replica where the caller allows it and it has come far enough; say how far the answer reaches.

    Args:
        answer: reads, by the transaction of the operation.
    """
    operation = current()
    replica = operation.runtime.replica
    asked = request.headers.get(POSITION) if replica is not None else None
    if replica is None or asked is None:
        return answer()
    operation.transaction.commit()
    deadline, gate = operation.runtime.deadline(), operation.runtime.gate
    # What the replica could not answer to its end is tried again here, and not asked of it a second time.
    again = operation.transaction.database is not operation.database
    position: str | None
    if not again and (found := replica.read(asked, deadline, gate)) is not None:
        operation.transaction, position = found
        response = answer()
    else:
        operation.transaction = Transaction(operation.database, deadline, gate)
        response, position = answer(), replica.position()
    if position is not None:
        response.headers[POSITION] = position
    return response


def positioned(response: Response) -> Response:
    """Say with the answer of a write how far a read must reach to show it; what is answered is committed."""
    replica = current().runtime.replica
    written = request.method not in _READING and response.status_code < 300
    if replica is not None and written and (position := replica.position()) is not None:
        response.headers[POSITION] = position
    return response


def get_view(resources: Resources) -> Callable[[str], Response]:
    """The view of one object."""
    kind = resources.kind

    def get(id: str) -> Response:  # noqa: A002
        """Read one object as it is, as it was at a time, or at a version."""
        if not the_request().query_string:
            return resources.get(id)
        at, version = past.time_of("as_of"), past.number_of("version")
        if at is not None and version is not None:
            raise BadQuery("as_of and version say two different things; give one of them.")
        if version is not None:
            then = past.at_version(kind, id, version, limited=_limited(kind, "get"))
            return _then(lambda: resources.get(id, then), kind, id, version)
        if at is not None:
            then = past.at_time(current().transaction.raw, kind, at, id, limited=_limited(kind, "get"))
            return resources.get(id, then)
        return resources.get(id)

    return get


def _limited(kind: Kind, verb: str) -> bool:
    return current().store(kind, verb).condition is not None


def _then(read: Callable[[], Response], kind: Kind, identifier: str, version: int) -> Response:
    try:
        return read()
    except NotFound:
        raise version_not_found(kind, identifier, version) from None


def _watch(kind: Kind) -> Response:
    parameter = project_parameter(kind)
    check_parameters(*_WATCH, *([parameter] if parameter else []))
    guard, hub = current().runtime.guard, current().runtime.hub
    where = searched(kind)
    project = asked_project(kind, project_header())
    facts = Facts()
    if parameter and project:
        column = kind.table.c[parameter]
        if rules_of(column).access is Access.CREATE:
            # It never moves: the log's own column says it without a look into the object.
            facts = Facts(project_id=project)
        else:
            where = (column == project) if where is None else where & (column == project)

    def view_of(principal: Principal) -> View:
        guard.check(principal, "list", kind)
        refuse_log(principal, kind)
        scope = guard.scope(principal, "list", kind)
        limited = scope is not None or where is not None
        clause = joined(scoped(kind, scope), clause_of(where))
        return View({kind.name: kind}, {kind.name: clause} if limited else {}, facts)

    begin = (lambda view: Initial(hub.database, view)) if watch.flag("initial") else None
    return watch.stream(view_of, begin)
