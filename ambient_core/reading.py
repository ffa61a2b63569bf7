"""What a list answers beyond the present: a watch of the kind, or its past."""

from collections.abc import Callable

from flask import Response, request

from ambient_core import watch
from ambient_core.identity import Principal
from ambient_core.kinds import Access, Kind, rules_of
from ambient_core.parameters import PROJECT_HEADER, asked_project, check_parameters, project_parameter, searched
from ambient_core.present import Initial
from ambient_core.rest import Resources, current
from ambient_core.statements import clause_of
from ambient_core.visibility import Facts, View

_WATCH = ("watch", "search", "after", "initial")


def list_view(resources: Resources) -> Callable[[], Response]:
    """The view of a kind's collection."""

    def list_or_watch() -> Response:
        """List objects, or watch them."""
        if "watch" in request.args and watch.flag("watch"):
            return _watch(resources.kind)
        return resources.list()

    return list_or_watch


def _watch(kind: Kind) -> Response:
    parameter = project_parameter(kind)
    check_parameters(*_WATCH, *([parameter] if parameter else []))
    guard, hub = current().runtime.guard, current().runtime.hub
    where = searched(kind)
    project = asked_project(kind, request.headers.get(PROJECT_HEADER))
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
        clause = clause_of(guard.scope(principal, "list", kind), where)
        return View({kind.name: kind}, {kind.name: clause} if clause.text else {}, facts)

    begin = (lambda view: Initial(hub.database, view)) if watch.flag("initial") else None
    return watch.stream(view_of, begin)
