"""The gateway against runners that behave and runners that do not: always one valid stream, always an end."""

import json
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from ambient_sessions.agui.log import Log

from .conftest import BYE, FINISHED, HELLO, STARTED, TOKEN, Running, ScriptedRunner, event, events_of


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [entry["type"] for entry in events]


def test_a_run_is_stored_and_shown(session: Running, runner: ScriptedRunner, call: Any) -> None:
    runner.script = lambda h: h.stream(STARTED, *HELLO, BYE, FINISHED)
    events = session.run()
    assert kinds(events) == [
        "RUN_STARTED",
        "TEXT_MESSAGE_START",
        "TEXT_MESSAGE_CONTENT",
        "TEXT_MESSAGE_END",
        "RUN_FINISHED",
    ]
    row = call("GET", f"/sessions/{session.id}").json
    assert (row["run_id"], row["run_state"]) == ("r", "finished")
    assert session.get("runs").json()["items"][0] | {"started_at": "", "ended_at": ""} == {
        "run_id": "r", "state": "finished", "first_seq": 1, "last_seq": 5, "started_at": "", "ended_at": "",
    }  # fmt: skip


def test_the_same_run_id_attaches_and_asks_the_runner_once(session: Running, runner: ScriptedRunner) -> None:
    runner.script = lambda h: h.stream(STARTED, FINISHED)
    assert session.run() == session.run()
    assert len(runner.requests) == 1


def test_a_run_that_is_repeated_with_its_key_is_the_same_run(session: Running, runner: ScriptedRunner) -> None:
    runner.script = lambda h: h.stream(STARTED, FINISHED)
    key = {"Idempotency-Key": "run-1"}
    first, again = (session.post(json={"messages": []}, headers=key) for _ in range(2))
    assert (events_of(again.text), again.headers["Idempotency-Replayed"]) == (events_of(first.text), "true")
    assert kinds(events_of(first.text)) == ["RUN_STARTED", "RUN_FINISHED"]
    assert (len(runner.requests), session.get("runs").json()["total"]) == (1, 1)
    other = session.post(json={"messages": [{"id": "u", "role": "user"}]}, headers=key)
    assert (other.status_code, len(runner.requests)) == (422, 1)


def test_a_run_that_is_repeated_while_it_is_on_is_joined(session: Running, runner: ScriptedRunner) -> None:
    key = {"Idempotency-Key": "run-2"}
    with Held(session, runner, **key) as held:
        url, headers = f"{session.url}/run", {**session.headers, **key}
        with httpx.stream("POST", url, json=held.body, headers=headers, timeout=30, trust_env=False) as answer:
            assert answer.headers["Idempotency-Replayed"] == "true"
            held.go.set()
            joined = answer.read().decode()
    assert events_of(joined) == events_of(held.text)


def test_a_run_whose_runner_did_not_answer_leaves_its_key_free(session: Running, runner: ScriptedRunner) -> None:
    key = {"Idempotency-Key": "run-3"}
    runner.script = lambda h: h.answer(500, b"oops", "text/plain")
    assert session.post(json={}, headers=key).status_code == 502
    runner.script = lambda h: h.stream(STARTED, FINISHED)
    answer = session.post(json={"messages": [{"id": "u", "role": "user"}]}, headers=key)
    assert (answer.status_code, "Idempotency-Replayed" in answer.headers) == (200, False)


def test_a_key_whose_run_was_never_opened_starts_it(session: Running, runner: ScriptedRunner, app: Any) -> None:
    runner.script = lambda h: h.stream(STARTED, FINISHED)
    key = {"Idempotency-Key": "run-4"}
    session.post(json={}, headers=key)
    with app.runtime.database.transaction() as transaction:
        # As after a process that was killed between claiming a run and opening it.
        transaction.raw("DELETE FROM agui_runs WHERE session_id = %(id)s", {"id": session.id})
    answer = session.post(json={}, headers=key)
    assert ("Idempotency-Replayed" in answer.headers, len(runner.requests)) == (False, 2)


def test_no_credential_and_no_header_crosses_the_gateway(session: Running, runner: ScriptedRunner) -> None:
    runner.script = lambda h: h.stream(
        STARTED, FINISHED, Set_Cookie="evil=1", Access_Control_Allow_Origin="*", Location="http://evil.example"
    )
    answer = session.post(json={"runId": "r"}, headers={"Cookie": "secret=1", "X-Forwarded-For": "1.2.3.4"})
    seen = {name.lower(): value for name, value in runner.requests[0][2].items()}
    assert not {"authorization", "cookie", "x-forwarded-for"} & set(seen)
    assert seen["x-ambient-session-token"] == TOKEN
    assert session.headers["Authorization"].split()[1] not in str(runner.requests)
    assert not {"set-cookie", "access-control-allow-origin", "location"} & {name.lower() for name in answer.headers}


