"""Bindings: to one subject in one place, never beyond what the giver has, and a project keeps an owner."""

import threading
from typing import Any

import psycopg
import pytest
from ambient_access.places import Place
from ambient_access.stores import _PERSON

from tests.access.people import People
from tests.e2e.conftest import wait_for

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
GIVE = (
    "INSERT INTO role_bindings (id, role_id, scope, user_id, project_id) "
    "VALUES ('late', 'project-viewer', 'project', %(user)s, %(project)s)"
)


def binding(role: str, **fields: Any) -> dict[str, Any]:
    return {"role_id": role.replace(":", "-"), "scope": "project", "user_id": "somebody", **fields}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"scope": "project"}, "/project_id"),
        ({"scope": "global", "project_id": "x"}, "/project_id"),
        ({"scope": "agent", "agent_id": "x"}, "/project_id"),
        ({"scope": "agent", "project_id": "x"}, "/agent_id"),
        ({"scope": "agent", "agent_id": "x", "project_id": "nowhere"}, "/project_id"),
        ({"scope": "agent", "agent_id": "x y", "project_id": "nowhere"}, "/agent_id"),
        ({"scope": "project", "agent_id": "x", "project_id": "nowhere"}, "/agent_id"),
        ({"scope": "session"}, "/session_id"),
        ({"scope": "global", "user_id": None}, "/user_id"),
        ({"scope": "global", "group_name": "both"}, "/user_id"),
        ({"scope": "session", "session_id": "nowhere"}, "/session_id"),
        ({"scope": "project", "project_id": "nowhere"}, "/project_id"),
        ({"scope": "everywhere"}, "/scope"),
    ],
)
def test_a_binding_names_one_subject_and_the_place_of_its_scope(call: Any, fields: dict[str, Any], field: str) -> None:
    answer = call("POST", "/role_bindings", json=binding("project:viewer", **fields))
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, field)


def test_the_same_binding_twice_is_a_conflict(people: People, project: str) -> None:
    body = binding("project:viewer", project_id=project, user_id=people.somebody())
    answers = [people.admin("POST", "/role_bindings", json=body).status_code for _ in range(2)]
    assert answers == [201, 409]


def test_who_makes_a_project_owns_it_at_once(people: People) -> None:
    ann = people.named(people.new())
    name = people.new()
    assert ann("POST", "/projects", json={"name": name}).status_code == 201
    assert ann("POST", "/skills", json={"name": "mine", "project_id": name}).status_code == 201
    assert ann("GET", f"/role_bindings?project_id={name}").json["items"][0]["role_id"] == "project-owner"
    assert ann("DELETE", f"/projects/{name}").status_code == 204
    assert people.admin("GET", f"/role_bindings?project_id={name}").json["total"] == 0


def test_a_project_that_is_not_made_makes_no_owner(people: People, project: str) -> None:
    name = people.new()
    ann = people.named(name)
    assert ann("POST", "/projects", json={"name": project}).status_code == 409
    assert ann("POST", "/projects?dry_run=true", json={"name": people.new()}).status_code == 201
    assert ann("GET", "/role_bindings").json["total"] == 0


def test_in_one_batch_a_project_is_made_and_filled(people: People) -> None:
    name, ann = people.new(), people.named(people.new())
    operations = [
        {"op": "create", "kind": "Project", "body": {"name": name}},
        {"op": "create", "kind": "Skill", "body": {"name": "first", "project_id": name}},
    ]
    answer = ann("POST", "/batch", json={"atomic": True, "operations": operations})
    assert (answer.status_code, answer.json.get("failed")) == (200, 0), answer.json


@pytest.mark.parametrize(
    ("role", "given", "status"),
    [
        ("project:owner", "project:owner", 201),
        ("project:owner", "project:viewer", 201),
        ("project:owner", "platform:admin", 403),
        ("project:owner", "agent:runner", 403),
        ("project:editor", "project:viewer", 403),
        ("project:viewer", "project:viewer", 403),
    ],
)
def test_case_18_nobody_gives_what_they_do_not_have(
    people: People, project: str, role: str, given: str, status: int
) -> None:
    giver = people.having(role, project_id=project)
    body = binding(given, project_id=project, user_id=people.somebody())
    answer = giver("POST", "/role_bindings", json=body)
    assert answer.status_code == status, answer.json


