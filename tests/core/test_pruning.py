"""Pruning the change log: in steps that no writer waits for, and what is still kept stays exact."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from ambient_core import changes
from ambient_core.changes import pruning
from ambient_core.cli import cli
from ambient_core.config import Settings
from ambient_core.database import Database
from tests.e2e.conftest import wait_for
from tests.streams import watching


class Log:
    """The change log of the module's application, whose rows can be made older."""

    def __init__(self, call: Any, database: Database, settings: Settings) -> None:
        self.call = call
        self.database = database
        self.settings = settings

    def user(self, name: str, *names: str) -> str:
        identifier = self.call(
            "POST", "/users", json={"username": f"{name}-{threading.get_ident()}", "name": name}
        ).json["id"]
        for other in names:
            self.call("PATCH", f"/users/{identifier}", json={"name": other})
        return str(identifier)

    def age(self, days: int) -> None:
        """Everything that is there happened so many days earlier."""
        with self.database.transaction() as transaction:
            transaction.raw(f"UPDATE changes SET at = at - interval '{days} days'")

    def prune(self, **settings: Any) -> pruning.Pruned:
        return pruning.prune(self.database, replace(self.settings, **settings))

    def rows(self, identifier: str) -> list[tuple[str, int]]:
        text = "SELECT verb, version FROM changes WHERE object_id = %(id)s ORDER BY seq"
        with self.database.transaction() as transaction:
            return transaction.raw(text, {"id": identifier}).fetchall()

    def cursor(self) -> str:
        return str(self.call("GET", "/changes?size=1").json["cursor"])


@pytest.fixture
def log(call: Any, app: Any, settings: Settings, database_url: str) -> Iterator[Log]:
    yield Log(call, app.runtime.database, replace(settings, database_url=database_url))
    with app.runtime.database.transaction() as transaction:
        transaction.begin()
        for table in ("users", "changes"):
            transaction.raw(f"DELETE FROM {table}")
        transaction.raw("UPDATE change_horizon SET xid = '0', seq = 0, at = NULL")


@pytest.mark.parametrize("batch", [1, 3, 1000])
def test_only_what_is_old_goes_and_the_newest_state_of_what_lives_stays(log: Log, batch: int) -> None:
    lives, dead, changing = log.user("a", "b", "c"), log.user("d"), log.user("e", "f")
    log.call("DELETE", f"/users/{dead}")
    log.age(31)
    log.call("PATCH", f"/users/{changing}", json={"name": "g"})
    assert log.prune(prune_batch=batch).changes == 5
    assert (log.rows(lives), log.rows(dead)) == ([("patch", 3)], [])
    assert log.rows(changing) == [("patch", 2), ("patch", 3)]
    log.age(31)
    assert log.prune(prune_batch=batch).changes == 1
    assert log.rows(changing) == [("patch", 3)]
    assert log.prune(prune_batch=batch).seen == 0


