"""46: so many streams are open at once, of one caller and of one process; requests go on."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ambient_core.access.open_streams import OpenStreams
from ambient_core.app import Application
from ambient_core.identity import CONTROL_PLANE, DEVELOPER
from conftest import Caller
from tests.limits.conftest import Build

Open = Callable[..., Any]
WAYS = {
    "watch": ("/projects?watch=true", "text/event-stream"),
    "changes": ("/changes", "text/event-stream"),
    "lines": ("/projects", "application/x-ndjson"),
    "messages": ("/sessions/{session}/messages", "text/event-stream"),
    "events": ("/sessions/{session}/agui/events", "text/event-stream"),
}


@pytest.fixture
def opened() -> Iterator[Open]:
    """Streams that a test leaves open until its end."""
    answers: list[Any] = []

    def ask(call: Caller, path: str, accept: str = "text/event-stream") -> Any:
        answers.append(call("GET", path, headers={"Accept": accept}, buffered=False))
        return answers[-1]

    yield ask
    for answer in answers:
        answer.close()


@pytest.fixture
def session(call: Any, project: str) -> str:
    return str(call("POST", "/sessions", json={"name": "s", "project_id": project}).json["id"])


@pytest.mark.parametrize("way", WAYS)
def test_46_of_every_sort_one_stream_too_many_is_429_and_requests_go_on(
    build: Build, developer: Callable[[Application], Caller], opened: Open, session: str, way: str
) -> None:
    call = developer(build(principal_stream_limit=2))
    path, accept = WAYS[way]
    answers = [opened(call, path.format(session=session), accept) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["Retry-After"]) > 0
    assert "principal_stream_limit" in answers[2].json["reason"]
    assert call("GET", "/projects").status_code == 200
    answers[0].close()
    assert opened(call, path.format(session=session), accept).status_code == 200


def test_46_a_process_holds_so_many_streams_of_all(
    build: Build, developer: Callable[[Application], Caller], opened: Open
) -> None:
    call = developer(build(open_stream_limit=1))
    assert opened(call, "/changes").status_code == 200
    refused = opened(call, "/changes")
    assert (refused.status_code, "open_stream_limit" in refused.json["reason"]) == (429, True)


def test_a_run_that_could_not_be_heard_is_not_begun(
    build: Build, developer: Callable[[Application], Caller], opened: Open, session: str
) -> None:
    call = developer(build("gateway", principal_stream_limit=1))
    assert opened(call, f"/sessions/{session}/agui/events").status_code == 200
    assert call("POST", f"/sessions/{session}/agui/run", json={}).status_code == 429
    assert call("GET", f"/sessions/{session}/agui/runs").json["total"] == 0


def test_a_request_that_is_refused_after_it_was_counted_is_counted_out(
    build: Build, developer: Callable[[Application], Caller], session: str
) -> None:
    call = developer(build("gateway", principal_stream_limit=1))
    asked = [call("POST", f"/sessions/{session}/agui/run", json={}).status_code for _ in range(3)]
    assert asked == [409, 409, 409]


def test_a_stream_is_counted_out_once() -> None:
    streams = OpenStreams(most=2, most_of_one=0)
    first = streams.enter(DEVELOPER)
    first()
    first()
    assert [streams.enter(CONTROL_PLANE) is not None for _ in range(2)] == [True, True]