def test_case_18_an_owner_gives_neither_elsewhere_nor_everywhere(people: People, project: str, other: str) -> None:
    giver = people.having("project:owner", project_id=project)
    assert giver("POST", "/role_bindings", json=binding("project:viewer", scope="global")).status_code == 403
    elsewhere = giver("POST", "/role_bindings", json=binding("project:viewer", project_id=other))
    fault = elsewhere.json["errors"][0]
    assert (elsewhere.status_code, fault["field"], fault["rule"]) == (400, "/project_id", "reference")


def test_case_18_a_binding_is_not_widened_by_a_patch_nor_taken_from_somebody_higher(
    people: People, project: str
) -> None:
    owners = people.give("project:owner", people.new(), project_id=project)
    name = people.new()
    editors = people.give("project:editor", name, project_id=project)
    helper = people.admin(
        "POST", "/roles", json={"name": people.new(), "permissions": ["role_binding:*", "skill:read"]}
    ).json["id"]
    people.give(helper, name, project_id=project)
    ann = people.named(name)
    assert ann("PATCH", f"/role_bindings/{editors}", json={"role_id": "project-owner"}).status_code == 403
    assert ann("DELETE", f"/role_bindings/{owners}").status_code == 403
    assert ann("DELETE", f"/role_bindings/{editors}").status_code == 204


def test_the_last_owner_of_a_project_stays(people: People, project: str) -> None:
    first = people.give("project:owner", people.new(), project_id=project)
    for answer in (
        people.admin("DELETE", f"/role_bindings/{first}"),
        people.admin("PATCH", f"/role_bindings/{first}", json={"role_id": "project-viewer"}),
        people.admin("DELETE", f"/role_bindings?search=project_id = '{project}'&max_affected=9"),
    ):
        assert answer.status_code == 409, answer.json
        assert "without an owner" in answer.json["reason"]
    people.give("project:owner", people.new(), project_id=project)
    assert people.admin("DELETE", f"/role_bindings/{first}").status_code == 204