@pytest.mark.parametrize(
    ("script", "status"),
    [
        (lambda h: h.answer(500, b"oops", "text/plain"), 502),
        (lambda h: h.answer(200, b"<html>", "text/html"), 502),
        (lambda h: h.answer(302, b"", "text/plain", Location="http://169.254.169.254/"), 502),
        (lambda h: h.connection.close(), 502),
    ],
    ids=["500", "html", "redirect", "closed"],
)
def test_a_runner_that_fails_before_the_stream_is_an_error_and_no_run(
    session: Running, runner: ScriptedRunner, script: Any, status: int
) -> None:
    runner.script = script
    answer = session.post(json={"runId": "r"})
    assert (answer.status_code, answer.json()["kind"]) == (status, "Error")
    assert session.get("runs").json()["total"] == 0
    runner.script = lambda h: h.stream(STARTED, FINISHED)
    assert kinds(session.run()) == ["RUN_STARTED", "RUN_FINISHED"]


def test_a_runner_that_is_not_there_is_503(session: Running, runner: ScriptedRunner) -> None:
    runner.close()
    answer = session.post(json={"runId": "r"})
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    runner.server.server_close()


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ((STARTED, *HELLO), "runner_lost"),
        ((STARTED, b"data: {no json}\n\n"), "bad_event"),
        ((STARTED, b"data: []\n\n"), "bad_event"),
        ((STARTED, b"data: " + b"x" * (9 * 1024 * 1024) + b"\n\n"), "frame_too_large"),
        ((b"",), "runner_lost"),
    ],
    ids=["cut", "no json", "no object", "too large", "nothing"],
)
def test_a_stream_that_breaks_ends_with_an_error(
    session: Running, runner: ScriptedRunner, parts: tuple[bytes, ...], code: str
) -> None:
    runner.script = lambda h: h.stream(*parts)
    events = session.run()
    assert (events[0]["type"], events[-1]["type"], events[-1]["code"]) == ("RUN_STARTED", "RUN_ERROR", code)
    assert kinds(events).count("RUN_ERROR") == 1


def test_strange_framing_is_read_and_sent_strictly(session: Running, runner: ScriptedRunner) -> None:
    strange = b'\xef\xbb\xbf: comment\r\nevent: x\r\ndata: {"type": "RUN_STARTED",\r\ndata: "threadId": "t", "runId": "r"}\r\n\r\n'
    forged = event("CUSTOM", name="x", value='\n\ndata: {"type": "RUN_ERROR"}\n\n')
    runner.script = lambda h: h.stream(strange[:20], strange[20:], forged, FINISHED.replace(b"\n", b"\r"))
    answer = session.post(json={"runId": "r"})
    assert "\r" not in answer.text
    assert kinds(events_of(answer.text)) == ["RUN_STARTED", "CUSTOM", "RUN_FINISHED"]


def test_what_a_runner_leaves_open_or_out_is_mended(session: Running, runner: ScriptedRunner) -> None:
    runner.script = lambda h: h.stream(*HELLO, FINISHED, STARTED, event("CUSTOM", name="late", value=1))
    assert kinds(session.run()) == [
        "RUN_STARTED",
        "TEXT_MESSAGE_START",
        "TEXT_MESSAGE_CONTENT",
        "TEXT_MESSAGE_END",
        "RUN_FINISHED",
    ]


def test_unknown_events_and_fields_pass_untouched(session: Running, runner: ScriptedRunner) -> None:
    runner.script = lambda h: h.stream(STARTED, event("NEWS_OF_TOMORROW", payload={"a": [1, None]}), FINISHED)
    assert session.run()[1] == {"type": "NEWS_OF_TOMORROW", "payload": {"a": [1, None]}}


class Held:
    """A run that waits in the middle until it is let go."""

    def __init__(self, session: Running, runner: ScriptedRunner, run_id: str = "r", **headers: str) -> None:
        self.go = threading.Event()
        runner.script = self.play
        self.session = session
        self.body = {"runId": run_id, "messages": [{"id": "u", "role": "user", "content": "hi"}]}
        self.headers = headers
        self.text = ""
        self.thread = threading.Thread(target=self.watch)

    def play(self, handler: Any) -> None:
        handler.stream(STARTED, *HELLO)
        self.go.wait(30)
        for part in (BYE, FINISHED):
            handler.wfile.write(part)

    def watch(self) -> None:
        self.text = self.session.post(json=self.body, headers=self.headers).text

    def __enter__(self) -> "Held":
        self.thread.start()
        while "TEXT_MESSAGE_CONTENT" not in tail(self.session, 3):
            pass
        while self.session.get("runs").json()["items"][0]["run_id"] != self.body["runId"]:
            pass
        return self

    def __exit__(self, *_: object) -> None:
        self.go.set()
        self.thread.join(30)


