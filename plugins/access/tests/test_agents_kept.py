"""The scope `agent` where a plugin keeps agents: one that is bound to must be there, in that project."""

from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped

from ambient_core import Access, Kind, Resource, field, hookimpl
from ambient_core.app import Application, create_app
from ambient_core.config import Settings
from ambient_core.plugins import Source, installed, load_plugins
from tests.access.people import People


@pytest.fixture(scope="module")
def agents() -> Iterator[Source]:
    """A stranger's plugin that keeps agents of projects."""

    class Agent(Resource):
        """An agent."""

        __tablename__ = "agents"
        project_id: Mapped[str] = field(
            String(63), ForeignKey("projects.id", ondelete="CASCADE"), access=Access.CREATE, doc="Where it lives."
        )
        name: Mapped[str] = field(String(63), doc="Its name.", example="ann")

    @hookimpl
    def ambient_kinds() -> list[Kind]:
        return [Kind(Agent)]

    module = ModuleType("stranger_agents")
    module.__dict__["ambient_kinds"] = ambient_kinds
    yield Source("agents", lambda: module, "1.0")
    Resource.metadata.remove(Agent.__table__)


@pytest.fixture(scope="module")
def app(settings: Settings, database_url: str, names: Source, agents: Source) -> Iterator[Application]:
    """The application with agents, where everybody is known by name."""
    own = replace(settings, database_url=database_url)
    application = create_app(own, plugins=load_plugins(own, [*installed(), names, agents]))
    with application.runtime.database.engine.begin() as connection:
        Resource.metadata.tables["agents"].create(connection)
    yield application
    application.runtime.database.close()
    with application.runtime.database.engine.begin() as connection:
        Resource.metadata.tables["agents"].drop(connection)


def test_an_agent_that_is_bound_to_is_there_in_that_project(people: People, project: str, other: str) -> None:
    kept = people.admin("POST", "/agents", json={"name": "ann", "project_id": project}).json["id"]
    body: dict[str, Any] = {"role_id": "project-viewer", "scope": "agent", "user_id": people.somebody()}
    for place, field_ in (
        ({"agent_id": "nobody", "project_id": project}, "/agent_id"),
        ({"agent_id": kept, "project_id": other}, "/project_id"),
        ({"agent_id": kept}, "/project_id"),
    ):
        refused = people.admin("POST", "/role_bindings", json={**body, **place})
        assert (refused.status_code, refused.json["errors"][0]["field"]) == (400, field_), place
    made = people.admin("POST", "/role_bindings", json={**body, "agent_id": kept, "project_id": project})
    assert made.status_code == 201, made.json


def test_who_has_a_role_at_an_agent_sees_it_and_its_sessions_alone(people: People, project: str) -> None:
    kept, foreign = (
        people.admin("POST", "/agents", json={"name": name, "project_id": project}).json["id"] for name in ("a", "b")
    )
    session = people.admin("POST", "/sessions", json={"name": "s", "project_id": project, "agent_id": kept}).json["id"]
    eve = people.having("platform:viewer", agent_id=kept, project_id=project)
    assert [eve("GET", f"/agents/{one}").status_code for one in (kept, foreign)] == [200, 404]
    assert [item["id"] for item in eve("GET", "/agents").json["items"]] == [kept]
    assert [item["id"] for item in eve("GET", "/sessions").json["items"]] == [session]