def test_case_18_two_owners_who_remove_each_other_at_once_leave_one(people: People, project: str) -> None:
    owners = [people.new(), people.new()]
    bindings = [people.give("project:owner", name, project_id=project) for name in owners]
    start, statuses = threading.Barrier(2), []

    def remove(name: str, binding: str) -> None:
        ann = people.named(name)
        start.wait(10)
        statuses.append(ann("DELETE", f"/role_bindings/{binding}").status_code)

    threads = [threading.Thread(target=remove, args=pair) for pair in zip(owners, reversed(bindings), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    # Who came second is either refused, or was no owner any more when it asked.
    assert statuses.count(204) == 1
    assert set(statuses) <= {204, 403, 404, 409}
    assert people.admin("GET", f"/role_bindings?project_id={project}").json["total"] == 1


def test_a_group_a_service_account_and_a_role_of_the_configuration_count_as_well(
    people: People, project: str, skill: Any
) -> None:
    mine = skill(project)
    group, account = people.new(), people.admin("POST", "/service_accounts", json={"name": people.new()}).json["id"]
    for subject in ({"group_name": group}, {"service_account_id": account}):
        body = {**binding("project:viewer", project_id=project), "user_id": None, **subject}
        assert people.admin("POST", "/role_bindings", json=body).status_code == 201
    callers = (people.named(f"bob/{group}"), people.named(account, "service"), people.named("eve/platform.admin"))
    assert [caller("GET", f"/skills/{mine}").status_code for caller in callers] == [200, 200, 200]
    assert people.named(f"bob/{group}x")("GET", f"/skills/{mine}").status_code == 404


def test_a_session_binding_is_of_that_session_alone_and_kept_by_the_projects_owners(
    people: People, project: str
) -> None:
    ids = [
        people.admin("POST", "/sessions", json={"name": n, "project_id": project}).json["id"] for n in ("one", "two")
    ]
    name = people.new()
    given = people.give("project:viewer", name, session_id=ids[0])
    ann = people.named(name)
    assert [item["id"] for item in ann("GET", "/sessions").json["items"]] == ids[:1]
    assert ann("GET", f"/sessions/{ids[1]}").status_code == 404
    assert ann("GET", f"/sessions/{ids[0]}/messages").status_code == 200
    owner = people.having("project:owner", project_id=project)
    assert owner("DELETE", f"/role_bindings/{given}").status_code == 204
    assert ann("GET", "/sessions").json["total"] == 0


def test_case_18_what_one_may_in_a_project_says_nothing_about_a_credential_that_is_bound_there() -> None:
    bound = {"scope": "credential", "project_id": "mine", "credential_id": "theirs"}
    assert Place.of(bound) == Place(credential_id="theirs")
    assert Place.of({"scope": "session", "project_id": "mine", "session_id": "s"}) == Place("mine", session_id="s")


def test_a_binding_is_for_a_user_who_is_there_and_says_what_to_do_for_one_who_is_not(
    people: People, project: str
) -> None:
    owner = people.having("project:owner", project_id=project)
    body = binding("project:viewer", project_id=project, user_id=people.new())
    refused = owner("POST", "/role_bindings", json=body)
    fault = refused.json["errors"][0]
    assert (refused.status_code, fault["field"], fault["rule"]) == (400, "/user_id", "reference")
    assert "POST /users" in fault["reason"]
    people.known(body["user_id"])
    assert owner("POST", "/role_bindings", json=body).status_code == 201


def test_who_may_give_nothing_in_a_project_is_not_told_who_is_a_user(people: People, other: str) -> None:
    stranger = people.named(people.new())
    for name in (people.new(), people.somebody()):
        body = binding("project:viewer", project_id=other, user_id=name)
        assert stranger("POST", "/role_bindings", json=body).status_code == 403


def test_a_binding_that_was_taken_away_is_not_restored_for_a_user_who_is_gone(people: People, project: str) -> None:
    name = people.new()
    user = people.admin("POST", "/users", json={"username": name, "name": name}).json["id"]
    given = people.give("project:viewer", user, project_id=project)
    assert people.admin("DELETE", f"/users/{user}").status_code == 204
    restored = people.admin("POST", f"/role_bindings/{given}/restore", json={"version": 1})
    assert (restored.status_code, restored.json["errors"][0]["field"]) == (400, "/user_id")


def test_a_role_that_is_given_while_its_user_is_deleted_is_not_left_behind(
    people: People, project: str, database_url: str
) -> None:
    name = people.new()
    user = people.admin("POST", "/users", json={"username": name, "name": name}).json["id"]
    with psycopg.connect(database_url) as giver:
        # As the API gives it: the user is held until the binding is there.
        giver.execute(_PERSON, {"id": user})
        ending = threading.Thread(target=people.admin, args=("DELETE", f"/users/{user}"))
        ending.start()
        wait_for(lambda: giver.execute(WAITING).fetchone() == (1,), "the deletion to wait", 20)
        giver.execute(GIVE, {"user": user, "project": project})
    ending.join(20)
    assert people.admin("GET", f"/users/{user}").status_code == 404
    assert people.admin("GET", f"/role_bindings?search=user_id = '{user}'").json["total"] == 0


def test_an_editor_ends_nobodys_role(people: People, project: str) -> None:
    viewers = people.give("project:viewer", people.new(), project_id=project)
    editor, owner = (people.having(role, project_id=project) for role in ("project:editor", "project:owner"))
    refused = editor("DELETE", f"/role_bindings/{viewers}")
    assert refused.status_code in (403, 404)
    assert owner("DELETE", f"/role_bindings/{viewers}").status_code == 204
