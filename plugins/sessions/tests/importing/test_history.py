"""The messages of a legacy session, from whatever is left of its events."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from ambient_sessions.importing.carry import pieces
from ambient_sessions.importing.history import ExportFolder, LegacyBackend, messages_of, read_events

START = {"type": "TEXT_MESSAGE_START", "messageId": "a1", "role": "assistant"}
DELTAS = [{"type": "TEXT_MESSAGE_CONTENT", "messageId": "a1", "delta": text} for text in ("All ", "fine.")]
SNAPSHOT = {
    "type": "MESSAGES_SNAPSHOT",
    "messages": [
        {"id": "u1", "role": "user", "content": "Look."},
        {"id": "a1", "role": "assistant", "content": "All fine."},
        {"id": "t1", "role": "tool", "content": "4 files"},
    ],
}
SAID = [{"event_type": "user", "payload": "Look."}, {"event_type": "assistant", "payload": "All fine."}]


@pytest.mark.parametrize(
    "events",
    [
        [SNAPSHOT],
        [{**SNAPSHOT, "messages": SNAPSHOT["messages"][:1]}, START, *DELTAS],
        [{**SNAPSHOT, "messages": SNAPSHOT["messages"][:1]}, START, *DELTAS, SNAPSHOT],
        [SNAPSHOT, SNAPSHOT],
    ],
)
def test_each_message_is_said_once_whether_deltas_or_a_snapshot_tell_of_it(events: list[Any]) -> None:
    assert messages_of(events) == SAID


def test_what_is_no_message_of_a_person_or_the_agent_is_left_out() -> None:
    tool = [
        {"type": "TOOL_CALL_START", "toolCallId": "t"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "x", "delta": ""},
    ]
    system = {"type": "TEXT_MESSAGE_START", "messageId": "s", "role": "system"}
    assert messages_of([*tool, system, {"type": "TEXT_MESSAGE_CONTENT", "messageId": "s", "delta": "hidden"}]) == []


def test_a_message_has_the_time_at_which_it_began_where_that_is_kept() -> None:
    timed = [
        {**START, "timestamp": 1769860800000},
        {**DELTAS[0], "timestamp": 1769860801000},
        {**SNAPSHOT, "timestamp": 1769860900000},
    ]
    told = messages_of(timed)
    assert [message.get("created_at") for message in told] == ["2026-01-31T12:00:00+00:00", None]


def test_nonsense_among_the_events_is_passed_by() -> None:
    nonsense = [{}, {"type": "MESSAGES_SNAPSHOT", "messages": ["x", None, {"role": "user"}]}, {"type": 7}]
    assert messages_of([*nonsense, {**START, "timestamp": 1e300}, {**DELTAS[0], "delta": 5}])[0]["payload"] == "5"


def test_content_in_parts_is_one_text() -> None:
    message = {
        "id": "u",
        "role": "user",
        "content": [{"type": "text", "text": "Look "}, {"type": "text", "text": "here."}],
    }
    assert messages_of([{"type": "MESSAGES_SNAPSHOT", "messages": [message]}])[0]["payload"] == "Look here."


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(json.dumps(e) for e in (START, SNAPSHOT)),
        json.dumps([START, SNAPSHOT]),
        json.dumps({"aguiEvents": [START, SNAPSHOT]}),
    ],
)
def test_events_are_read_from_lines_a_list_or_an_export(text: str) -> None:
    assert read_events(text) == [START, SNAPSHOT]


@pytest.mark.parametrize(
    ("text", "words"), [('{"type": 1}\nnot json', "line 2"), ("[1]", "no event"), ('"text"', "no event")]
)
def test_what_cannot_be_read_says_where(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_events(text)


@pytest.mark.parametrize("place", ["web/s.jsonl", "web/s/agui-events.jsonl", "sessions/s/agui-events.jsonl"])
def test_a_folder_is_searched_from_the_exact_to_the_vague(tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(SNAPSHOT))
    folder = ExportFolder(tmp_path)
    assert folder.events("web", "s") == [SNAPSHOT]
    assert folder.events("web", "other") is None
    folder.ambiguous = frozenset({"s"})
    assert (folder.events("web", "s") is None) == place.startswith("sessions")


@pytest.fixture
def backend() -> Any:
    """A legacy backend that knows one session."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == "/api/projects/web/agentic-sessions/s/export"
            allowed = self.headers["Authorization"] == "Bearer secret"
            self.send_response((200 if known else 404) if allowed else 403)
            self.end_headers()
            self.wfile.write(json.dumps({"aguiEvents": [SNAPSHOT]}).encode())

        def log_message(self, *_: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_legacy_backend_is_asked_for_its_export(backend: str) -> None:
    history = LegacyBackend(backend, "secret")
    assert history.events("web", "s") == [SNAPSHOT]
    assert history.events("web", "unknown") is None
    history.close()


def test_a_backend_that_refuses_or_is_away_is_named(backend: str) -> None:
    for url, words in ((backend, "answers 403"), ("http://127.0.0.1:1", "does not answer: ConnectError")):
        history = LegacyBackend(url, "wrong")
        with pytest.raises(ValueError, match=words):
            history.events("web", "s")
        history.close()


def test_messages_go_in_pieces_that_a_request_may_hold() -> None:
    small = [{"event_type": "user", "payload": "x"}] * 450
    assert [len(piece) for piece in pieces(small)] == [200, 200, 50]
    large = [{"event_type": "user", "payload": "x" * 300_000}] * 3
    assert [len(piece) for piece in pieces(large)] == [1, 1, 1]
    assert list(pieces([])) == []
