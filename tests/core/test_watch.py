"""Watching the change log: in order, resumed on any replica, within the caller's scope, and no watcher disturbs another."""

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from ambient_core import changes, watch
from ambient_core.changes import watchers
from tests.e2e.conftest import wait_for
from tests.streams import told, watching


def made(call: Any, name: str, **fields: Any) -> dict[str, Any]:
    answer = call("POST", "/users", json={"username": name, "name": name, **fields})
    assert answer.status_code == 201, answer.json
    return dict(answer.json)


def test_a_watch_shows_what_happens_in_order(call: Any) -> None:
    with watching(call, "/changes?kinds=User") as stream:
        user = made(call, "ada")
        call("PATCH", f"/users/{user['id']}", json={"name": "Ada L."})
        call("DELETE", f"/users/{user['id']}")
        events = stream.until(3)
    assert told(events) == [("ADDED", user["id"], 1), ("MODIFIED", user["id"], 2), ("DELETED", user["id"], 2)]
    assert events[0]["object"] == user
    assert (events[1]["actor"], events[1]["verb"], events[1]["object"]["name"]) == (
        "person:developer",
        "patch",
        "Ada L.",
    )


def test_a_watch_resumes_after_the_last_event_that_was_read(call: Any) -> None:
    with watching(call, "/changes?kinds=User") as stream:
        first, second = made(call, "bob"), made(call, "cid")
        cursor = stream.until(2)[0]["cursor"]
    third = made(call, "dan")
    with watching(call, "/changes?kinds=User", Last_Event_ID=cursor) as again:
        fourth = made(call, "eve")
        events = again.until(3)
    assert first["id"] not in {e["object_id"] for e in events}
    assert told(events) == [("ADDED", one["id"], 1) for one in (second, third, fourth)]


def test_the_present_objects_come_first_and_nothing_is_missed_after_them(call: Any) -> None:
    present = made(call, "fay")
    with watching(call, "/users?watch=true&initial=true") as stream:
        before = len(stream.of("ADDED"))
        later = made(call, "gus")
        ids = [e["object_id"] for e in stream.until(before + 1, "ADDED")]
        kinds = [e["type"] for e in stream.events]
    assert kinds.index("BOOKMARK") == ids.index(later["id"])
    assert ids.count(present["id"]) == ids.count(later["id"]) == 1


def test_an_object_that_starts_or_stops_matching_is_added_or_deleted(call: Any) -> None:
    user = made(call, "hal")
    with watching(call, "/users?watch=true&search=name = 'wanted'") as stream:
        for name in ("wanted", "wanted", "other", "wanted"):
            call("PATCH", f"/users/{user['id']}", json={"name": name, "email": f"{name}@example.com"})
        call("DELETE", f"/users/{user['id']}")
        events = stream.until(4)
    assert told(events) == [
        ("ADDED", user["id"], 2),
        ("DELETED", user["id"], 3),
        ("ADDED", user["id"], 4),
        ("DELETED", user["id"], 4),
    ]
    assert events[1]["object"]["name"] == "wanted"


def test_two_kinds_come_in_one_order(call: Any, project: str) -> None:
    with watching(call, f"/changes?kinds=Skill,Task&project_id={project}") as stream:
        skill = call("POST", "/skills", json={"name": "one", "project_id": project}).json
        task = call("POST", "/tasks", json={"name": "two", "project_id": project, "prompt": "x"}).json
        call("DELETE", f"/skills/{skill['id']}")
        events = stream.until(3)
    assert [(e["kind"], e["type"]) for e in events] == [("Skill", "ADDED"), ("Task", "ADDED"), ("Skill", "DELETED")]
    assert task["id"] == events[1]["object_id"]


def test_a_cursor_of_the_future_of_another_database_or_of_nobody_is_refused(call: Any, app: Any) -> None:
    with app.runtime.database.transaction() as transaction:
        log = changes.horizon(transaction.raw).log
    for text, words in (
        (changes.cursor(log, changes.Position(2**40, 1)), "has not reached"),
        (changes.cursor("00000000", changes.Position(1, 1)), "another database"),
        ("nonsense", "as this API gave it"),
        (changes.cursor(log, changes.START).swapcase(), "as this API gave it"),
        ("", "as this API gave it"),
    ):
        for path in ("/changes?after=", "/users?watch=true&after="):
            refused = call("GET", path + text, headers={"Accept": "text/event-stream"})
            assert refused.status_code == 400, text
            assert words in refused.json["reason"]
        assert call("GET", f"/changes?page_token={text}").status_code == 400


def test_a_stream_says_that_it_lives_and_where_it_is(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "HEARTBEAT", 0.05)
    monkeypatch.setattr(watch, "BOOKMARK", 0.3)
    with watching(call, "/changes?kinds=User") as stream:
        before = stream.comments
        user = made(call, "ida")
        cursor = stream.until(1)[0]["cursor"]
        wait_for(lambda: stream.events[-1] == {"type": "BOOKMARK", "cursor": cursor}, "a bookmark at the last change")
        wait_for(lambda: stream.comments > before + 2, "heartbeats")
    assert told(stream.of()) == [("ADDED", user["id"], 1)]


def test_a_stream_that_always_has_something_to_say_bookmarks_all_the_same(
    call: Any, app: Any, calls: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "BOOKMARK", 0.3)
    user, over = made(call, "zoe"), threading.Event()

    def write() -> None:
        own, number = calls(app), 0
        while not over.is_set():
            number += 1
            own("PATCH", f"/users/{user['id']}", json={"name": f"Zoe {number}"})

    writer = threading.Thread(target=write)
    with watching(call, "/changes?kinds=User") as stream:
        writer.start()
        try:
            wait_for(lambda: len(stream.of("BOOKMARK")) > 2, "bookmarks between the changes")
        finally:
            over.set()
            writer.join()


def test_a_stream_that_catches_up_with_what_it_does_not_show_says_that_it_lives(
    call: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with watching(call, "/changes") as stream:
        cursor = stream.cursor
        for name in ("una", "uma", "ute", "uwe", "udo", "ugo"):
            last = made(call, name)
        wait_for(lambda: stream.of()[-1:] and stream.of()[-1]["object_id"] == last["id"], "the last one")
    passed = [0.0]
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + passed[0], sleep=time.sleep)
    earlier = app.runtime.hub.earlier

    def slow(*arguments: Any) -> Any:
        passed[0] += watch.HEARTBEAT + 1
        return earlier(*arguments)

    monkeypatch.setattr(watch, "time", clock)
    monkeypatch.setattr(watchers, "_CATCH_UP", 1)
    monkeypatch.setattr(app.runtime.hub, "earlier", slow)
    with watching(call, f"/changes?object_id={last['id']}&after={cursor}") as behind:
        behind.until(1)
        assert behind.comments + len(behind.of("BOOKMARK")) >= 2 + 5


def test_asking_for_the_head_of_a_watch_opens_none(call: Any, app: Any) -> None:
    # Streams of other tests may still be leaving; none may come.
    before = app.runtime.hub.count
    answer = call("HEAD", "/users?watch=true")
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "text/event-stream", b"")
    assert "Content-Length" not in answer.headers
    assert app.runtime.hub.count <= before
