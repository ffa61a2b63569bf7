"""Watching the change log: in order, resumed on any replica, within the caller's scope, and no watcher disturbs another."""

from typing import Any

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
