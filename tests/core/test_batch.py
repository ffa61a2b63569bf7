"""A batch as a whole: its envelope, its limits, what it costs, and what a hook does to it."""

from dataclasses import replace
from typing import Any

import pytest

from ambient_core import Conflict, Kind
from tests.statements import overheard


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that a request sends."""
    found: list[str] = []
    overheard(monkeypatch, lambda _, statement, __: found.append(statement))
    return found


def create(number: int, kind: str = "User") -> dict[str, Any]:
    return {"op": "create", "kind": kind, "body": {"username": f"u{number}", "name": f"U {number}"}}


def test_five_hundred_creates_are_one_statement(call: Any, statements: list[str]) -> None:
    answer = call("POST", "/batch", json={"operations": [create(number) for number in range(1000, 1500)]})
    assert (answer.status_code, answer.json["succeeded"]) == (200, 500)
    names = [f"u{number}" for number in range(1000, 1500)]
    assert [result["body"]["username"] for result in answer.json["results"]] == names
    assert len([statement for statement in statements if "INSERT INTO users" in statement]) == 1
    assert call("GET", "/users?size=1&search=username like 'u1___'").json["total"] == 500


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"operations": {}},
        {"operations": []},
        {"operations": [create(1)] * 501},
        {"operations": [create(1)], "atomic": 1},
    ]
    + [{"operations": [create(1)], "colour": "red"}],
)
def test_an_envelope_that_cannot_be_read_is_400(call: Any, body: Any) -> None:
    answer = call("POST", "/batch", json=body)
    assert (answer.status_code, answer.json["errors"][0]["field"][:1]) == (400, "/")


def test_what_is_no_object_is_named(call: Any) -> None:
    answer = call("POST", "/batch", json={"operations": [5, None, "x"]})
    assert [result["status"] for result in answer.json["results"]] == [400, 400, 400]


def test_a_batch_has_a_limit_of_its_own(call: Any, app: Any) -> None:
    name = "x" * 255
    operations = [{**create(n), "body": {"username": f"big{n}", "name": name * 12}} for n in range(400)]
    assert call("POST", "/batch", json={"operations": operations}).status_code == 200
    raw = b" " * (app.runtime.settings.batch_body_limit + 1)
    assert call("POST", "/batch", data=raw, content_type="application/json").status_code == 413
    assert call("POST", "/users", data=b" " * 2_000_000, content_type="application/json").status_code == 413


def test_kinds_may_be_mixed_and_later_operations_see_the_earlier(call: Any) -> None:
    operations = [
        {"op": "apply", "kind": "Project", "body": {"name": "mixed"}},
        {"op": "create", "kind": "Skill", "body": {"name": "s", "project_id": "mixed"}},
        {"op": "create", "kind": "Session", "body": {"name": "t", "project_id": "mixed", "prompt": "Look."}},
        {"op": "apply", "kind": "Skill", "body": {"name": "s", "project_id": "mixed", "description": "new"}},
        {"op": "apply", "kind": "Skill", "body": {"name": "s", "project_id": "mixed", "description": "new"}},
    ]
    results = call("POST", "/batch", json={"operations": operations, "atomic": True}).json["results"]
    assert [result["status"] for result in results] == [201, 201, 201, 200, 200]
    assert [result.get("outcome") for result in results] == ["created", None, None, "patched", "unchanged"]
    assert len(call("GET", f"/sessions/{results[2]['body']['id']}/messages").json["items"]) == 1


def test_apply_does_not_change_what_is_fixed_and_takes_no_defaults(call: Any) -> None:
    call("POST", "/projects", json={"name": "fixed"})
    assert call("POST", "/batch", json={"operations": [
        {"op": "apply", "kind": "Project", "body": {"name": "fixed", "labels": {"a": "1"}}},
        {"op": "apply", "kind": "Project", "body": {"name": "fixed", "labels": {"b": "2"}}},
    ]}).json["results"][1]["body"]["labels"] == {"a": "1", "b": "2"}  # fmt: skip


def test_apply_to_what_must_exist_makes_nothing(call: Any) -> None:
    operations = [{"op": "apply", "kind": "Project", "body": {"name": "never"}, "if_match": "*"}]
    assert call("POST", "/batch", json={"operations": operations}).json["results"][0]["status"] == 412
    assert call("GET", "/projects/never").status_code == 404


def test_a_hook_that_refuses_one_refuses_that_one_and_a_broken_one_too(
    call: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def veto(kind: Kind, verb: str, row: dict[str, Any], principal: Any) -> None:
        if row["username"] == "u9001":
            raise Conflict("Not this one.")
        if row["username"] == "u9002":
            raise RuntimeError("secret detail")

    monkeypatch.setattr(app, "runtime", replace(app.runtime, before_write=(("veto", veto),)))
    answer = call("POST", "/batch", json={"operations": [create(number) for number in (9000, 9001, 9003)]})
    assert [result["status"] for result in answer.json["results"]] == [201, 409, 201]
    single = [create(9002), {"op": "delete", "kind": "User", "id": "nobody"}, create(9004)]
    answer = call("POST", "/batch", json={"operations": single})
    assert [result["status"] for result in answer.json["results"]] == [500, 404, 201]
    assert "secret" not in answer.text


def test_many_who_apply_the_same_at_once_make_one(app: Any, call: Any) -> None:
    import threading

    outcomes: list[Any] = []

    def send() -> None:
        body = {"operations": [{"op": "apply", "kind": "User", "body": {"username": "same", "name": "same"}}]}
        answer = app.test_client().post("/api/ambient/v1/batch", json=body, headers=call.headers)
        outcomes.append(answer.json["results"][0].get("outcome", answer.json))

    threads = [threading.Thread(target=send) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["created"] + ["unchanged"] * 11


def test_21_a_project_header_that_contradicts_an_operation_is_named(call: Any, project: str) -> None:
    operations = [
        {"op": "patch", "kind": "Project", "id": project, "body": {"description": "x"}},
        {"op": "delete", "kind": "Project", "id": project},
        {"op": "create", "kind": "Skill", "body": {"name": "elsewhere", "project_id": project}},
    ]
    answer = call("POST", "/batch", json={"operations": operations}, headers={"X-Ambient-Project": "another"})
    assert [result["status"] for result in answer.json["results"]] == [400, 400, 400]
    same = call("POST", "/batch", json={"operations": operations[:1]}, headers={"X-Ambient-Project": project})
    assert same.json["succeeded"] == 1


def test_a_batch_waits_for_others_and_is_503_when_they_take_too_long(
    call: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = replace(app.runtime.settings, pool_timeout=0.1)
    monkeypatch.setattr(app, "runtime", replace(app.runtime, settings=impatient))
    turns = app.runtime.batches
    taken = [turns.acquire() for _ in range(app.runtime.settings.batch_limit)]
    refused = call("POST", "/batch", json={"operations": [create(990)]})
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    for _ in taken:
        turns.release()
    assert call("POST", "/batch", json={"operations": [create(990)]}).status_code == 200
