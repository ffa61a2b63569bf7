"""The scope `agent` where plugins keep agents, and things of sessions: what is bound to must be there, and what is of a session is reached."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped

from ambient_core import Access, Kind, Resource, field, hookimpl
from ambient_core.app import Application
from ambient_core.config import Settings
from ambient_core.plugins import Source
from tests.access.people import People, serving


@pytest.fixture(scope="module")
def agents() -> Iterator[Source]:
    """A stranger's plugin that keeps agents of projects, and something of sessions."""

    class Agent(Resource):
        """An agent."""

        __tablename__ = "agents"
        project_id: Mapped[str] = field(
            String(63), ForeignKey("projects.id", ondelete="CASCADE"), access=Access.CREATE, doc="Where it lives."
        )
        name: Mapped[str] = field(String(63), doc="Its name.", example="ann")

    class Checkpoint(Resource):
        """What a session has left behind."""

        __tablename__ = "checkpoints"
        session_id: Mapped[str] = field(ForeignKey("sessions.id", ondelete="CASCADE"), doc="Whose it is.")
        note: Mapped[str | None] = field(String(63), doc="Anything.", example="half done")

    @hookimpl
    def ambient_kinds() -> list[Kind]:
        return [Kind(Agent), Kind(Checkpoint)]

    module = ModuleType("stranger_agents")
    module.__dict__["ambient_kinds"] = ambient_kinds
    yield Source("agents", lambda: module, "1.0")
    for kept in (Agent, Checkpoint):
        Resource.metadata.remove(kept.__table__)


@pytest.fixture(scope="module")
def app(settings: Settings, database_url: str, names: Source, agents: Source) -> Iterator[Application]:
    """The application with agents, where everybody is known by name."""
    with serving(settings, database_url, names, agents) as application:
        with application.runtime.database.engine.begin() as connection:
            for plural in ("agents", "checkpoints"):
                Resource.metadata.tables[plural].create(connection)
        yield application


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


def test_what_is_of_an_agent_s_session_is_reached_as_the_session_is(people: People, project: str, other: str) -> None:
    agents = [people.admin("POST", "/agents", json={"name": "a", "project_id": p}).json["id"] for p in (project, other)]
    mine, foreign, theirs, of_none = (
        people.admin("POST", "/sessions", json={"name": "s", "project_id": p, "agent_id": agent}).json["id"]
        for p, agent in ((project, agents[0]), (other, agents[0]), (other, agents[1]), (project, None))
    )
    bodies = [{"session_id": one} for one in (mine, foreign, theirs)]
    left = [people.admin("POST", "/checkpoints", json=body).json["id"] for body in bodies]
    role = people.admin("POST", "/roles", json={"name": people.new(), "permissions": ["checkpoint:*", "session:read"]})
    eve = people.named(name := people.new())
    binding = people.give(role.json["id"], name, agent_id=agents[0], project_id=project)
    assert [item["id"] for item in eve("GET", "/checkpoints").json["items"]] == left[:1]
    assert [eve("PATCH", f"/checkpoints/{one}", json={"note": "x"}).status_code for one in left] == [200, 404, 404]
    made = [eve("POST", "/checkpoints", json={"session_id": one}).status_code for one in (mine, foreign, of_none)]
    assert made == [201, 400, 400]
    assert eve("PATCH", f"/checkpoints/{left[0]}", json={"session_id": of_none}).status_code == 400
    log = eve("GET", "/changes?kinds=Checkpoint").json["items"]
    assert {entry["object_id"] for entry in log} & set(left) == {left[0]}
    asked = [f"/access/review?verb=patch&kind=Checkpoint&id={left[n]}&principal=person:{name}" for n in (0, 1)]
    reviews = [people.admin("GET", path).json for path in asked]
    assert ([link["binding"] for link in reviews[0]["chain"]], reviews[1]["allowed"]) == ([binding], False)
