"""The scope `agent`: the sessions of one agent of one project, whichever way they are asked for, and nothing beside them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ambient_access.grants import MANY

from ambient_core.app import create_app
from ambient_core.config import Settings
from ambient_core.plugins import Source, installed, load_plugins
from tests.access.people import People
from tests.streams import told, watching

ANN, BOB = "ann", "bob"
PATHS = ("", "/messages", "/history", "/explain")
ON_GATEWAY = ("/logs", "/agui/events", "/agui/runs", "/agui/capabilities")


@pytest.fixture
def session(people: People) -> Callable[..., str]:
    """Makes a session of an agent of a project; answers its id."""

    def make(project: str, agent: str | None = ANN, **fields: Any) -> str:
        body = {"name": "s", "project_id": project, "agent_id": agent, **fields}
        answer = people.admin("POST", "/sessions", json=body)
        assert answer.status_code == 201, answer.json
        return str(answer.json["id"])

    return make


@pytest.fixture
def foreign(project: str, other: str, session: Any) -> list[str]:
    """Sessions that are not of the agent ann of the project: of another agent, of none, and of another project's ann."""
    return [session(project, BOB), session(project, None), session(other, ANN)]


def at(project: str, agent: str = ANN) -> dict[str, str]:
    """Where a role at an agent holds."""
    return {"agent_id": agent, "project_id": project}


def given(role: str, user: str, project: str, agent: str = ANN, **fields: Any) -> dict[str, Any]:
    return {"role_id": role, "scope": "agent", "user_id": user, **at(project, agent), **fields}


def ids(answer: Any) -> list[str]:
    return [item["id"] for item in answer.json["items"]]


def test_its_lists_and_searches_hold_the_sessions_of_that_agent_of_that_project(
    people: People, project: str, session: Any, foreign: list[str]
) -> None:
    mine, eve = session(project), people.having("project:viewer", **at(project))
    for path in (
        "/sessions",
        f"/sessions?search=agent_id = '{ANN}'",
        "/sessions?total=false",
        "/sessions?orderBy=name",
    ):
        assert ids(eve("GET", path)) == [mine], path
    assert ids(eve("GET", f"/sessions?search=agent_id = '{BOB}'")) == []
    assert eve("GET", "/projects").json["total"] == eve("GET", "/skills").json["total"] == 0


def test_what_hangs_on_its_sessions_is_there_and_on_others_is_not(
    people: People, project: str, session: Any, foreign: list[str]
) -> None:
    mine, eve = session(project), people.having("project:viewer", **at(project))
    for path in PATHS:
        assert eve("GET", f"/sessions/{mine}{path}").status_code not in (403, 404), path
    for path in (*PATHS, *ON_GATEWAY):
        assert {eve("GET", f"/sessions/{one}{path}").status_code for one in foreign} == {404}, path


def test_the_gateway_goes_by_the_same_gate(
    people: People,
    project: str,
    session: Any,
    foreign: list[str],
    settings: Settings,
    database_url: str,
    names: Source,
) -> None:
    mine, name = session(project), people.new()
    people.give("project:owner", name, **at(project))
    own = replace(settings, database_url=database_url)
    gateway = create_app(own, surface="gateway", plugins=load_plugins(own, [*installed(), names]))
    eve = type(people.admin)(gateway.test_client(), f"person:{name}")
    for path in ON_GATEWAY:
        with eve("GET", f"/sessions/{mine}{path}", buffered=False) as answer:
            assert answer.status_code not in (403, 404), path
        assert {eve("GET", f"/sessions/{one}{path}").status_code for one in foreign} == {404}, path
    assert {eve("POST", f"/sessions/{one}/agui/run", json={}).status_code for one in foreign} == {404}
    gateway.runtime.database.close()


def test_writes_alone_and_in_a_batch_reach_its_sessions_alone(
    people: People, project: str, session: Any, foreign: list[str]
) -> None:
    mine, eve = session(project), people.having("project:owner", **at(project))
    for method, tail, body in (
        ("PATCH", "", {"name": "t"}),
        ("POST", "/start", None),
        ("POST", "/messages", {"payload": "Look."}),
        ("POST", "/stop", None),
    ):
        assert eve(method, f"/sessions/{mine}{tail}", json=body).status_code in (200, 201), tail
        assert {eve(method, f"/sessions/{one}{tail}", json=body).status_code for one in foreign} == {404}, tail
    operations = [{"op": "patch", "kind": "Session", "id": i, "body": {"name": "u"}} for i in (mine, *foreign)]
    results = eve("POST", "/batch", json={"operations": operations}).json["results"]
    assert [result["status"] for result in results] == [200, 404, 404, 404]
    assert eve("DELETE", "/sessions?search=name = 'u'&max_affected=9").json["deleted"] == 1
    assert {people.admin("GET", f"/sessions/{one}").json["name"] for one in foreign} == {"s"}


