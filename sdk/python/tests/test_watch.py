"""Watches of the SDK against a server that breaks off, lies and forgets, and against the real one."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ambient_sdk import AmbientClient, BadAnswer, BadRequest, ConnectionFailed, Gone, NotFound, Unauthenticated
from ambient_sdk.watch import frames

from sdk.python.tests.test_sdk import SKILL, Hostile, Reply, client, hostile, real, reply, waits

__all__ = ["client", "hostile", "real", "waits"]


def event(kind: str, cursor: str | None = None, **object_: Any) -> bytes:
    body: dict[str, Any] = {"type": kind}
    if cursor:
        body["cursor"] = cursor
    if kind not in ("BOOKMARK", "ERROR"):
        content = {**SKILL, **object_}
        body |= {"kind": "Skill", "object_id": content["id"], "version": content["version"], "object": content}
    head = f"id: {cursor}\n" if cursor else ""
    return f"{head}event: {kind}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n".encode()


def stream(*events: bytes) -> Reply:
    return reply(200, b": connected\n\n" + b"".join(events), Content_Type="text/event-stream")


def failure(status: int) -> bytes:
    body = {"type": "ERROR", "status": status, "object": {"kind": "Error", "reason": "why", "code": "c"}}
    return f"event: ERROR\ndata: {json.dumps(body)}\n\n".encode()


def first(watch: Iterator[Any], count: int) -> list[tuple[str, str]]:
    return [(e.type, e.id) for _, e in zip(range(count), watch, strict=False)]


def asked(hostile: Hostile) -> list[tuple[str | None, bool]]:
    """(Last-Event-ID, whether the present objects were asked for) of each request."""
    return [(headers.get("Last-Event-ID"), "initial=true" in path) for _, path, headers, _ in hostile.requests]


def test_a_watch_that_breaks_off_goes_on_after_the_last_event(client: AmbientClient, hostile: Hostile) -> None:
    hostile.replies = [
        stream(event("BOOKMARK", "c0"), event("ADDED", "c1", id="1")),
        None,
        reply(503, {}, Retry_After="1"),
        stream(event("MODIFIED", "c2", id="1"), failure(503)),
        stream(event("DELETED", "c3", id="1")),
    ]
    watch = client.skills.watch(search="name = 'n'")
    assert first(watch, 3) == [("ADDED", "1"), ("MODIFIED", "1"), ("DELETED", "1")]
    assert [cursor for cursor, _ in asked(hostile)] == [None, "c1", "c1", "c1", "c2"]
    assert "watch=true" in hostile.requests[0][1]
    watch.close()


def test_a_watch_that_the_server_has_forgotten_says_so_and_begins_anew(client: AmbientClient, hostile: Hostile) -> None:
    hostile.replies = [
        stream(event("ADDED", "c1", id="1")),
        reply(410, {"code": "ambient-api-server-410"}),
        stream(event("ADDED", id="2"), event("BOOKMARK", "c9"), event("MODIFIED", "c10", id="2")),
    ]
    watch = client.skills.watch(since="c0")
    assert first(watch, 4) == [("ADDED", "1"), ("RESET", ""), ("ADDED", "2"), ("MODIFIED", "2")]
    assert asked(hostile) == [("c0", False), ("c1", False), (None, True)]


def test_changes_by_actor_cannot_begin_anew(client: AmbientClient, hostile: Hostile) -> None:
    hostile.replies = [reply(410, {"code": "ambient-api-server-410"})]
    with pytest.raises(Gone):
        next(client.changes.watch(since="c0", actor="person:developer"))


def test_present_objects_that_came_in_part_come_again_as_a_whole(client: AmbientClient, hostile: Hostile) -> None:
    hostile.replies = [
        stream(event("ADDED", id="1")),
        stream(event("ADDED", id="1"), event("ADDED", id="2"), event("BOOKMARK", "c5")),
        stream(event("DELETED", "c6", id="1")),
    ]
    watch = client.skills.watch(initial=True, bookmarks=True)
    assert first(watch, 6) == [
        ("ADDED", "1"),
        ("RESET", ""),
        ("ADDED", "1"),
        ("ADDED", "2"),
        ("BOOKMARK", ""),
        ("DELETED", "1"),
    ]
    assert asked(hostile) == [(None, True), (None, True), ("c5", False)]


@pytest.mark.parametrize("as_event", [False, True])
@pytest.mark.parametrize(("status", "error"), [(401, Unauthenticated), (400, BadRequest)])
def test_what_repeating_cannot_cure_ends_the_watch(
    client: AmbientClient, hostile: Hostile, status: int, error: type[Exception], as_event: bool
) -> None:
    hostile.replies = [stream(failure(status)) if as_event else reply(status, {"reason": "why"})]
    with pytest.raises(error, match="why"):
        next(client.skills.watch())
    assert len(hostile.requests) == 1


@pytest.mark.parametrize(
    "body", [b"data: <html>\n\n", b"data: []\n\n", b'data: {"type":"ADDED","object":{"id":"1"}}\n\n']
)
def test_an_event_that_is_none_is_a_bad_answer(client: AmbientClient, hostile: Hostile, body: bytes) -> None:
    hostile.replies = [stream(body)]
    with pytest.raises(BadAnswer):
        next(client.skills.watch())
    hostile.replies = [reply(200, b"<html>", Content_Type="text/html")]
    with pytest.raises(BadAnswer, match="no event stream"):
        next(client.skills.watch())


def test_a_server_that_never_comes_back_is_given_up_in_the_end(
    client: AmbientClient, hostile: Hostile, waits: list[float]
) -> None:
    hostile.replies = [reply(503, {}, Retry_After="30")]
    with pytest.raises(ConnectionFailed, match="503"):
        next(client.skills.watch())
    assert sum(waits) > 300


def test_events_in_any_pieces_are_read_whole_and_odd_line_ends_in_them_are_text() -> None:
    raw = (
        event("ADDED", "c1", prompt="one\u2028two\x0bthree\x85") + b": comment\r\n\r\n" + b"event: X\r\ndata: a\r\n\r\n"
    )
    whole = list(frames(iter([raw])))
    assert [name for name, _ in whole] == ["ADDED", "X"]
    assert json.loads(whole[0][1])["object"]["prompt"] == "one\u2028two\x0bthree\x85"
    assert list(frames(raw[n : n + 1] for n in range(len(raw)))) == whole


def test_the_real_server_is_watched_asked_for_its_past_and_restores(real: Any, project: str) -> None:
    with real() as client, client.skills.watch(project_id=project, initial=True, bookmarks=True) as watch:
        assert next(watch).type == "BOOKMARK"
        made = client.skills.create(name="w", project_id=project, prompt="a")
        patched = client.skills.patch(made.id, prompt="b")
        restored = client.skills.restore(made.id, version=1)
        seen = [next(watch) for _ in range(3)]
        assert [(e.type, e.object.prompt, e.version) for e in seen] == [
            ("ADDED", "a", 1),
            ("MODIFIED", "b", 2),
            ("MODIFIED", "a", 3),
        ]
        assert restored.version == 3
        assert client.skills.get(made.id, version=2).prompt == "b"
        assert client.skills.get(made.id, as_of=patched.updated_at).prompt == "b"
        entries = client.skills.history(made.id, size=1).items
        assert (entries[0].verb, entries[0].diff[0].to_dict()["op"]) == ("restore", "replace")
        with pytest.raises(NotFound):
            client.skills.get(made.id, version=9)


def test_the_log_of_the_real_server_is_listed_and_watched_from_where_the_list_ended(real: Any, project: str) -> None:
    with real() as client:
        made = [client.skills.create(name=f"l{n}", project_id=project).id for n in range(3)]
        page = client.changes.list(kinds=("Skill",), project_id=project, size=1)
        found = list(client.changes.list_all(kinds=("Skill",), project_id=project, size=2, verb="create"))
        assert [change.object_id for change in found][:3] == made[::-1]
        with client.changes.watch(kinds=("Skill",), since=page.cursor) as watch:
            client.skills.delete(made[0])
            told = next(watch)
        assert (told.type, told.id, told.facts["actor"]) == ("DELETED", made[0], "person:developer")
