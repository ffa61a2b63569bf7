"""The past is tenanted like the present: what moved out of a project, and what an earlier project of the same name held."""

from collections.abc import Iterator
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import psycopg
import pytest
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped

from ambient_core import DNS_LABEL, Kind, Resource, field, hookimpl
from ambient_core.app import Application
from ambient_core.config import Settings
from ambient_core.plugins import Source
from tests.access.people import People, serving
from tests.e2e.conftest import wait_for
from tests.streams import told, watching


@pytest.fixture(scope="module")
def movers(database_url: str) -> Iterator[Source]:
    """A stranger's kind whose objects may move from project to project; it says nothing of who may what.

    While a project is written, others write: what one transaction does is not at one position of the change log.
    """

    class Crate(Resource):
        """A crate."""

        __tablename__ = "crates"
        name: Mapped[str] = field(String(63), pattern=DNS_LABEL, unique=True, doc="Its name.", example="box")
        project_id: Mapped[str] = field(
            String(63), ForeignKey("projects.id", ondelete="CASCADE"), doc="Where it stands.", example="x"
        )

    @hookimpl
    def ambient_kinds() -> list[Kind]:
        return [Kind(Crate)]

    @hookimpl(trylast=True)
    def ambient_before_write(kind: Kind) -> None:
        if kind.name == "Project":
            with psycopg.connect(database_url) as others:
                others.execute("SELECT pg_current_xact_id()")

    module = ModuleType("stranger_crates")
    module.__dict__.update(ambient_kinds=ambient_kinds, ambient_before_write=ambient_before_write)
    yield Source("crates", lambda: module, "1.0")
    Resource.metadata.remove(Crate.__table__)


@pytest.fixture(scope="module")
def app(settings: Settings, database_url: str, names: Source, movers: Source) -> Iterator[Application]:
    """The application with the stranger's kind, where everybody is known by name."""
    with serving(settings, database_url, names, movers) as application:
        with application.runtime.database.engine.begin() as connection:
            Resource.metadata.tables["crates"].create(connection)
        yield application


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def crate(people: People, project: str) -> str:
    answer = people.admin("POST", "/crates", json={"name": people.new(), "project_id": project})
    assert answer.status_code == 201, answer.json
    return str(answer.json["id"])


@pytest.fixture
def left(people: People, project: str, other: str) -> str:
    """A crate that stood in the project, and stands in the other one by now."""
    made = crate(people, project)
    assert people.admin("PATCH", f"/crates/{made}", json={"project_id": other}).status_code == 200
    return made


def test_what_moved_away_is_not_there_any_more_and_its_past_here_is(
    people: People, project: str, other: str, left: str
) -> None:
    ann, bob = (people.having("project:owner", project_id=place) for place in (project, other))
    assert [caller("GET", f"/crates/{left}").status_code for caller in (ann, bob)] == [404, 200]
    assert [ann("GET", f"/crates/{left}?version={number}").status_code for number in (1, 2)] == [200, 404]
    assert [bob("GET", f"/crates/{left}?version={number}").status_code for number in (1, 2)] == [404, 200]
    for caller, version in ((ann, 1), (bob, 2)):
        wait_for(lambda caller=caller: caller("GET", "/changes?kinds=Crate").json["items"], "its change")
        assert [entry["version"] for entry in caller("GET", f"/crates/{left}/history").json["items"]] == [version]
        assert [change["version"] for change in caller("GET", "/changes?kinds=Crate").json["items"]] == [version]
    # The difference would tell where it came from.
    assert "diff" not in bob("GET", f"/crates/{left}/history").json["items"][0]
    assert ann("GET", f"/crates?as_of={now()}").json["items"] == []


def test_who_moves_an_object_must_be_let_to_in_both_projects(people: People, project: str, other: str) -> None:
    here, there, both = people.new(), people.new(), people.new()
    for name, place in ((here, project), (there, other), (both, project), (both, other)):
        people.give("project:editor", name, project_id=place)
    made = crate(people, project)
    path, moving = f"/crates/{made}", {"project_id": other}
    assert people.named(here)("PATCH", path, json=moving).status_code == 403
    assert people.named(there)("PATCH", path, json=moving).status_code == 404
    operation = {"op": "patch", "kind": "Crate", "id": made, "body": moving}
    batched = people.named(here)("POST", "/batch", json={"operations": [operation]}).json["results"][0]["status"]
    body = {"name": people.admin("GET", path).json["name"], **moving}
    apply = {"op": "apply", "kind": "Crate", "body": body}
    applied = people.named(here)("POST", "/batch", json={"operations": [apply]}).json["results"][0]["status"]
    assert (batched, applied) == (403, 403)
    assert people.admin("GET", path).json["version"] == 1
    assert people.named(both)("PATCH", path, json=moving).status_code == 200
    # Nor is it brought back by an old version.
    assert people.named(there)("POST", f"{path}/restore", json={"version": 1}).status_code == 404
    assert people.named(both)("POST", f"{path}/restore", json={"version": 1}).status_code == 200


