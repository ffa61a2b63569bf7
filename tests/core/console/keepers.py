"""A stranger's plugin with all that the command line goes by: a secret, choices, actions with bodies, waiting, and a log."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import ModuleType
from typing import Any

import marshmallow as ma
from flask import Response
from flask_smorest import Blueprint
from sqlalchemy import ForeignKey, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from ambient_core import Access, Answer, Kind, Resource, Store, action, current, field, hookimpl
from ambient_core.app import Application, create_app
from ambient_core.config import Settings
from ambient_core.plugins import Source, installed, load_plugins
from ambient_core.rest import check_parameters, one
from ambient_core.schemas.fields import Integer, Text
from tests.core.lions import lion


def keeper() -> type[Resource]:
    class Keeper(Resource):
        """Who looks after the lions."""

        __module__ = f"keepers_{secrets.token_hex(4)}"
        __tablename__ = "keepers"

        project_id: Mapped[str] = field(ForeignKey("projects.id", ondelete="CASCADE"), access=Access.CREATE)
        name: Mapped[str] = field(String(63))
        pin: Mapped[str] = field(String(63), access=Access.SECRET, doc="Opens the cages.")
        state: Mapped[str | None] = field(String(16), access=Access.READ, enum=["Busy", "Done", "Hurt"])
        meals: Mapped[int | None] = field(access=Access.READ)
        conditions: Mapped[list[Any] | None] = field(JSONB, access=Access.READ)

    return Keeper


class Meal(ma.Schema):
    """What is fed."""

    portions = Integer(required=True, metadata={"minimum": 1})
    note = Text()


class Ending(ma.Schema):
    """How a round ended."""

    state = Text(required=True)


@action(body=Meal)
def feed(store: Store, identifier: str, body: dict[str, Any]) -> Answer:
    """Feed the lions."""
    return store.write(identifier, {"meals": body["portions"]})


@action(until={"state": {"Done": True, "Hurt": False}})
def walk(store: Store, identifier: str) -> Answer:
    """Walk the round, which takes its time."""
    wrong = [{"type": "Safe", "status": "False", "reason": "Loose", "message": "A lion is loose."}]
    return store.write(identifier, {"state": "Busy", "conditions": wrong})


@action(body=Ending)
def finish(store: Store, identifier: str, body: dict[str, Any]) -> Answer:
    """End the round."""
    return store.write(identifier, body)


def diary() -> Blueprint:
    """The log of a keeper."""
    made = Blueprint("diary", "diary", url_prefix="/api/ambient/v1/keepers", description="What keepers wrote.")

    def logs(id: str) -> Response:  # noqa: A002
        check_parameters("tail")
        current().store("Keeper", "get").row(id)
        lines = ["opened the gate", "fed Simba", "closed the gate"]
        return Response("".join(f"{line}\n" for line in lines[-int(one("tail") or 3) :]), mimetype="text/plain")

    document = {
        "operationId": "getKeeperLogs",
        "summary": "Read what a keeper wrote.",
        "x-ambient-verb": "logs",
        "parameters": [{"name": "tail", "in": "query", "schema": {"type": "integer"}, "description": "Last lines."}],
        "responses": {"200": {"description": "Lines.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
    }
    made.add_url_rule("/<string:id>/logs", endpoint="logs", view_func=made.doc(**document)(logs), methods=["GET"])
    return made


@contextmanager
def serving(settings: Settings, url: str) -> Iterator[Application]:
    """An application that serves lions and their keepers too."""
    models = [lion(), keeper()]
    kinds = [Kind(models[0]), Kind(models[1], unique=[("project_id", "name")], actions=(feed, walk, finish))]

    @hookimpl
    def ambient_kinds() -> list[Kind]:
        return kinds

    @hookimpl
    def ambient_blueprints() -> list[Blueprint]:
        return [diary()]

    module = ModuleType("stranger_zoo")
    module.__dict__.update({"ambient_kinds": ambient_kinds, "ambient_blueprints": ambient_blueprints})
    own = replace(settings, database_url=url)
    app = create_app(own, plugins=load_plugins(own, [*installed(), Source("zoo", lambda: module, "1.0")]))
    try:
        with app.runtime.database.engine.begin() as connection:
            for model in models:
                model.__table__.create(connection)
        yield app
    finally:
        for model in models:
            Resource.metadata.remove(model.__table__)
        app.runtime.database.close()
