"""What was given is there at once, also on a server that knew a moment ago that somebody had nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from ambient_access import grants

from ambient_core.app import Application
from ambient_core.config import Settings
from ambient_core.plugins import Source
from tests.access.people import People, serving

SECRET = {"name": "c", "provider": "github", "token": "x"}


@pytest.fixture(scope="module")
def replica(settings: Settings, database_url: str, names: Source) -> Iterator[Application]:
    """Another copy of the API over the same database."""
    with serving(settings, database_url, names) as copy:
        yield copy


@pytest.fixture
def ann(people: People, replica: Application, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """Somebody who has nothing, as both servers know and would remember for long: calls to the one and to the other."""
    monkeypatch.setattr(grants, "KEPT", 600.0)
    name = people.somebody()
    here, there = people.named(name), People(replica, people.admin).named(name)
    for call in (here, there):
        assert call("GET", "/projects").json["total"] == call("GET", "/credentials").json["total"] == 0
    return here, there


def test_who_makes_a_project_owns_it_on_every_server_at_once(people: People, ann: tuple[Any, Any]) -> None:
    here, there = ann
    name = f"p{people.new()}"
    assert here("POST", "/projects", json={"name": name}).status_code == 201
    assert there("GET", f"/projects/{name}").status_code == 200
    assert there("POST", "/skills", json={"name": "s", "project_id": name}).status_code == 201


def test_a_first_project_is_in_the_lists_of_every_server_at_once(people: People, ann: tuple[Any, Any]) -> None:
    here, there = ann
    name = f"p{people.new()}"
    assert here("POST", "/projects", json={"name": name}).status_code == 201
    assert there("GET", "/projects").json["total"] == 1


def test_who_makes_a_credential_has_it_on_every_server_at_once(ann: tuple[Any, Any]) -> None:
    here, there = ann
    made = here("POST", "/credentials", json=SECRET).json["id"]
    assert there("GET", f"/credentials/{made}").status_code == 200
    assert there("PATCH", f"/credentials/{made}", json={"description": "mine"}).status_code == 200


def test_a_stronger_role_counts_on_every_server_at_once(people: People, project: str, ann: tuple[Any, Any]) -> None:
    _, there = ann
    name = there("GET", "/whoami").json["id"].partition(":")[2]
    people.give("project:viewer", name, project_id=project)
    assert there("GET", f"/projects/{project}").status_code == 200
    assert there("PATCH", f"/projects/{project}", json={"description": "x"}).status_code == 403
    people.give("project:owner", name, project_id=project)
    assert there("PATCH", f"/projects/{project}", json={"description": "x"}).status_code == 200