def test_a_watch_tells_of_what_leaves_by_its_last_state_here(people: People, project: str, other: str) -> None:
    made = crate(people, project)
    with watching(people.having("project:viewer", project_id=project), "/crates?watch=true") as stream:
        people.admin("PATCH", f"/crates/{made}", json={"project_id": other})
        (event,) = stream.until(1)
    assert (event["type"], event["object"]["project_id"]) == ("DELETED", project)


@pytest.fixture
def reborn(people: People, skill: Any) -> tuple[str, str, str, str]:
    """A project that was deleted and made again by somebody else: name, an old skill, a time and a cursor of then."""
    name, first, second = people.new(), people.named(people.new()), people.named(people.new())
    assert first("POST", "/projects", json={"name": name, "prompt": "of the first"}).status_code == 201
    old = skill(name)
    assert first("PATCH", f"/projects/{name}", json={"prompt": "of the first, again"}).status_code == 200
    cursor = wait_for(lambda: first("GET", "/changes?order=oldest").json["items"], "its changes")[0]["cursor"]
    then = now()
    assert first("DELETE", f"/projects/{name}").status_code == 204
    assert second("POST", "/projects", json={"name": name}).status_code == 201
    return name, old, then, cursor


def test_a_project_that_takes_a_name_takes_nothing_of_an_earlier_one(
    people: People, reborn: tuple[str, str, str, str]
) -> None:
    name, old, then, cursor = reborn
    ann = people.having("project:owner", project_id=name)

    def logged() -> list[tuple[str, str]]:
        found = ann("GET", f"/changes?project_id={name}&kinds=Project,Skill,RoleBinding").json["items"]
        return sorted((change["kind"], change["verb"]) for change in found)

    # A change is shown when no older transaction runs any more.
    wait_for(lambda: len(logged()) >= 3, "what was written since")
    assert logged() == [
        ("Project", "create"),
        ("RoleBinding", "create"),
        ("RoleBinding", "create"),
    ]
    assert ann("GET", f"/projects/{name}/history").json["size"] == 1
    assert ann("GET", f"/skills?as_of={then}").json["total"] == 0
    for path in (f"projects/{name}?version=2", f"projects/{name}?as_of={then}", f"skills/{old}?version=1"):
        assert ann("GET", f"/{path}").status_code == 404, path
    assert ann("GET", f"/skills/{old}/history").status_code == 404
    assert ann("POST", f"/skills/{old}/restore", json={"version": 1}).status_code == 404
    with watching(ann, f"/changes?project_id={name}&kinds=Project,Skill&after={cursor}") as stream:
        people.admin("PATCH", f"/projects/{name}", json={"prompt": "of the second"})
        assert told(stream.until(2)) == [("ADDED", name, 1), ("MODIFIED", name, 2)]


def test_who_sees_everything_sees_the_earlier_one_too(people: People, reborn: tuple[str, str, str, str]) -> None:
    name, old, then, _ = reborn
    for caller in (people.admin, people.having("platform:viewer")):
        assert caller("GET", f"/projects/{name}/history").json["size"] == 4
        assert caller("GET", f"/projects/{name}?as_of={then}").json["prompt"] == "of the first, again"
        assert caller("GET", f"/skills/{old}?version=1").status_code == 200


def test_a_project_that_is_restored_keeps_its_past(people: People, skill: Any) -> None:
    name = people.new()
    assert people.named(people.new())("POST", "/projects", json={"name": name}).status_code == 201
    old = skill(name)
    assert people.admin("PATCH", f"/skills/{old}", json={"prompt": "anew"}).status_code == 200
    assert people.admin("DELETE", f"/projects/{name}").status_code == 204
    assert people.admin("POST", f"/projects/{name}/restore", json={"version": 1}).status_code == 201
    ann = people.having("project:owner", project_id=name)
    assert [ann("GET", f"/skills/{old}?version={number}").status_code for number in (1, 2)] == [200, 200]
    assert ann("POST", f"/skills/{old}/restore", json={"version": 1}).status_code == 201
