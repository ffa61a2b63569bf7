"""What a runner of the predecessor looks for: a variable with ids, and the same fetch below its project."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from ambient_credentials import ambient_session_variables

from tests.access.people import People

TOKEN = "canary-of-a-credential"


@pytest.fixture
def lent(people: People, project: str, made: Any, lend: Any) -> str:
    """A credential that the project's sessions have."""
    credential = str(made(people.admin))
    assert lend(people.admin, credential, project_id=project).status_code == 201
    return credential


def fetch(caller: Any, project: str, credential: str, **options: Any) -> Any:
    return caller("GET", f"/projects/{project}/credentials/{credential}/token", **options)


def asking(caller: Any) -> Callable[..., dict[str, Any]]:
    return lambda path, query: caller("GET", path, query_string=query).json


def test_a_session_fetches_below_its_project_and_each_time_is_in_the_log(
    people: People, project: str, lent: str, running: Any
) -> None:
    session = running(project)
    answer = fetch(session, project, lent)
    assert (answer.status_code, answer.json) == (
        200,
        {"credential_id": lent, "provider": "github", "token": TOKEN},
    )
    assert answer.headers["Cache-Control"] == "no-store"
    log = people.admin("GET", f"/changes?object_id={lent}&verb=fetch_token").json["items"]
    assert [entry["actor"] for entry in log] == [f"session:{session.session}"]


def test_below_another_project_nothing_is_there_and_nothing_is_noted(
    people: People, project: str, other: str, lent: str, running: Any
) -> None:
    session = running(project)
    found, absent = fetch(session, other, lent), fetch(session, project, "01aaaaaaaaaaaaaaaaaaaaaaaa")
    assert (found.status_code, absent.status_code) == (404, 404)
    assert found.json["reason"].replace(lent, "") == absent.json["reason"].replace("01aaaaaaaaaaaaaaaaaaaaaaaa", "")
    assert fetch(running(other), other, lent).status_code == 404
    assert people.admin("GET", f"/changes?object_id={lent}&verb=fetch_token").json["items"] == []


def test_nobody_but_a_session_fetches_below_a_project(
    people: People, project: str, lent: str, control_plane: Any
) -> None:
    owner = people.having("project:owner", project_id=project)
    assert [fetch(c, project, lent).status_code for c in (owner, people.admin, control_plane)] == [403] * 3


def test_a_header_that_names_another_project_than_the_path_is_refused(
    project: str, other: str, lent: str, running: Any
) -> None:
    session = running(project)
    assert fetch(session, project, lent, headers={"X-Ambient-Project": other}).status_code == 400
    assert fetch(session, project, lent, headers={"X-Ambient-Project": project}).status_code == 200


def test_the_variable_names_what_the_session_has_of_each_provider(
    people: People, project: str, other: str, lent: str, made: Any, lend: Any, running: Any
) -> None:
    later, jira = made(people.admin), made(people.admin, provider="jira")
    for credential in (later, jira):
        lend(people.admin, credential, project_id=project)
    (variable,) = ambient_session_variables(ask=asking(running(project)))
    assert variable[0] == "CREDENTIAL_IDS"
    assert json.loads(variable[1]) == {"github": lent, "jira": jira}
    assert list(ambient_session_variables(ask=asking(running(other)))) == []