def test_what_is_kept_for_ever_is_kept_and_all_else_goes_as_it_does(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    lives = log.user("a", "b")
    log.age(36500)
    assert log.prune(change_retention_days=0) == pruning.Pruned(0, 0, 0, 0)
    assert log.prune(change_retention_days=1e300).seen == 0
    assert log.rows(lives) == [("create", 1), ("patch", 2)]
    log.call("POST", "/users", json={"username": "k", "name": "k"}, headers={"Idempotency-Key": "pruned-key"})
    with log.database.transaction() as transaction:
        transaction.raw("UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'pruned-key'")
    settings = {"DATABASE_URL": log.settings.database_url, "PROFILE": "development", "CHANGE_RETENTION_DAYS": "0"}
    for name, value in settings.items():
        monkeypatch.setenv(f"AMBIENT_{name}", value)
    assert CliRunner().invoke(cli, ["db", "prune"]).output.splitlines() == [
        "Changes are kept for ever (change_retention_days is 0): none is deleted.",
        "1 idempotency records and 0 refusals are deleted.",
    ]
    assert "kept: for ever; pruned up to nothing" in CliRunner().invoke(cli, ["db", "status"]).output


def test_idempotency_keys_that_are_older_than_a_day_go_and_no_other(log: Log) -> None:
    for key in ("old", "new"):
        log.call("POST", "/users", json={"username": key, "name": key}, headers={"Idempotency-Key": f"pruned-{key}"})
    with log.database.transaction() as transaction:
        transaction.raw("UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'pruned-old'")
    assert log.prune(prune_batch=1).keys == 1
    with log.database.transaction() as transaction:
        assert transaction.raw("SELECT key FROM idempotency_keys").fetchall() == [("pruned-new",)]


def test_an_older_cursor_is_gone_and_says_what_to_do_and_a_newer_one_goes_on(log: Log) -> None:
    log.user("a", "b")
    log.age(31)
    old = log.cursor()
    first = log.call("GET", "/changes?order=oldest&size=1").json
    page, whole = first["next_page_token"], "kept_since" not in first
    log.user("c")
    log.age(31)
    log.prune()
    kept = log.cursor()
    new = log.user("d")
    for path in (f"/changes?after={old}", f"/users?watch=true&after={old}"):
        refused = log.call("GET", path, headers={"Accept": "text/event-stream"})
        assert refused.status_code == 410
        assert "initial=true" in refused.json["reason"]
    assert log.call("GET", f"/changes?order=oldest&size=1&page_token={page}").status_code == 410
    with watching(log.call, f"/changes?after={kept}") as stream:
        assert [event["object_id"] for event in stream.until(1)] == [new]
    found = log.call("GET", "/changes?since=2001-01-01T00:00:00Z").json
    assert [item["object_id"] for item in found["items"]] == [new]
    assert (whole, found["kept_since"] < found["items"][0]["at"]) == (True, True)


def test_the_past_is_exact_where_it_is_kept_and_gone_where_it_is_not(log: Log) -> None:
    user = log.user("a", "b")
    log.age(31)
    before = log.call("GET", f"/users/{user}/history").json["items"][0]["at"]
    log.prune()
    at = log.call("GET", "/users?fields=updated_at").json["items"][0]["updated_at"]
    assert log.call("GET", f"/users/{user}?as_of={at}").json["name"] == "b"
    assert log.call("GET", f"/users?as_of={at}").json["total"] == 1
    assert log.call("GET", f"/users/{user}?as_of={before}").json["version"] == 2
    earlier = before.replace("20", "19", 1)
    assert log.call("GET", f"/users/{user}?as_of={earlier}").status_code == 410
    assert log.call("GET", f"/users?as_of={earlier}").status_code == 410
    assert log.call("GET", f"/users/{user}?version=1").status_code == 404
    assert log.call("POST", f"/users/{user}/restore", json={"version": 1}).status_code == 404
    history = log.call("GET", f"/users/{user}/history").json["items"]
    assert [(entry["version"], "diff" in entry) for entry in history] == [(2, False)]


def test_a_watch_still_knows_what_it_compares_with(log: Log) -> None:
    user = log.user("wanted")
    log.age(31)
    log.prune()
    with watching(log.call, "/users?watch=true&search=name = 'wanted'") as stream:
        log.call("PATCH", f"/users/{user}", json={"name": "other"})
        assert [(event["type"], event["object"]["name"]) for event in stream.until(1)] == [("DELETED", "wanted")]


def test_no_writer_waits_for_a_pruning_that_stands_still(log: Log, database_url: str) -> None:
    user = log.user("a", "b")
    log.age(31)
    with log.database.transaction() as transaction:
        transaction.begin()
        assert pruning.step(transaction, 30 * 86400, 1000) == (1, 2)
        assert log.call("PATCH", f"/users/{user}", json={"name": "c"}).status_code == 200
        other = log.user("d")
        assert log.call("DELETE", f"/users/{other}").status_code == 204
        assert len(log.call("GET", f"/users/{user}/history").json["items"]) == 3
    assert log.rows(user) == [("patch", 2), ("patch", 3)]


def test_two_prunings_at_once_do_it_once(log: Log) -> None:
    for number in range(20):
        log.user(f"u{number}", "x", "y")
        log.call("GET", "/users")
    log.age(31)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(log.prune(prune_batch=7).changes)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(found) == 40


def test_the_command_prunes_and_status_says_where_it_stands(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    log.user("a", "b")
    log.age(31)
    monkeypatch.setenv("AMBIENT_DATABASE_URL", log.settings.database_url)
    monkeypatch.setenv("AMBIENT_PROFILE", "development")
    pruned = CliRunner().invoke(cli, ["db", "prune"])
    assert pruned.output.startswith("2 changes are older than 30 days: 1 are deleted"), pruned.output
    with psycopg.connect(log.settings.database_url) as writer:
        writer.execute("UPDATE users SET version = version")
        told = CliRunner().invoke(cli, ["db", "status"]).output
    for words in (
        "change log: 1 rows",
        "pruned up to 20",
        "oldest transaction that writes: process",
        "pending migrations: none",
    ):
        assert words in told


def test_the_leader_prunes_by_itself(log: Log) -> None:
    user = log.user("a", "b")
    log.age(31)
    pruner = pruning.Pruner(replace(log.settings, prune_interval=1))
    pruner._settings = replace(pruner._settings, prune_interval=0.05)
    pruner.start()
    wait_for(lambda: len(log.rows(user)) == 1, "the pruning")
    pruner.stop()


def test_the_position_is_refused_when_it_was_pruned_while_a_watch_caught_up(log: Log, app: Any) -> None:
    log.user("a", "b")
    log.age(31)
    log.prune()
    view = object.__new__(type("View", (), {"asks": False, "kinds": {}, "clauses": {}}))
    with pytest.raises(changes.Gone):
        app.runtime.hub.earlier(view, changes.START)
