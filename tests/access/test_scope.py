"""What is out of scope is not there: for every way in, with the very words of an id that does not exist."""

import secrets
import threading
from dataclasses import replace
from typing import Any

import orjson
import pytest
from ambient_access import grants

from ambient_core.app import create_app
from ambient_core.config import Settings
from ambient_core.plugins import installed, load_plugins
from tests.access.people import People
from tests.statements import overheard
from tests.streams import told, watching

ABSENT = "01aaaaaaaaaaaaaaaaaaaaaaaa"


def words(answer: Any, identifier: str) -> dict[str, Any]:
    body = {name: value for name, value in answer.json.items() if name != "operation_id"}
    return {**body, "reason": body["reason"].replace(identifier, "ID"), "status": answer.status_code}


def new_skill(project: str) -> dict[str, Any]:
    return {"op": "create", "kind": "Skill", "body": {"name": f"n{secrets.token_hex(4)}", "project_id": project}}


def test_a_list_its_total_and_its_pages_hold_what_is_in_scope(
    people: People, project: str, other: str, skill: Any
) -> None:
    mine = sorted(skill(project) for _ in range(5))
    for _ in range(3):
        skill(other)
    ann = people.having("project:viewer", project_id=project)
    assert ann("GET", "/skills").json["total"] == 5
    assert ann("GET", f"/skills?project_id={other}").json["items"] == []
    first = ann("GET", "/skills?size=3&total=false").json
    rest = ann("GET", f"/skills?size=3&total=false&page_token={first['next_page_token']}").json
    assert [item["id"] for item in first["items"] + rest["items"]] == mine
    assert "next_page_token" not in rest
    stranger = people.having("project:viewer", project_id=other)
    # Case 17: somebody else's page token.
    assert stranger("GET", f"/skills?size=3&total=false&page_token={first['next_page_token']}").status_code == 400


def test_case_20_a_batch_restores_what_its_caller_may_restore_alone(
    people: People, call: Any, project: str, other: str, skill: Any
) -> None:
    lives, gone = skill(project), skill(project)
    call("DELETE", f"/skills/{gone}")
    back = [{"op": "restore", "kind": "Skill", "id": id_, "body": {"version": 1}} for id_ in (lives, gone)]
    for role, place, expected in (
        ("project:viewer", project, [403, 403]),
        ("project:owner", other, [404, 404]),
        ("project:owner", project, [200, 201]),
    ):
        who = people.having(role, project_id=place)
        alone = [who("POST", f"/skills/{o['id']}/restore?dry_run=true", json=o["body"]).status_code for o in back]
        answer = who("POST", "/batch", json={"operations": back})
        assert [result["status"] for result in answer.json["results"]] == alone == expected, role


@pytest.mark.parametrize(
    ("method", "tail", "body"),
    [
        ("GET", "", None),
        ("GET", "/history", None),
        ("GET", "?version=1", None),
        ("PATCH", "", {"description": "mine"}),
        ("DELETE", "", None),
        ("POST", "/restore", {"version": 1}),
    ],
)
def test_case_15_another_projects_id_is_answered_like_one_that_does_not_exist(
    people: People, project: str, other: str, skill: Any, method: str, tail: str, body: Any
) -> None:
    foreign = skill(other)
    ann = people.having("project:owner", project_id=project)
    answer, absent = (ann(method, f"/skills/{i}{tail}", json=body) for i in (foreign, ABSENT))
    assert words(answer, foreign) == words(absent, ABSENT)
    assert answer.status_code == 404
    assert people.admin("GET", f"/skills/{foreign}").json["version"] == 1


@pytest.mark.parametrize(
    "path", ["", "/messages", "/explain", "/agui/events", "/agui/runs", "/agui/capabilities", "/logs"]
)
def test_case_15_what_hangs_on_another_projects_session_is_not_there(
    people: People, project: str, other: str, path: str
) -> None:
    foreign = people.admin("POST", "/sessions", json={"name": "theirs", "project_id": other}).json["id"]
    ann = people.having("project:owner", project_id=project)
    answer, absent = (ann("GET", f"/sessions/{i}{path}") for i in (foreign, ABSENT))
    assert words(answer, foreign) == words(absent, ABSENT)
    for action, body in (("start", None), ("clone", None), ("messages", {"payload": "x"}), ("agui/run", {})):
        assert ann("POST", f"/sessions/{foreign}/{action}", json=body).status_code == 404


