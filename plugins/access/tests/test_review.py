"""Who may do what, and why: the review says the chain, or what is missing; the first administrator comes over the database."""

from collections.abc import Iterator
from typing import Any

import pytest
from ambient_access.commands import access, admin
from click.testing import CliRunner

from ambient_core.cli import Invocation
from ambient_core.config import Settings, Sources
from tests.access.people import People
from tests.sockets import on_a_socket


def test_a_yes_comes_with_binding_role_permission_and_scope(people: People, project: str, skill: Any) -> None:
    mine, name = skill(project), people.new()
    given = people.give("project:editor", name, project_id=project)
    found = people.named(name)("GET", f"/access/review?verb=patch&kind=Skill&id={mine}").json
    assert (found["allowed"], found["principal"]) == (True, f"person:{name}")
    link = {
        "binding": given,
        "role": "project:editor",
        "permission": "project_content:update",
        "scope": "project",
        "place": project,
    }
    assert found["chain"] == [link]


def test_a_no_says_what_is_missing_and_who_could_give_it(people: People, project: str, skill: Any) -> None:
    mine, owner = skill(project), people.new()
    people.give("project:owner", owner, project_id=project)
    body = {"role_id": "project-owner", "scope": "project", "project_id": project, "group_name": "leads"}
    assert people.admin("POST", "/role_bindings", json=body).status_code == 201
    viewer = people.having("project:viewer", project_id=project)
    found = viewer("GET", f"/access/review?verb=delete&kind=Skill&id={mine}").json
    assert not found["allowed"]
    assert "skill:delete" in found["missing"]
    assert {"project:owner", "platform:admin"} <= set(found["roles"])
    assert "project:viewer" not in found["roles"]
    assert found["granters"] == [f"person:{owner}", "group:leads"]
    assert f"an owner of its project (person:{owner}, group:leads)" in found["text"]


def test_a_no_that_no_role_would_turn_says_so(people: People, project: str) -> None:
    session = people.admin("POST", "/sessions", json={"name": "one", "project_id": project}).json["id"]
    path = f"/access/review?verb=patch_status&kind=Session&id={session}"
    for role in ("platform:admin", "project:editor"):
        place = {} if role == "platform:admin" else {"project_id": project}
        found = people.having(role, **place)("GET", path).json
        assert (found["allowed"], found["missing"], found["roles"], found["granters"]) == (False, [], [], [])
        assert found["text"].startswith("No role gives this")
    assert people.admin("GET", f"{path}&principal=service:control-plane").json["allowed"]


def test_a_no_of_a_narrowed_token_says_that_the_token_is_narrow(people: People, project: str, skill: Any) -> None:
    name = people.new()
    user = people.admin("POST", "/users", json={"username": name, "name": name}).json["id"]
    people.give("project:owner", user, project_id=project)
    owner = people.named(user)
    token = owner("POST", "/tokens", json={"name": "t", "lifetime_days": 1, "permissions": ["skill:read"]}).json["id"]
    secret = owner("POST", f"/tokens/{token}/secret", json={}).json["token"]
    narrow = type(people.admin)(people.app.test_client(), secret)
    found = narrow("GET", f"/access/review?verb=delete&kind=Skill&id={skill(project)}").json
    assert (found["allowed"], found["roles"]) == (False, [])
    assert "narrowed to skill:read" in found["text"]


def test_who_does_not_see_an_object_learns_nothing_of_its_owners(people: People, other: str, skill: Any) -> None:
    people.give("project:owner", people.new(), project_id=other)
    ann = people.named(people.new())
    assert ann("GET", f"/access/review?verb=delete&kind=Skill&id={skill(other)}").status_code == 404