def tail(session: Running, count: int) -> str:
    """The first events of the session, without waiting for its end."""
    found = ""
    with httpx.stream("GET", f"{session.url}/events", headers=session.headers, timeout=10, trust_env=False) as answer:
        for line in answer.iter_lines():
            found += line + "\n"
            if found.count("data: ") >= count:
                return found
    return found


def test_a_second_run_is_refused_while_one_is_on(session: Running, runner: ScriptedRunner) -> None:
    with Held(session, runner):
        answer = session.post(json={"runId": "other"})
        assert (answer.status_code, answer.headers["Retry-After"]) == (409, "1")
        assert "'r' is active" in answer.json()["reason"]


def test_a_viewer_that_leaves_does_not_end_the_run(session: Running, runner: ScriptedRunner, call: Any) -> None:
    with Held(session, runner) as held:
        with httpx.stream(
            "POST", f"{session.url}/run", json={"runId": "r"}, headers=session.headers, trust_env=False
        ) as answer:
            next(answer.iter_bytes())
    assert kinds(events_of(held.text))[-1] == "RUN_FINISHED"


def test_attaching_in_the_middle_begins_with_a_snapshot_and_reopens(session: Running, runner: ScriptedRunner) -> None:
    with Held(session, runner) as held:
        found: list[dict[str, Any]] = []
        with httpx.stream(
            "GET", f"{session.url}/events?attach=true", headers=session.headers, timeout=20, trust_env=False
        ) as answer:
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    found.append(json.loads(line[6:]))
                if len(found) == 3:
                    held.go.set()
    assert kinds(found) == [
        "RUN_STARTED",
        "MESSAGES_SNAPSHOT",
        "TEXT_MESSAGE_START",
        "TEXT_MESSAGE_END",
        "RUN_FINISHED",
    ]
    assert [(m["role"], m["content"]) for m in found[1]["messages"]] == [("user", "hi"), ("assistant", "hello")]


@pytest.mark.slow
def test_an_interrupt_reaches_the_runner_and_ends_the_run_anyway(
    session: Running, runner: ScriptedRunner, call: Any
) -> None:
    with Held(session, runner) as held:
        assert session.post("interrupt", json={"runId": "another"}).json()["interrupted"] is False
        assert session.post("interrupt").json() == {"state": "interrupting", "interrupted": True}
        assert runner.interrupted.wait(30)
        held.thread.join(30)
    assert events_of(held.text)[-1]["outcome"] == {"type": "cancelled"}
    assert kinds(events_of(held.text))[-2] == "TEXT_MESSAGE_END"
    assert call("GET", f"/sessions/{session.id}").json["run_state"] == "cancelled"
    assert session.post("interrupt").json() == {"state": "idle", "interrupted": False}


def test_a_runner_that_ends_an_interrupted_run_without_a_word_has_cancelled_it(
    session: Running, runner: ScriptedRunner, call: Any
) -> None:
    with Held(session, runner) as held:
        assert session.post("interrupt").json()["interrupted"] is True
        held.go.set()
        held.thread.join(30)
    assert events_of(held.text)[-1]["outcome"] == {"type": "cancelled"}
    assert call("GET", f"/sessions/{session.id}").json["run_state"] == "cancelled"


def test_an_interrupt_that_is_repeated_with_its_key_leaves_the_next_run_alone(
    session: Running, runner: ScriptedRunner
) -> None:
    key = {"Idempotency-Key": "stop-1"}
    with Held(session, runner):
        first = session.post("interrupt", headers=key)
        assert runner.interrupted.wait(30)
    runner.interrupted.clear()
    with Held(session, runner, run_id="next"):
        again = session.post("interrupt", headers=key)
        assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
        assert session.post("interrupt", json={"runId": "next"}, headers=key).status_code == 422
        assert not runner.interrupted.is_set()


