"""59-61: whatever takes too long, is locked, full or away ends in a clear 503 or 504 in time, and nothing half is kept."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from ambient_core import current
from ambient_core.app import create_app
from tests.e2e.conftest import wait_for

pytestmark = pytest.mark.slow
Hook = Callable[..., None]


@contextmanager
def serving(settings: Any, url: str, calls: Any, hook: Hook | None = None, **limits: Any) -> Iterator[Any]:
    """An API with these limits, and perhaps a hook before each write."""
    app = create_app(replace(settings, database_url=url, **limits))
    if hook is not None:
        app.runtime = replace(app.runtime, before_write=(("test", lambda kind, verb, row, principal: hook(verb, row)),))
    try:
        yield calls(app)
    finally:
        app.runtime.database.close()


@pytest.fixture
def served(settings: Any, database_url: str, calls: Any) -> Any:
    return lambda hook=None, **limits: serving(settings, database_url, calls, hook, **limits)


@pytest.fixture
def outside(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Somebody else's connection."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def users(call: Any) -> list[str]:
    return [call("POST", "/users", json={"username": name, "name": name}).json["id"] for name in ("one", "two")]


def sql(text: str) -> Hook:
    """A hook that runs a statement in the request's transaction."""
    return lambda verb, row: current().transaction.raw(text) and None


def refused(answer: Any, status: int, words: str) -> None:
    assert (answer.status_code, words in answer.json["reason"]) == (status, True), answer.json
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_lock_that_is_held_is_503(served: Any, outside: Any, users: list[str]) -> None:
    with served(lock_timeout=0.3) as call, outside.transaction():
        outside.execute("SELECT 1 FROM users WHERE id = %s FOR UPDATE", [users[0]])
        refused(call("PATCH", f"/users/{users[0]}", json={"name": "x"}), 503, "holds what this one needs")
        assert call("GET", f"/users/{users[0]}").status_code == 200


def test_61_a_statement_that_takes_too_long_is_503_and_nothing_is_kept(served: Any, users: list[str]) -> None:
    with served(sql("SELECT pg_sleep(60)"), statement_timeout=0.3) as call:
        refused(call("POST", "/users", json={"username": "slow", "name": "slow"}), 503, "took too long")
        assert call("GET", "/users?search=username = 'slow'").json["total"] == 0


def test_37_a_pattern_that_takes_too_long_is_bounded(served: Any, outside: Any) -> None:
    outside.execute(
        "INSERT INTO users (id, username, name) SELECT 'long' || n, 'long' || n, 'long' FROM generate_series(1, 5) AS n"
    )
    outside.execute("UPDATE users SET username = repeat('a', 250) || id WHERE name = 'long'")
    with served(statement_timeout=1) as call:
        assert call("GET", f"/users?search=username like '{'%a' * 8}b'").status_code == 200
        assert call("GET", f"/users?search=username like '{'%a' * 9}'").status_code == 400


def test_a_transaction_that_is_left_alone_is_ended_and_503(served: Any, outside: Any) -> None:
    def leave_alone(verb: str, row: Any) -> None:
        backend = current().transaction.raw("SELECT pg_backend_pid()").fetchone()[0]
        alive = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
        wait_for(lambda: outside.execute(alive, [backend]).fetchone() is None, "the database's patience", 20)

    with served(leave_alone, idle_timeout=0.3) as call:
        refused(call("POST", "/users", json={"username": "idle", "name": "idle"}), 503, "left its transaction alone")
        assert call("GET", "/users?search=username = 'idle'").json["total"] == 0


def test_a_request_has_a_deadline(served: Any) -> None:
    steps = []

    def slowly(verb: str, row: Any) -> None:
        while True:
            current().transaction.raw("SELECT pg_sleep(0.05)")
            steps.append(1)

    with served(slowly, request_timeout=0.3) as call:
        refused(
            call("POST", "/users", json={"username": "late", "name": "late"}), 504, "took too long and was given up"
        )
        operations = [{"op": "create", "kind": "User", "body": {"username": "late", "name": "late"}}]
        refused(call("POST", "/batch", json={"operations": operations}), 504, "took too long")
        assert call("GET", "/users?search=username = 'late'").json["total"] == 0
    assert len(steps) >= 2


