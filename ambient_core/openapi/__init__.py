"""The contract: composed from the code, published, dumped, and compared with the routes both ways.

The room has what is said of each operation, as plain data; routes are made from the same declarations.
"""

import copy
import hashlib
from collections.abc import Callable, Iterable
from functools import cache
from importlib import resources
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson
import yaml
from flask import Flask, Response, request
from flask_smorest import Api

from ambient_core.errors import BASE_PATH, SetupError
from ambient_core.kinds import Kind
from ambient_core.openapi import batch_contract, descriptions, documents, examples, headers
from ambient_core.schemas import schemas_of

TITLE = "Ambient API"
_METHODS = ("get", "post", "put", "patch", "delete")
_NOT_DOCUMENTED = frozenset({"openapi", "openapi_page", "openapi_asset"})


@cache
def package_version() -> str:
    """The version of the installed core."""
    try:
        return version("ambient-core")
    except PackageNotFoundError:
        return "unknown"


def public(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view that needs no token."""
    view.public = True  # type: ignore[attr-defined]
    return view


def documented(app: Flask) -> Api:
    """Prepare the document of an application, with what all operations share."""
    app.config.update(API_TITLE=TITLE, API_VERSION="v1", OPENAPI_VERSION="3.0.3", OPENAPI_URL_PREFIX=None)
    api = Api()
    # Each operation names its errors itself; the library's schema and its catch-all would say less.
    api.ERROR_SCHEMA = documents.reference("Error")
    api.DEFAULT_ERROR_RESPONSE_NAME = None
    api.init_app(
        app,
        spec_kwargs={
            "info": {
                "title": TITLE,
                "version": package_version(),
                "description": "Projects, sessions of AI agents, and whatever kinds are plugged in.",
                "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
            },
            "servers": [{"url": "/", "description": "This server."}],
            "security": [{"bearer": []}],
        },
    )
    components = api.spec.components
    components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    components.schema("Error", component=documents.ERROR)
    for name, described in {**descriptions.SCHEMAS, **batch_contract.SCHEMAS}.items():
        components.schema(name, component=described)
    components.schema("Deletion", component=documents.DELETION)
    for name, parameter in {**documents.PARAMETERS, **descriptions.PARAMETERS}.items():
        location = parameter["in"]
        components.parameter(name, location, {key: value for key, value in parameter.items() if key != "in"})
    for name, header in headers.HEADERS.items():
        components.header(name, header)
    for name, response in documents.error_responses().items():
        components.response(name, response)
    return api


def describe_kind(api: Api, kind: Kind) -> None:
    """Add the schemas of a kind."""
    components, schemas = api.spec.components, schemas_of(kind)
    written = [schemas.create, schemas.patch] if kind.writable else []
    for schema in (*written, schemas.read):
        components.schema(type(schema).__name__, schema=schema)
    components.schema(f"{kind.name}List", component=documents.paged(documents.reference(kind.name)))


def publish(app: Flask, api: Api, fragments: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Serve the document as JSON, and a page that shows it without any network.

    Args:
        fragments: what plugins add, by plugin.

    Raises:
        SetupError: two owners describe the same operation or component.
    """
    document = compose(api.spec.to_dict(), fragments)
    app.extensions["ambient_openapi"] = document
    rendered = orjson.dumps(document)
    tag = hashlib.sha256(rendered).hexdigest()[:32]
    page = resources.files("ambient_core.openapi").joinpath("openapi.html").read_bytes()

    @public
    def openapi() -> Response:
        answer = Response(rendered, mimetype="application/json")
        answer.set_etag(tag)
        # Tools keep it, and ask whether it is still the same.
        answer.headers["Cache-Control"] = "no-cache"
        answer.make_conditional(request)
        return answer

    @public
    def openapi_page() -> Response:
        return Response(page, mimetype="text/html")

    app.add_url_rule(f"{BASE_PATH}/openapi", view_func=openapi)
    app.add_url_rule(f"{BASE_PATH}/openapi.html", view_func=openapi_page)


def compose(document: dict[str, Any], fragments: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Add the plugins' fragments to the document of the blueprints.

    Raises:
        SetupError: a clash; both owners are named.
    """
    whole = copy.deepcopy(document)
    owners: dict[tuple[str, ...], str] = {}
    for plugin, fragment in fragments:
        _merge(whole, fragment, (), plugin, owners)
    _refusing(whole)
    examples.complete(whole)
    headers.complete(whole)
    return _sorted(whole)


def _refusing(document: dict[str, Any]) -> None:
    """Say of every operation, a stranger's too, what each may meet: too many requests, a slow body, a database that is away."""
    for item in document.get("paths", {}).values():
        for method, operation in item.items():
            if method in _METHODS:
                slow = (408,) if "requestBody" in operation else ()
                away = (503, 504) if operation.get("security") != [] else ()
                answers = {**documents.refusals((*slow, 429, *away)), **operation.get("responses", {})}
                operation["responses"] = dict(sorted(answers.items()))


def _merge(
    target: dict[str, Any],
    source: dict[str, Any],
    path: tuple[str, ...],
    plugin: str,
    owners: dict[tuple[str, ...], str],
) -> None:
    for key, value in source.items():
        here = (*path, key)
        if key not in target:
            target[key] = copy.deepcopy(value)
            owners[here] = plugin
        elif isinstance(value, dict) and isinstance(target[key], dict) and len(here) < 3:
            _merge(target[key], value, here, plugin, owners)
        elif target[key] != value:
            owner = next((owners[here[:n]] for n in range(len(here), 0, -1) if here[:n] in owners), "the routes")
            raise SetupError(f"OpenAPI: {'/'.join(here)} is described by {owner} and by plugin {plugin!r}; keep one.")


def _sorted(document: dict[str, Any]) -> dict[str, Any]:
    document["paths"] = {path: document["paths"][path] for path in sorted(document.get("paths", {}))}
    components = document.get("components", {})
    document["components"] = {group: dict(sorted(components[group].items())) for group in sorted(components)}
    document.pop("tags", None)
    return document


def dump(app: Flask) -> str:
    """The document as YAML, the same text for the same code."""
    text: str = yaml.safe_dump(app.extensions["ambient_openapi"], sort_keys=False, allow_unicode=True, width=120)
    return text


def differences(app: Flask) -> list[str]:
    """Operations that are served and not documented, and the other way round."""
    served = set()
    for rule in app.url_map.iter_rules():
        if rule.endpoint in _NOT_DOCUMENTED:
            continue
        path = rule.rule
        for converter in ("<string:", "<int:", "<path:", "<"):
            path = path.replace(converter, "{")
        path = path.replace(">", "}")
        served |= {(method.lower(), path) for method in (rule.methods or ()) if method.lower() in _METHODS}
    document = app.extensions["ambient_openapi"]
    described = {(m, path) for path, item in document["paths"].items() for m in item if m in _METHODS}
    return [f"served, not documented: {m.upper()} {p}" for m, p in sorted(served - described)] + [
        f"documented, not served: {m.upper()} {p}" for m, p in sorted(described - served)
    ]


def check(app: Flask, committed: Path) -> list[str]:
    """What differs between routes, document and the committed file; empty when nothing does.

    Raises:
        SetupError: the committed file cannot be read.
    """
    found = differences(app)
    try:
        text = committed.read_text()
    except OSError as fault:
        raise SetupError(
            f"{committed} cannot be read ({fault.strerror}); write it with: ambient openapi --output {committed}"
        ) from fault
    if text != dump(app):
        found.append(f"{committed} is not what the code says; write it anew with: ambient openapi --output {committed}")
    return found