def test_a_new_session_is_one_of_the_agent_or_is_refused(people: People, project: str, other: str) -> None:
    eve = people.having("project:editor", **at(project))
    places = (at(project), at(project, BOB), {"project_id": project}, at(other), at("nowhere"))
    made = [eve("POST", "/sessions", json={"name": "s", **place}) for place in places]
    assert [answer.status_code for answer in made] == [201, 403, 403, 403, 403]
    assert made[0].json["agent_id"] == ANN
    assert len({answer.json["reason"] for answer in made[1:]}) == 1
    operations = [{"op": "create", "kind": "Session", "body": {"name": "s", **place}} for place in places[:2]]
    results = eve("POST", "/batch", json={"operations": operations}).json["results"]
    assert [result["status"] for result in results] == [201, 403]


def test_a_session_keeps_its_agent_and_a_clone_has_the_same(people: People, project: str, session: Any) -> None:
    mine, eve = session(project), people.having("project:owner", **at(project))
    refused = eve("PATCH", f"/sessions/{mine}", json={"agent_id": BOB})
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (400, "/agent_id")
    clone = eve("POST", f"/sessions/{mine}/clone")
    assert (clone.status_code, clone.json["agent_id"], clone.json["parent_session_id"]) == (201, ANN, mine)


@pytest.mark.parametrize("agent", ["", "a b", "a/b", "ä", "a" * 64])
def test_an_agent_is_named_by_letters_digits_dashes_and_underscores(people: People, project: str, agent: str) -> None:
    refused = people.admin("POST", "/sessions", json={"name": "s", "project_id": project, "agent_id": agent})
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (400, "/agent_id")


def test_watch_log_and_past_show_the_agent_s_sessions_and_end_with_the_role(
    people: People, project: str, session: Any, foreign: list[str]
) -> None:
    name, mine = people.new(), session(project)
    binding = people.give("project:viewer", name, **at(project))
    eve = people.named(name)
    assert {entry["object_id"] for entry in eve("GET", "/changes?kinds=Session").json["items"]} == {mine}
    assert eve("GET", f"/sessions/{mine}?version=1").status_code == 200
    assert eve("GET", f"/sessions/{foreign[0]}?version=1").status_code == 404
    with watching(eve, "/sessions?watch=true") as stream:
        session(project, BOB)
        second = session(project)
        assert told(stream.until(1)) == [("ADDED", second, 1)]
        assert people.admin("DELETE", f"/sessions/{second}").status_code == 204
        assert told(stream.until(2))[1] == ("DELETED", second, 1)
        assert people.admin("DELETE", f"/role_bindings/{binding}").status_code == 204
        session(project)
        people.give("project:viewer", name, **at(project, BOB))
        last = session(project, BOB)
        assert told(stream.until(3))[2:] == [("ADDED", last, 1)]


def test_somebody_at_very_many_agents_sees_the_same(people: People, project: str, session: Any) -> None:
    name = people.new()
    for number in range(MANY + 1):
        people.give("project:viewer", name, **at(project, f"a{number}"))
    mine = [session(project, f"a{number}") for number in (0, MANY)]
    session(project, f"a{MANY + 1}")
    assert ids(people.named(name)("GET", "/sessions")) == mine


def test_a_token_is_narrowed_at_an_agent_as_anywhere(people: People, project: str, session: Any) -> None:
    mine, name = session(project), people.new()
    user = people.admin("POST", "/users", json={"username": name, "name": name}).json["id"]
    people.give("project:owner", user, **at(project))
    eve = people.named(user)
    token = eve("POST", "/tokens", json={"name": "t", "lifetime_days": 1, "permissions": ["session:read"]}).json["id"]
    narrow = type(eve)(people.app.test_client(), eve("POST", f"/tokens/{token}/secret", json={}).json["token"])
    assert narrow("GET", f"/sessions/{mine}").status_code == 200
    assert narrow("POST", f"/sessions/{mine}/start").status_code == 403
    wider = eve("POST", "/tokens", json={"name": "t", "lifetime_days": 1, "permissions": ["*:*"]})
    assert wider.status_code == 403


def test_with_its_project_a_role_at_an_agent_goes(people: People, project: str) -> None:
    binding = people.give("project:owner", people.new(), **at(project))
    assert people.admin("DELETE", f"/projects/{project}").status_code == 204
    assert people.admin("GET", f"/role_bindings/{binding}").status_code == 404


def test_case_18_who_owns_a_project_gives_at_each_of_its_agents_and_at_no_other(
    people: People, project: str, other: str
) -> None:
    owner, name = people.having("project:owner", project_id=project), people.somebody()
    assert owner("POST", "/role_bindings", json=given("project-owner", name, project)).status_code == 201
    assert owner("POST", "/role_bindings", json=given("agent-runner", name, project)).status_code == 403
    elsewhere = [owner("POST", "/role_bindings", json=given("project-viewer", name, p)) for p in (other, "nowhere")]
    assert [answer.json["errors"][0]["field"] for answer in elsewhere] == ["/project_id"] * 2