def test_60_a_pool_that_is_used_up_is_503_and_then_service_again(served: Any) -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold(verb: str, row: Any) -> None:
        current().transaction.begin()
        entered.set()
        assert leave.wait(30)

    with served(hold, pool_size=1, pool_timeout=0.3) as call:
        client, found = call.client.application.test_client(), []
        body = {"username": "holder", "name": "holder"}
        thread = threading.Thread(
            target=lambda: found.append(client.post("/api/ambient/v1/users", json=body, headers=call.headers))
        )
        thread.start()
        assert entered.wait(30)
        refused(call("GET", "/users"), 503, "connections are busy")
        leave.set()
        thread.join()
        assert (found[0].status_code, call("GET", "/users").status_code) == (201, 200)


def test_60_a_real_deadlock_is_resolved_by_trying_again(served: Any, outside: Any, users: list[str]) -> None:
    met = threading.Barrier(2, timeout=30)
    tried: list[str] = []

    def cross(verb: str, row: dict[str, Any]) -> None:
        first = row["id"] not in tried
        tried.append(row["id"])
        if first:
            met.wait()
        other = users[1 - users.index(row["id"])]
        current().transaction.as_system("SELECT 1 FROM users WHERE id = %(id)s FOR UPDATE", {"id": other})

    before = outside.execute("SELECT version FROM users WHERE id = ANY(%s) ORDER BY id", [users]).fetchall()
    statuses: list[int] = []
    with served(cross, lock_timeout=20, statement_timeout=30) as call:

        def change(identifier: str) -> None:
            client = call.client.application.test_client()
            path, body = f"/api/ambient/v1/users/{identifier}", {"name": f"crossed {len(tried)}"}
            statuses.append(client.patch(path, json=body, headers=call.headers).status_code)

        threads = [threading.Thread(target=change, args=(identifier,)) for identifier in users]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert statuses == [200, 200]
    assert sorted(tried) == sorted([*users, next(i for i in users if tried.count(i) == 2)])
    after = outside.execute("SELECT version FROM users WHERE id = ANY(%s) ORDER BY id", [users]).fetchall()
    assert [row[0] for row in after] == [row[0] + 1 for row in before]


@pytest.mark.parametrize(
    ("state", "words", "times"),
    [
        ("40001", "changing the same objects", 3),
        ("40P01", "changing the same objects", 3),
        ("53100", "does not answer", 1),
    ],
)
def test_61_what_does_not_go_away_is_503_after_some_tries(served: Any, state: str, words: str, times: int) -> None:
    tries = []

    def fail(verb: str, row: Any) -> None:
        tries.append(1)
        current().transaction.raw(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$")

    with served(fail) as call:
        answer = call("POST", "/users", json={"username": state, "name": state}, headers={"Idempotency-Key": state})
        refused(answer, 503, words)
        assert len(tries) == times
        assert call("GET", f"/users?search=username = '{state}'").json["total"] == 0
    with served() as call:
        again = call("POST", "/users", json={"username": state, "name": state}, headers={"Idempotency-Key": state})
        assert (again.status_code, "Idempotency-Replayed" in again.headers) == (201, False)


def test_59_a_server_that_takes_no_writes_is_503_and_then_service_again(served: Any, outside: Any) -> None:
    name = outside.execute("SELECT current_database()").fetchone()[0]

    def post(call: Any) -> Any:
        return call("POST", "/users", json={"username": "reader", "name": "reader"})

    outside.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    with served() as call:
        refused(post(call), 503, "takes no writes")
        assert call("GET", "/users").status_code == 200
        outside.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        wait_for(lambda: post(call).status_code == 201, "service", 20)


def test_an_answer_never_has_the_driver_s_words(served: Any) -> None:
    with served(sql("SELECT 1/0")) as call:
        answer = call("POST", "/users", json={"username": "zero", "name": "zero"})
        assert answer.status_code in (400, 500)
        assert "division" not in answer.text