def test_a_run_whose_process_is_gone_is_closed_by_another(
    session: Running, runner: ScriptedRunner, app: Any, call: Any
) -> None:
    with app.runtime.database.transaction() as transaction:
        log = Log(transaction, session.id)
        assert log.claim("lost", []) is None
        log.opened("lost")
        log.append("lost", [{"type": "RUN_STARTED", "threadId": "t", "runId": "lost"}])
        transaction.raw(
            "UPDATE agui_threads SET owner = 'gone', lease_until = now() - interval '1 second' WHERE session_id = %(id)s",
            {"id": session.id},
        )
    runner.script = lambda h: h.stream(STARTED, FINISHED)
    assert kinds(session.run("next")) == ["RUN_STARTED", "RUN_FINISHED"]
    with app.runtime.database.transaction() as transaction:
        stored = [json.loads(data) for _, data in Log(transaction, session.id).read(0)]
    assert [(e["type"], e.get("code")) for e in stored][:2] == [("RUN_STARTED", None), ("RUN_ERROR", "interrupted")]


def test_a_session_that_does_not_run_takes_no_run(call: Any, project: str, gateway: str) -> None:
    identifier = call("POST", "/sessions", json={"name": "s", "project_id": project}).json["id"]
    answer = Running(identifier, gateway, call.headers).post(json={})
    assert (answer.status_code, "not started" in answer.json()["reason"]) == (409, True)
    assert Running("nope", gateway, call.headers).post(json={}).status_code == 404


@pytest.mark.parametrize(
    "body", [[], {"messages": 1}, {"messages": [1]}, {"runId": ""}, {"runId": 1}, {"threadId": "x" * 300}]
)
def test_a_run_input_that_is_none_is_refused(session: Running, body: Any) -> None:
    assert session.post(json=body).status_code == 400


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=99", "attach=maybe", "other=1"])
def test_a_bad_cursor_is_refused(session: Running, query: str) -> None:
    assert session.get(f"events?{query}").status_code == 400


def test_case_23_a_cursor_of_another_session_shows_ones_own_events_alone(
    running: Callable[[], Running], runner: ScriptedRunner
) -> None:
    mine, other = running(), running()
    for one, word in ((mine, "mine"), (other, "theirs")):
        said = event("TEXT_MESSAGE_CONTENT", messageId="m", delta=word)
        runner.script = lambda h, said=said: h.stream(STARTED, HELLO[0], said, BYE, FINISHED)  # type: ignore[misc]
        one.run()
    other.run("again")
    shown = ""
    with httpx.stream(
        "GET", f"{mine.url}/events", headers={**mine.headers, "Last-Event-ID": "1"}, trust_env=False
    ) as answer:
        for line in answer.iter_lines():
            shown += line
            if "RUN_FINISHED" in line:
                break
    assert ("mine" in shown, "theirs" in shown) == (True, False)
    # The other one has more events than this one.
    assert mine.get("events", headers={"Last-Event-ID": "10"}).status_code == 400


def test_capabilities_are_the_runners_with_ours_on_top(session: Running) -> None:
    assert session.get("capabilities").json() == {
        "identity": {"name": "scripted"},
        "transport": {"streaming": True, "resumable": True},
    }


@pytest.mark.parametrize(
    "host",
    ["evil.example", "169.254.169.254", "10.0.0.1", "127.0.0.1@evil.example", "a.b.svc.evil.example", "x#y.svc", ""],
)
def test_an_endpoint_elsewhere_is_impossible(control_plane: Any, session: Running, host: str) -> None:
    body = {"starts": 1, "host": host, "port": 80, "token": "x"}
    assert control_plane("PATCH", f"/sessions/{session.id}/endpoint", json=body).status_code == 400


def test_only_the_control_plane_writes_endpoints_status_and_tokens(call: Any, session: Running) -> None:
    assert (
        call(
            "PATCH",
            f"/sessions/{session.id}/endpoint",
            json={"starts": 1, "host": "127.0.0.1", "port": 1, "token": "x"},
        ).status_code
        == 403
    )
    assert call("PATCH", f"/sessions/{session.id}/status", json={"starts": 1, "phase": "Failed"}).status_code == 403
    assert call("POST", f"/sessions/{session.id}/token").status_code == 403


def test_31_a_status_of_an_earlier_start_or_against_the_table_is_refused(control_plane: Any, session: Running) -> None:
    def status(**body: Any) -> Any:
        return control_plane("PATCH", f"/sessions/{session.id}/status", json=body)

    assert "another start" in status(starts=7, phase="Failed").json["reason"]
    assert "Running cannot become Pending" in status(starts=1, phase="Pending").json["reason"]
    assert status(starts=1, phase="Nonsense").status_code == 400
    assert status(starts=1, phase="Completed").status_code == 200
    assert "nothing but a new start" in status(starts=1, phase="Running").json["reason"]
