"""What callers give the gateway: what reaches the runner, and what is refused by name."""

import json
from typing import Any

import pytest

from .conftest import Running, ScriptedRunner, event


def test_a_run_hears_every_message_that_none_has_heard(session: Running, runner: ScriptedRunner, call: Any) -> None:
    def finish(handler: Any) -> None:
        asked = {name: json.loads(runner.requests[-1][3])[name] for name in ("threadId", "runId")}
        handler.stream(event("RUN_STARTED", **asked), event("RUN_FINISHED", **asked))

    runner.script = finish
    first, second, third = (
        call("POST", f"/sessions/{session.id}/messages", json={"payload": text}).json["id"] for text in "abc"
    )
    heard = []
    for message in (second, third):
        assert session.post(json={"runId": message}).status_code == 200
        heard.append([(m["id"], m["content"]) for m in json.loads(runner.requests[-1][3])["messages"]])
    assert heard == [[(first, "a"), (second, "b")], [(first, "a"), (second, "b"), (third, "c")]]


@pytest.mark.parametrize(
    "said",
    [
        {"reason": "no", "errors": [{"field": "/messages/0/content", "reason": "Field required"}]},
        {"detail": [{"loc": ["body", "messages", 0, "content"], "msg": "Field required"}]},
    ],
)
def test_an_input_that_the_runner_does_not_take_is_the_callers_fault(
    session: Running, runner: ScriptedRunner, said: Any
) -> None:
    runner.script = lambda h: h.answer(422, json.dumps(said).encode(), "application/json")
    answer = session.post(json={"messages": [{"id": "u", "role": "user"}]})
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"field": "/messages/0/content", "rule": "runner", "reason": "Field required"}]
    assert session.get("runs").json()["total"] == 0


@pytest.mark.parametrize("body", [b"oops", b"[]", b'{"errors": [1], "detail": {}}', b"x" * 70000])
def test_a_refusal_without_a_fault_that_has_a_name_is_the_runners(
    session: Running, runner: ScriptedRunner, body: bytes
) -> None:
    runner.script = lambda h: h.answer(422, body, "application/json")
    assert session.post(json={}).status_code == 502


@pytest.mark.parametrize(("body", "field"), [([], ""), ({"runId": 5}, "/runId")])
def test_an_interrupt_of_nothing_that_can_be_is_refused(session: Running, body: Any, field: str) -> None:
    answer = session.post("interrupt", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


def test_a_cursor_is_refused_by_the_name_under_which_it_came(session: Running) -> None:
    for options in ({"params": {"after": "x"}}, {"headers": {"Last-Event-ID": "x"}}):
        answer = session.get("events", **options)
        name = "after" if "params" in options else "Last-Event-ID"
        assert (answer.status_code, answer.json()["reason"].split()[0]) == (400, name)