def test_who_may_see_and_not_write_is_told_so(people: People, project: str, skill: Any) -> None:
    mine = skill(project)
    viewer = people.having("project:viewer", project_id=project)
    assert viewer("GET", f"/skills/{mine}").status_code == 200
    assert viewer("PATCH", f"/skills/{mine}", json={"description": "x"}).status_code == 403
    both = people.new()
    people.give("project:viewer", both, project_id=project)
    people.give("project:owner", both, project_id=people.project())
    # May change skills, though not these.
    assert people.named(both)("PATCH", f"/skills/{mine}", json={"description": "x"}).status_code == 403
    assert people.named(both)("DELETE", f"/skills/{mine}").status_code == 403


def test_a_new_object_must_lie_in_scope_alone_in_a_batch_and_as_a_project_that_is_absent(
    people: People, project: str, other: str
) -> None:
    ann = people.having("project:editor", project_id=project)
    made = [
        ann("POST", "/skills", json={"name": f"n{secrets.token_hex(4)}", "project_id": p})
        for p in (project, other, "nix")
    ]
    assert [answer.status_code for answer in made] == [201, 403, 403]
    assert made[1].json["reason"] == made[2].json["reason"]
    places = (project, other, project)
    whole = ann("POST", "/batch", json={"atomic": True, "operations": [new_skill(place) for place in places]})
    assert whole.status_code == 403
    results = ann("POST", "/batch", json={"operations": [new_skill(place) for place in places]}).json["results"]
    assert [result["status"] for result in results] == [201, 403, 201]


def test_case_20_bulk_with_one_foreign_id_refuses_that_one_alone(
    people: People, project: str, other: str, skill: Any
) -> None:
    mine, foreign = skill(project), skill(other)
    ann = people.having("project:owner", project_id=project)
    operations = [{"op": "delete", "kind": "Skill", "id": identifier} for identifier in (foreign, mine)]
    atomic = ann("POST", "/batch", json={"atomic": True, "operations": operations})
    assert atomic.status_code == 404
    results = ann("POST", "/batch", json={"operations": operations}).json["results"]
    assert [result["status"] for result in results] == [404, 204]
    assert people.admin("GET", f"/skills/{foreign}").status_code == 200


def test_a_deletion_by_search_and_a_streamed_list_reach_what_is_in_scope(
    people: People, project: str, other: str, skill: Any
) -> None:
    mine, foreign = [skill(project), skill(project)], skill(other)
    ann = people.having("project:owner", project_id=project)
    lines = ann("GET", "/skills", headers={"Accept": "application/x-ndjson"}).data.splitlines()
    assert sorted(orjson.loads(line)["id"] for line in lines) == sorted(mine)
    answer = ann("DELETE", "/skills?search=name like 's%25'&max_affected=10")
    assert answer.json["deleted"] == 2
    assert people.admin("GET", f"/skills/{foreign}").status_code == 200


def test_a_reference_to_something_out_of_scope_is_a_reference_to_nothing(
    people: People, project: str, other: str
) -> None:
    foreign = people.admin("POST", "/sessions", json={"name": "theirs", "project_id": other}).json["id"]
    ann = people.having("project:owner", project_id=project)
    reasons = []
    for parent in (foreign, ABSENT):
        body = {"name": "mine", "project_id": project, "parent_session_id": parent}
        answer = ann("POST", "/sessions", json=body)
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "/parent_session_id")
        reasons.append(answer.json["reason"])
    assert reasons[0] == reasons[1]


def test_the_change_log_tells_what_is_in_scope(people: People, project: str, other: str, skill: Any) -> None:
    ann = people.having("project:viewer", project_id=project)
    mine = skill(project)
    skill(other)
    found = ann("GET", "/changes?kinds=Skill").json["items"]
    assert {item["project_id"] for item in found} == {project}
    assert mine in {item["object_id"] for item in found}


def test_case_19_a_role_that_is_removed_ends_the_events_of_its_scope(
    people: People, project: str, other: str, skill: Any
) -> None:
    name = people.new()
    people.give("project:viewer", name, project_id=project)
    lost = people.give("project:viewer", name, project_id=other)
    with watching(people.named(name), "/skills?watch=true") as stream:
        first = skill(other)
        stream.until(1)
        assert people.admin("DELETE", f"/role_bindings/{lost}").status_code == 204
        skill(other)
        last = skill(project)
        events = stream.until(2)
    assert told(events) == [("ADDED", first, 1), ("ADDED", last, 1)]


