"""Blueprints: what every kind is served with, and the few addresses that belong to no kind."""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
from flask import Response
from flask_smorest import Blueprint

from ambient_core import errors
from ambient_core.access import refuse_runner
from ambient_core.app import states
from ambient_core.errors import NotFound
from ambient_core.kinds import Kind, Verb
from ambient_core.openapi import descriptions, documents, package_version, public
from ambient_core.plugins import Plugins
from ambient_core.rest import Resources, action_view, check_parameters
from ambient_core.rest.operation import current
from ambient_core.watch.history import history_view, restore_view
from ambient_core.watch.reading import get_view, list_view

_METHODS: dict[Verb, tuple[str, str]] = {
    "list": ("GET", ""),
    "create": ("POST", ""),
    "get": ("GET", "/<string:id>"),
    "patch": ("PATCH", "/<string:id>"),
    "delete": ("DELETE", "/<string:id>"),
}


def kind_blueprint(kind: Kind) -> Blueprint:
    """The five verbs and the actions of a kind, documented."""
    blueprint = Blueprint(kind.plural, __name__, url_prefix=kind.path, description=kind.doc)
    resources = Resources(kind)
    views: dict[str, Callable[..., Any]] = {"list": list_view(resources), "get": get_view(resources)}
    for verb in kind.verbs:
        method, path = _METHODS[verb]
        view = _named(views.get(verb) or getattr(resources, verb), f"{verb}_{kind.name}")
        documented = blueprint.doc(**descriptions.completed(verb, documents.verb(kind, verb)))(view)
        blueprint.add_url_rule(path or "", endpoint=verb, view_func=documented, methods=[method])
    if "delete" in kind.verbs:
        view = _named(resources.delete_matching, f"delete_matching_{kind.name}")
        documented = blueprint.doc(**documents.delete_matching(kind))(view)
        blueprint.add_url_rule("", endpoint="delete_matching", view_func=documented, methods=["DELETE"])
    for name, method, view, document in _of_the_log(resources):
        documented = blueprint.doc(**document)(_named(view, f"{name}_{kind.name}"))
        blueprint.add_url_rule(f"/<string:id>/{name}", endpoint=name, view_func=documented, methods=[method])
    for action in kind.actions:
        path = f"/<string:id>/{action.path}" if action.on == "item" else f"/{action.path}"
        documented = blueprint.doc(**documents.action(kind, action))(action_view(kind, action))
        blueprint.add_url_rule(path, endpoint=action.name, view_func=documented, methods=[action.method])
    return blueprint


def _of_the_log(resources: Resources) -> Iterator[tuple[str, str, Callable[..., Any], dict[str, Any]]]:
    kind = resources.kind
    if "get" in kind.verbs:
        yield "history", "GET", history_view(kind), descriptions.history(kind)
    if "get" in kind.verbs and "patch" in kind.verbs:
        yield "restore", "POST", restore_view(resources), descriptions.restore(kind)


def _named(method: Callable[..., Any], name: str) -> Callable[..., Any]:
    def view(**arguments: str) -> Any:
        return method(**arguments)

    view.__name__ = name
    view.__doc__ = method.__doc__
    return view


def core_blueprint(plugins: Plugins) -> Blueprint:
    """What belongs to no kind: what this API is, its version, its errors and its plugins."""
    blueprint = Blueprint("core", "core", url_prefix="/api/ambient", description="About this API.")

    def serve(path: str, view: Callable[..., Any], **document: Any) -> None:
        blueprint.add_url_rule(path, endpoint=view.__name__, view_func=blueprint.doc(**document)(view), methods=["GET"])

    @public
    def metadata() -> Response:
        """What answers here."""
        body = {"id": errors.CODE_PREFIX, "kind": "API", "href": "/api/ambient", "version": package_version()}
        return _json(body)

    @public
    def version_() -> Response:
        """The running version."""
        check_parameters()
        return _json({"version": package_version(), "api": "v1"})

    @public
    def list_errors() -> Response:
        """Every error this API answers with."""
        items = [{**cls.reference(), "status": cls.status, "reason": cls.title} for cls in errors.CATALOGUE]
        return _json({"kind": "ErrorList", "page": 1, "size": len(items), "total": len(items), "items": items})

    @public
    def get_error(id: str) -> Response:  # noqa: A002
        """One error by its number."""
        for cls in errors.CATALOGUE:
            if str(cls.number) == id:
                return _json({**cls.reference(), "status": cls.status, "reason": cls.title})
        raise NotFound(f"Error with id '{id[:20]}' not found")

    def list_plugins() -> Response:
        """The plugins that serve, and those that were set aside and why."""
        refuse_runner(current().principal)
        items = plugins.report()
        return _json({"kind": "PluginList", "page": 1, "size": len(items), "total": len(items), "items": items})

    for path, view, operation, schema in (
        ("", metadata, "getMetadata", documents.METADATA),
        ("/v1/version", version_, "getVersion", documents.VERSION),
        ("/v1/errors", list_errors, "listError", documents.ERROR_LIST),
        ("/v1/errors/<string:id>", get_error, "getError", documents.ERROR_ENTRY),
        ("/v1/plugins", list_plugins, "listPlugin", documents.PLUGIN_LIST),
    ):
        serve(path, view, **documents.plain(operation, view.__doc__ or "", schema, open_to_all=hasattr(view, "public")))
    kept = blueprint.doc(**states.DOCUMENT)(states.put_states)
    blueprint.add_url_rule(states.PATH, endpoint="put_states", view_func=kept, methods=["POST"])
    return blueprint


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), mimetype="application/json")
