"""Who hears what: rows outside the caller's scope never leave, what is lost ends, and no watcher disturbs another."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import literal_column, select, text

from ambient_core import Kind, Principal, hookimpl, watch
from ambient_core.app import create_app
from ambient_core.changes import watchers
from ambient_core.config import Settings
from ambient_core.errors import Unavailable
from ambient_core.plugins import Source, installed, load_plugins
from ambient_core.rest import credential
from tests.e2e.conftest import wait_for
from tests.streams import Stream, told, watching


class Rules:
    """A plugin that knows a few people by name and says what each may see: the users of some teams."""

    def __init__(self) -> None:
        self.known = {"ann", "ben"}
        self.refused: set[str] = set()
        self.teams = {"ann": ["red"], "ben": ["red", "blue"]}
        self.broken: set[str] = set()

    def source(self) -> Source:
        rules = self

        @hookimpl
        def ambient_authenticate(request: Any) -> Principal | None:
            name = request.headers.get("Authorization", "").removeprefix("Bearer ")
            return Principal("person", name, name) if name in rules.known else None

        @hookimpl
        def ambient_may(principal: Principal, verb: str, kind: Kind) -> bool | None:
            if principal.id in rules.refused:
                return False
            return True if principal.id in rules.known and kind.name in ("User", "Project") else None

        @hookimpl
        def ambient_scope(principal: Principal, kind: Kind) -> Any:
            if kind.name != "User" or principal.id not in rules.teams:
                return None
            if principal.id in rules.broken:
                return select(literal_column("1")).where(text("1 / length(users.name) > 1 / 0")).exists()
            return kind.table.c.name.in_(rules.teams[principal.id])

        module = ModuleType("stranger_rules")
        module.__dict__.update({n: v for n, v in locals().items() if n.startswith("ambient_")})
        return Source("rules", lambda: module, "1.0")


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> Rules:
    monkeypatch.setattr(credential, "RECHECK", 0.1)
    monkeypatch.setattr(watch, "HEARTBEAT", 0.5)
    return Rules()


@pytest.fixture
def who(rules: Rules, settings: Settings, database_url: str, call: Any) -> Iterator[Any]:
    app = create_app(
        replace(settings, database_url=database_url),
        plugins=load_plugins(settings, [*(p for p in installed() if p.name != "access"), rules.source()]),
    )
    token = settings.developer_token_file.read_text() if settings.developer_token_file else ""
    yield lambda name: type(call)(app.test_client(), token if name == "developer" else name)
    app.runtime.database.close()


@pytest.fixture
def made(who: Any) -> Any:
    def make(team: str) -> str:
        name = f"u{time.monotonic_ns()}"
        return str(who("developer")("POST", "/users", json={"username": name, "name": team}).json["id"])

    return make


def test_only_what_is_in_scope_is_shown_and_what_leaves_it_goes_without_its_new_state(who: Any, made: Any) -> None:
    with watching(who("ann"), "/changes") as stream:
        mine, other = made("red"), made("blue")
        change = who("developer")
        change("PATCH", f"/users/{mine}", json={"name": "blue"})
        change("PATCH", f"/users/{mine}", json={"name": "green"})
        change("PATCH", f"/users/{other}", json={"name": "red"})
        change("DELETE", f"/users/{other}")
        events = stream.until(4)
    assert told(events) == [("ADDED", mine, 1), ("DELETED", mine, 2), ("ADDED", other, 2), ("DELETED", other, 2)]
    assert events[1]["object"]["name"] == "red"
    assert "blue" not in str(events)


def test_the_list_of_changes_is_scoped_in_the_statement_and_pages_do_not_lie(who: Any, made: Any) -> None:
    mine = [made(team) for team in ("red", "blue", "red", "green", "red")][::2]
    found, token = [], ""
    while True:
        page = who("ann")("GET", f"/changes?kinds=User&order=oldest&size=2{token}").json
        found += page["items"]
        if "next_page_token" not in page:
            break
        assert page["size"] == 2
        token = f"&page_token={page['next_page_token']}"
    assert [item["object_id"] for item in found][-3:] == mine
    assert {item["object"]["name"] for item in found} == {"red"}
    assert who("ann")("GET", "/changes?kinds=Skill").status_code == 403


def test_a_lost_role_ends_the_events_of_its_scope_and_others_go_on(who: Any, made: Any, rules: Rules) -> None:
    with watching(who("ben"), "/changes?kinds=User") as stream:
        first = made("blue")
        stream.until(1)
        rules.teams["ben"] = ["red"]
        _until_asked_again(who("ben"))
        made("blue")
        last = made("red")
        events = stream.until(2)
    assert told(events) == [("ADDED", first, 1), ("ADDED", last, 1)]


def _until_asked_again(call: Any) -> None:
    """A watch is asked again when it says something; this one says something after it was asked."""
    with watching(call, "/changes?kinds=User") as other:
        wait_for(lambda: other.comments > 2, "a heartbeat of a watch that is as old")


@pytest.mark.parametrize("loss", ["credential", "verb"])
def test_a_lost_credential_or_verb_ends_the_stream_with_a_reason(who: Any, rules: Rules, loss: str) -> None:
    with watching(who("ann"), "/users?watch=true") as stream:
        (rules.known.discard if loss == "credential" else rules.refused.add)("ann")
        assert stream.over.wait(20)
    (end,) = stream.of("ERROR")
    assert (end["status"], end["object"]["kind"]) == ((401 if loss == "credential" else 403), "Error")


def test_a_watch_that_cannot_be_judged_ends_alone(who: Any, made: Any, rules: Rules) -> None:
    rules.broken.add("ann")
    with watching(who("ben"), "/users?watch=true") as good, watching(who("ann"), "/users?watch=true") as poisoned:
        user = made("red")
        assert told(good.until(1)) == [("ADDED", user, 1)]
        assert poisoned.over.wait(20)
        again = made("red")
        assert told(good.until(2))[1] == ("ADDED", again, 1)
    assert [event["status"] for event in poisoned.of("ERROR")] == [503]


def test_a_reader_that_does_not_read_is_cut_and_resumes_and_others_hear_all(
    who: Any, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchers, "MOST_FRAMES", 5)
    slow = who("developer")("GET", "/changes?kinds=User", headers={"Accept": "text/event-stream"}, buffered=False)
    frames = iter(slow.response)
    first = next(frames) + next(frames)
    cursor = first.decode().split("id: ")[1].split("\n")[0]
    with watching(who("developer"), "/changes?kinds=User") as fast:
        for number in range(1, 13):
            made("red")
            everything = fast.until(number)
    rest = b"".join(frames).decode()
    assert "event: ERROR" in rest
    assert "slower than the changes" in rest
    slow.close()
    with watching(who("developer"), "/changes?kinds=User", Last_Event_ID=cursor) as again:
        assert again.until(12) == everything


def test_watches_that_are_slow_to_judge_leave_connections_for_others(
    who: Any, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, judge = threading.Event(), watchers.judge
    held: list[int] = []

    def slowly(run: Any, view: Any, found: Any) -> Any:
        if "slow" in repr(view.clauses) and not gate.is_set():
            held.append(1)
            gate.wait(60)
        return judge(run, view, found)

    monkeypatch.setattr(watchers, "judge", slowly)
    monkeypatch.setattr(watchers, "_SLOW", -1.0)
    gate.set()
    slow = [Stream(who("ann"), f"/users?watch=true&search=name = 'red' and id != 'slow{n}'") for n in range(3)]
    first = made("red")
    for stream in slow:
        assert told(stream.until(1)) == [("ADDED", first, 1)]
    gate.clear()
    second = made("red")
    wait_for(lambda: held, "a query that takes its time")
    with watching(who("ben"), "/users?watch=true") as good:
        third = made("red")
        assert told(good.until(1)) == [("ADDED", third, 1)]
    gate.set()
    for stream in slow:
        assert told(stream.until(2))[1] == ("ADDED", second, 1)
        stream.leave()


def test_a_reader_that_reads_is_not_cut_by_how_much_comes_at_once(
    who: Any, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchers, "MOST_BYTES", 10)
    with watching(who("developer"), "/changes?kinds=User") as stream:
        users = [made("red")]
        stream.until(1)
        users.append(made("red"))
        assert [event["object_id"] for event in stream.until(2)] == users


def test_a_reader_that_takes_nothing_is_hung_up_on_once_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    hung_up: list[str] = []
    counted: list[int] = []
    monkeypatch.setattr(watchers.metrics, "observe_cut_watch", counted.append)
    watcher = watchers.Watcher(lambda: hung_up.append("now"))
    watcher.sending_since = 100.0
    watcher.check(100.0 + watchers.STALLED)
    assert hung_up == []
    watcher.check(101.0 + watchers.STALLED)
    watcher.check(102.0 + watchers.STALLED)
    assert (hung_up, counted) == (["now"], [503])
    with pytest.raises(Unavailable, match="slower than the changes"):
        watcher.take(0)


def test_one_watch_too_many_is_told_to_come_back(call: Any, settings: Settings, database_url: str) -> None:
    app = create_app(replace(settings, database_url=database_url, watch_limit=1))
    limited = type(call)(app.test_client(), settings.developer_token_file.read_text())  # type: ignore[union-attr]
    with watching(limited, "/users?watch=true"):
        refused = limited("GET", "/users?watch=true")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
    app.runtime.database.close()


def test_equal_watches_are_judged_once(who: Any, made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []
    original = watchers.judge
    monkeypatch.setattr(watchers, "judge", lambda *a: judged.append(threading.current_thread().name) or original(*a))
    streams = [Stream(who("ann"), "/users?watch=true") for _ in range(10)]
    for stream in streams:
        assert stream.cursor
    user = made("red")
    for stream in streams:
        assert told(stream.until(1)) == [("ADDED", user, 1)]
        stream.leave()
    assert len(judged) == 1