def test_case_23_a_cursor_of_another_session_shows_nothing_of_it(people: People, project: str, other: str) -> None:
    own, foreign = (
        people.admin("POST", "/sessions", json={"name": "s", "project_id": place, "prompt": f"of {place}"}).json["id"]
        for place in (project, other)
    )
    for text in ("first", "second"):
        people.admin("POST", f"/sessions/{foreign}/messages", json={"payload": f"{text} of {other}"})
        people.admin("POST", f"/sessions/{own}/messages", json={"payload": f"{text} of {project}"})
    theirs = people.admin("GET", "/changes?kinds=Session&size=1").json["items"][0]["cursor"]
    ann = people.having("project:viewer", project_id=project)

    def streamed(path: str, cursor: str) -> Any:
        headers = {"Accept": "text/event-stream", "Last-Event-ID": cursor}
        return ann("GET", path, headers=headers, buffered=False)

    # The number of a message of the other session is one of one's own here, if anything.
    opened = streamed(f"/sessions/{own}/messages", "1")
    pieces = b"".join(next(opened.response) for _ in range(3))
    assert pieces.count(b'"payload"') == 2
    assert other.encode() not in pieces
    opened.close()
    for cursor, status in ((theirs, 400), ("999999999999", 200), ("-1", 400), ("x", 400)):
        answer = streamed(f"/sessions/{own}/messages", cursor)
        assert answer.status_code == status, cursor
        answer.close()
    with watching(ann, "/changes?kinds=Session", Last_Event_ID=theirs) as stream:
        people.admin("PATCH", f"/sessions/{foreign}", json={"name": "t"})
        people.admin("PATCH", f"/sessions/{own}", json={"name": "t"})
        assert {event["object_id"] for event in stream.until(1)} == {own}


def test_case_21_a_header_that_contradicts_path_or_body_is_refused(
    people: People, project: str, other: str, skill: Any
) -> None:
    headers = {"X-Ambient-Project": other}
    call, mine = people.admin, skill(project)
    body = {"name": "contradicted", "project_id": project}
    assert call("POST", "/skills", json=body, headers=headers).status_code == 400
    assert call("GET", f"/skills?project_id={project}", headers=headers).status_code == 400
    assert call("GET", f"/projects/{project}", headers=headers).status_code == 400
    assert call("GET", f"/changes?project_id={project}", headers=headers).status_code == 400
    # What is not in the project that the header names is not there.
    assert call("GET", f"/skills/{mine}", headers=headers).status_code == 404
    assert call("PATCH", f"/skills/{mine}", json={"description": "x"}, headers=headers).status_code == 404
    assert call("GET", f"/skills/{mine}", headers={"X-Ambient-Project": project}).status_code == 200
    assert call("DELETE", f"/projects?search=id = '{project}'&max_affected=9", headers=headers).json["deleted"] == 0
    operations = [
        {"op": "create", "kind": "Skill", "body": body},
        {"op": "patch", "kind": "Skill", "id": mine, "body": {"description": "x"}},
        {"op": "delete", "kind": "Project", "id": project},
    ]
    results = call("POST", "/batch", json={"operations": operations}, headers=headers).json["results"]
    assert [result["status"] for result in results] == [400, 404, 400]
    assert call("GET", f"/skills/{mine}").json["version"] == 1


def test_an_ordinary_call_of_somebody_with_roles_takes_one_statement(
    people: People, project: str, skill: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = skill(project)
    ann = people.having("project:owner", project_id=project)
    monkeypatch.setattr(grants, "KEPT", 600.0)
    ann("GET", "/skills")
    run: list[str] = []
    mine_alone = threading.get_ident()

    def noted(_transaction: Any, text: str, _parameters: Any) -> None:
        # Those who watch are judged in a thread of their own.
        if threading.get_ident() == mine_alone:
            run.append(text)

    overheard(monkeypatch, noted)
    for method, path, body in (
        ("GET", "/skills", None),
        ("GET", f"/skills/{mine}", None),
        ("POST", "/skills", {"name": "one", "project_id": project}),
        ("PATCH", f"/skills/{mine}", {"description": "x"}),
    ):
        run.clear()
        assert ann(method, path, json=body).status_code in (200, 201)
        assert len(run) == 1, (method, run)
        assert "role_bindings" in run[0]


def test_the_gateway_goes_by_the_same_gate(
    people: People, project: str, other: str, settings: Settings, database_url: str, names: Any
) -> None:
    session = people.admin("POST", "/sessions", json={"name": "theirs", "project_id": other}).json["id"]
    own = replace(settings, database_url=database_url)
    gateway = create_app(own, surface="gateway", plugins=load_plugins(own, [*installed(), names]))
    name = people.new()
    people.give("project:owner", name, project_id=project)
    call = type(people.admin)(gateway.test_client(), f"person:{name}")
    for method, path in (
        ("GET", "events"),
        ("GET", "runs"),
        ("GET", "capabilities"),
        ("POST", "run"),
        ("POST", "interrupt"),
    ):
        found, absent = (
            call(method, f"/api/ambient/v1/sessions/{i}/agui/{path}", json={} if method == "POST" else None)
            for i in (session, ABSENT)
        )
        assert words(found, session) == words(absent, ABSENT)
        assert found.status_code == 404
    gateway.runtime.database.close()