def test_case_18_who_has_an_agent_gives_at_that_agent_alone(
    people: People, project: str, other: str, session: Any
) -> None:
    owner, name = people.having("project:owner", **at(project)), people.somebody()
    assert owner("POST", "/role_bindings", json=given("project-owner", name, project)).status_code == 201
    assert owner("POST", "/role_bindings", json=given("platform-admin", name, project)).status_code == 403
    for where in ((project, BOB), (other, ANN), ("nowhere", ANN)):
        refused = owner("POST", "/role_bindings", json=given("project-viewer", name, *where))
        assert (refused.status_code, refused.json["errors"][0]["field"]) == (400, "/project_id"), where
    whole = {"role_id": "project-viewer", "scope": "project", "project_id": project, "user_id": name}
    assert owner("POST", "/role_bindings", json=whole).status_code == 400


def test_case_18_a_role_at_a_session_of_the_agent_is_the_agent_s_to_give_and_take(
    people: People, project: str, session: Any, foreign: list[str]
) -> None:
    mine, owner, name = session(project), people.having("project:owner", **at(project)), people.somebody()
    body = {"role_id": "project-viewer", "scope": "session", "user_id": name}
    answer = owner("POST", "/role_bindings", json={**body, "session_id": mine})
    assert (answer.status_code, answer.json["project_id"], answer.json["agent_id"]) == (201, project, ANN)
    assert ids(people.named(name)("GET", "/sessions")) == [mine]
    assert owner("DELETE", f"/role_bindings/{answer.json['id']}").status_code == 204
    assert people.admin("POST", f"/role_bindings/{answer.json['id']}/restore", json={"version": 1}).status_code == 201
    wrong = people.admin("POST", "/role_bindings", json={**body, "session_id": foreign[0], "agent_id": ANN})
    assert (wrong.status_code, wrong.json["errors"][0]["field"]) == (400, "/agent_id")
    assert {owner("POST", "/role_bindings", json={**body, "session_id": one}).status_code for one in foreign} == {400}


def test_case_18_an_editor_gives_nothing_at_an_agent_and_a_patch_widens_nothing(people: People, project: str) -> None:
    name = people.new()
    editors = people.give("project:editor", name, **at(project))
    owners = people.give("project:owner", people.new(), **at(project))
    eve = people.named(name)
    assert eve("POST", "/role_bindings", json=given("project-viewer", people.somebody(), project)).status_code == 403
    assert eve("PATCH", f"/role_bindings/{editors}", json={"role_id": "project-owner"}).status_code in (403, 404)
    assert eve("DELETE", f"/role_bindings/{owners}").status_code == 403


def test_who_owns_at_an_agent_is_no_owner_of_the_project(people: People, project: str) -> None:
    last = people.give("project:owner", people.new(), project_id=project)
    people.give("project:owner", people.new(), **at(project))
    refused = people.admin("DELETE", f"/role_bindings/{last}")
    assert (refused.status_code, "without an owner" in refused.json["reason"]) == (409, True)


def test_an_agent_s_bindings_are_seen_there_and_not_at_another(people: People, project: str, other: str) -> None:
    name = people.new()
    mine = people.give("project:owner", name, **at(project))
    theirs = people.give("project:viewer", people.new(), **at(project))
    for where in (at(project, BOB), at(other)):
        people.give("project:viewer", people.new(), **where)
    assert sorted(ids(people.named(name)("GET", "/role_bindings"))) == sorted([mine, theirs])


def test_a_review_names_the_agent_and_its_project(
    people: People, project: str, session: Any, foreign: list[str]
) -> None:
    mine, name = session(project), people.new()
    binding = people.give("project:owner", name, **at(project))
    people.give("project:owner", name, **at(project, BOB))
    found = people.named(name)("GET", f"/access/review?verb=start&kind=Session&id={mine}").json
    link = {"binding": binding, "role": "project:owner", "permission": "session:*", "scope": "agent"}
    assert (found["allowed"], found["chain"]) == (True, [{**link, "place": ANN, "project": project}])
    asked = f"/access/review?verb=start&kind=Session&id={foreign[2]}&principal=person:{name}"
    assert not people.admin("GET", asked).json["allowed"]


def test_a_review_names_the_session_of_a_role_at_a_session(people: People, project: str, session: Any) -> None:
    mine, name = session(project), people.new()
    people.give("project:viewer", name, session_id=mine)
    (link,) = people.named(name)("GET", f"/access/review?verb=get&kind=Session&id={mine}").json["chain"]
    assert (link["scope"], link["place"], link.get("project")) == ("session", mine, None)
