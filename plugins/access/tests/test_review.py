"""Who may do what, and why: the review says the chain, or what is missing; the first administrator comes over the database."""

from typing import Any

from ambient_access.commands import admin
from click.testing import CliRunner

from ambient_core.cli import Invocation
from ambient_core.config import Sources
from tests.access.people import People


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
    mine = skill(project)
    viewer = people.having("project:viewer", project_id=project)
    found = viewer("GET", f"/access/review?verb=delete&kind=Skill&id={mine}").json
    assert not found["allowed"]
    assert "skill:delete" in found["missing"]
    assert "an owner of its project" in found["text"]


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
