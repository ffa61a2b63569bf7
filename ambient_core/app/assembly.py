"""Put what the plugins serve onto one application; a plugin whose part does not fit is named, so that the rest can go on."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import orjson
from flask import Flask
from flask_smorest import Api, Blueprint

from ambient_core import openapi
from ambient_core.access.refusals import REFUSALS
from ambient_core.app.batch import batch_blueprint
from ambient_core.app.discovery import Discovery, discovery_blueprint
from ambient_core.app.refusal_list import refusals_blueprint
from ambient_core.app.routes import core_blueprint, kind_blueprint
from ambient_core.errors import SetupError
from ambient_core.kinds import Kind
from ambient_core.plugins import Plugins, words
from ambient_core.watch.audit import changes_blueprint

Part = tuple[str, Callable[[Api], object]]


class Unfit(Exception):
    """A plugin's part cannot be served; the half-made application is of no use then.

    Args:
        plugin: whose part it is.
        reason: why it does not fit.
    """

    def __init__(self, plugin: str, reason: str) -> None:
        super().__init__(f"{plugin}: {reason}")
        self.plugin = plugin
        self.reason = reason


def assemble(app: Flask, plugins: Plugins, surface: str, discovery: Discovery) -> None:
    """Register every part and publish the contract.

    Args:
        surface: ``api`` or ``gateway``.
        discovery: what is told to whoever asks.

    Raises:
        Unfit: a plugin's part clashes with another's, or cannot be documented.
    """
    api = openapi.documented(app)
    # The same table in every document of the specification, which goes over all of itself whenever it is asked for one.
    paths = api.spec.to_dict()["paths"]
    owners: dict[tuple[str, str], str] = {}
    for owner, register in _parts(plugins, surface, discovery):
        with _answering_for(owner, plugins):
            register(api)
            _claim_routes(app, owner, owners)
            # Not at the end: there nobody could say whose example or schema it is.
            orjson.dumps([paths, api.spec.components.to_dict()])
    fragments: list[tuple[str, dict[str, object]]] = []
    for owner, fragment in plugins.collect("ambient_openapi") if surface == "api" else ():
        with _answering_for(owner, plugins):
            orjson.dumps(openapi.compose(api.spec.to_dict(), [*fragments, (owner, fragment)]))
        fragments.append((owner, fragment))
    openapi.publish(app, api, fragments)


def _parts(plugins: Plugins, surface: str, discovery: Discovery) -> Iterator[Part]:
    """What is registered, in the order in which plugins win clashes: the core, then by plugin's name."""
    if surface == "api":
        yield "core", lambda api: api.register_blueprint(core_blueprint(plugins))
        yield "core", lambda api: api.register_blueprint(discovery_blueprint(discovery))
        yield "core", lambda api: api.register_blueprint(changes_blueprint())
        yield "core", lambda api: api.register_blueprint(batch_blueprint())
        yield "core", lambda api: openapi.describe_kind(api, REFUSALS)
        yield "core", lambda api: api.register_blueprint(refusals_blueprint())
    for kind in sorted(plugins.registry, key=lambda kind: (kind.owner, kind.plural)):
        yield kind.owner, partial(_kind, kind, surface)
    for owner, blueprint in plugins.collect("ambient_blueprints"):
        if not isinstance(blueprint, Blueprint):
            raise Unfit(
                owner, f"ambient_blueprints must yield flask-smorest blueprints, not {type(blueprint).__name__}."
            )
        if surface in getattr(blueprint, "surfaces", {"api"}):
            yield owner, partial(Api.register_blueprint, blp=blueprint)


def _kind(kind: Kind, surface: str, api: Api) -> None:
    # On the gateway a kind is described and not served: what refers to it must find it.
    openapi.describe_kind(api, kind)
    if surface == "api":
        api.register_blueprint(kind_blueprint(kind))


@contextmanager
def _answering_for(owner: str, plugins: Plugins) -> Iterator[None]:
    try:
        yield
    except Exception as fault:
        if owner not in plugins.modules:
            raise
        reason = words(fault) if isinstance(fault, SetupError) else f"cannot be served: {words(fault)}"
        raise Unfit(owner, reason) from fault


def _claim_routes(app: Flask, owner: str, owners: dict[tuple[str, str], str]) -> None:
    """Refuse an address that is there already: the first to register would win, silently."""
    seen: dict[tuple[str, str], str] = {}
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            route = method, re.sub(r"<[^>]*>", "<>", rule.rule)
            first = seen.setdefault(route, rule.endpoint)
            if first != rule.endpoint:
                other = owners.get(route, owner)
                raise SetupError(f"{method} {rule.rule!r} is served by {_called(other, owner)} already.")
    for route in seen:
        owners.setdefault(route, owner)


def _called(other: str, owner: str) -> str:
    return "the core" if other == "core" else "this plugin" if other == owner else f"plugin {other!r}"
