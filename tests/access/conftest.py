"""People and machines with roles: each call is made by somebody who was given something somewhere."""

import secrets
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from ambient_core import Principal, hookimpl
from ambient_core.app import Application
from ambient_core.config import Settings
from ambient_core.plugins import Source
from tests.access.people import People, serving


@pytest.fixture(scope="module")
def names() -> Source:
    """A plugin that knows everybody by name: ``Bearer person:ann/group-a,group-b`` is ann, of these groups."""

    @hookimpl
    def ambient_authenticate(request: Any) -> Principal | None:
        kind, _, rest = request.headers.get("Authorization", "").removeprefix("Bearer ").partition(":")
        name, _, groups = rest.partition("/")
        if kind not in ("person", "service"):
            return None
        roles = frozenset(part.replace(".", ":") for part in groups.split("+") if "." in part)
        return Principal(kind, name, name, groups=frozenset(groups.split("+")) - {""}, roles=roles)

    module = ModuleType("stranger_names")
    module.__dict__["ambient_authenticate"] = ambient_authenticate
    return Source("names", lambda: module, "1.0")


@pytest.fixture(scope="module")
def app(settings: Settings, database_url: str, names: Source) -> Iterator[Application]:
    """The application, where everybody is known by name."""
    with serving(settings, database_url, names) as application:
        yield application


@pytest.fixture(scope="module")
def people(app: Application, call: Any) -> People:
    """Makes projects, and somebody who has a role there."""
    return People(app, call)


@pytest.fixture
def project(people: People) -> str:
    """A project of its own for each test."""
    return people.project()


@pytest.fixture
def other(people: People) -> str:
    """A project that nobody of a test has anything to do with."""
    return people.project()


@pytest.fixture
def skill(call: Any) -> Callable[[str], str]:
    """Makes a skill in a project; answers its id."""

    def make(project: str) -> str:
        body = {"name": f"s{secrets.token_hex(4)}", "project_id": project}
        answer = call("POST", "/skills", json=body)
        assert answer.status_code == 201, answer.json
        return str(answer.json["id"])

    return make