@pytest.fixture
def asked(people: People, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Runs ``ambient access review`` as somebody, against a server that listens."""
    with on_a_socket(people.app) as url:

        def run(name: str, *arguments: str) -> Any:
            monkeypatch.setenv("AMBIENT_TOKEN", f"person:{name}")
            flags = {"api_url": url, "profile": "development"}
            return CliRunner().invoke(access, ["review", *arguments], obj=Invocation(Sources(flags=flags)))

        yield run


def said(result: Any) -> list[str]:
    """What was printed; the server, which logs to the same place here, left out."""
    return [line for line in result.output.splitlines() if not line.startswith("{")]


def test_the_command_prints_the_chain_or_what_is_missing(people: People, project: str, skill: Any, asked: Any) -> None:
    mine, viewer = skill(project), people.new()
    given = people.give("project:viewer", viewer, project_id=project)
    yes, no, wrong = (asked(viewer, verb, "Skill", mine) for verb in ("get", "delete", "fly"))
    assert [yes.exit_code, no.exit_code, wrong.exit_code] == [0, 1, 1]
    assert said(yes) == [
        "yes",
        f"  binding {given}, role project:viewer, permission project_content:read, scope project, place {project}",
    ]
    assert said(no)[0].startswith("no: A role with project_content:delete or skill:delete is missing")
    assert said(no)[1] == "  roles that would do: platform:admin, project:owner"
    assert "verb must be one of" in wrong.output
    other = asked(viewer, "get", "Skill", mine, "--principal", "person:somebody")
    assert (other.exit_code, "Only who may read all role bindings" in other.output) == (4, True)


def test_the_command_takes_kinds_and_objects_by_their_names(people: People, project: str, asked: Any) -> None:
    editor = people.new()
    people.give("project:editor", editor, project_id=project)
    session = people.admin("POST", "/sessions", json={"name": people.new(), "project_id": project}).json
    no = asked(editor, "start", "sessions", session["name"], "-p", project)
    assert (no.exit_code, said(no)[0].startswith("no: A role with session:start is missing")) == (1, True)
    assert asked(editor, "start", "sessions", "nobody's").exit_code == 3
    assert asked(editor, "start", "sesions").exit_code == 2


def test_about_somebody_else_asks_who_may_read_all_bindings(
    people: People, project: str, other: str, skill: Any
) -> None:
    name = people.new()
    people.give("project:owner", name, project_id=project)
    path = f"/access/review?verb=delete&kind=Skill&principal=person:{name}&id="
    assert people.admin("GET", path + skill(project)).json["allowed"]
    assert not people.admin("GET", path + skill(other)).json["allowed"]
    assert people.having("platform:admin")("GET", path + skill(project)).json["allowed"]
    assert people.having("project:owner", project_id=project)("GET", path + skill(project)).status_code == 403


def test_what_cannot_be_asked_is_named_and_what_is_not_seen_is_not_there(
    people: People, other: str, skill: Any
) -> None:
    ann = people.named(people.new())
    for query in ("verb=fly&kind=Skill", "verb=get&kind=Skil", "kind=Skill", "verb=get&kind=Skill&who=me"):
        assert ann("GET", f"/access/review?{query}").status_code == 400
    assert ann("GET", f"/access/review?verb=get&kind=Skill&id={skill(other)}").status_code == 404


def test_who_would_never_come_is_not_made_administrator(people: People, database_url: str) -> None:
    flags = {"database_url": database_url, "oidc_issuer": "https://login.example.com", "oidc_audience": "ambient"}
    asked = ["grant-platform-admin", "--issuer", "https://login.example.com/", "--subject", people.new()]
    refused = CliRunner().invoke(admin, asked, obj=Invocation(Sources(flags=flags)))
    assert "No identity provider of this configuration is called https://login.example.com/" in str(refused.exception)
    assert people.admin("GET", f"/users?search=subject = '{asked[-1]}'").json["total"] == 0


def test_the_first_administrator_is_made_over_the_database(
    people: People, database_url: str, other: str, skill: Any
) -> None:
    invocation = Invocation(Sources(flags={"database_url": database_url, "profile": "development"}))
    asked = ["grant-platform-admin", "--issuer", "https://login.example.com", "--subject", people.new()]
    runs = [CliRunner().invoke(admin, asked, obj=invocation, catch_exceptions=False) for _ in range(2)]
    assert [run.exit_code for run in runs] == [0, 0]
    assert runs[0].output == runs[1].output
    user = runs[0].output.split("user ")[1].split(")")[0]
    assert people.named(user)("GET", f"/skills/{skill(other)}").status_code == 200
    assert people.named(user)("GET", "/role_bindings?search=note is not null").json["total"] == 1
