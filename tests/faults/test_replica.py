"""Lists from a server that follows: nobody misses what they wrote or saw, and a replica that is away costs nothing."""

import json
import secrets
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from ambient_sdk import AmbientClient
from werkzeug.serving import make_server

from ambient_core import migrate
from ambient_core.app import create_app
from ambient_core.database import replicas
from ambient_core.database.transaction import Transaction
from ambient_core.errors import SetupError
from tests.faults.standby import Pair, pair
from tests.statements import overheard

pytestmark = pytest.mark.slow
ANY = {"Ambient-Position": "0"}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with pair(tmp_path_factory.mktemp("servers")) as both:
        yield both


@pytest.fixture(scope="module")
def app(settings: Any, servers: Pair) -> Iterator[Any]:
    own = replace(settings, database_url=servers.primary.url, replica_url=servers.standby.url, pool_timeout=2)
    migrate.upgrade(own, report=lambda _line: None)
    application = create_app(own)
    yield application
    application.runtime.database.close()
    assert application.runtime.replica is not None
    application.runtime.replica.database.close()


@pytest.fixture
def call(app: Any, calls: Any, servers: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(replicas, "STALENESS", 1e9)
    app.runtime.replica._away_until = 0.0
    forget(app)
    yield calls(app)
    servers.pause(paused=False)


def forget(app: Any) -> None:
    """Be a process that has not heard of the primary's last writes."""
    app.runtime.replica._recent = ("0/0", 0.0)


@pytest.fixture
def read_by(app: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which server each list was read from."""
    found: list[str] = []

    def noted(transaction: Transaction, statement: str, _parameters: Any) -> None:
        if '"users"' in statement or "FROM users" in statement:
            found.append("primary" if transaction.database is app.runtime.database else "standby")

    overheard(monkeypatch, noted)
    return found


def made(call: Any) -> Any:
    name = f"u{secrets.token_hex(4)}"
    return call("POST", "/users", json={"username": name, "name": name})


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.json
    return [item["username"] for item in answer.json["items"]]


def test_a_list_comes_from_the_replica_when_the_caller_allows_it(call: Any, servers: Pair, read_by: list[str]) -> None:
    name = made(call).json["username"]
    servers.catch_up()
    read_by.clear()
    answer = call("GET", "/users?total=false", headers=ANY)
    assert name in names(answer)
    assert set(read_by) == {"standby"}
    assert name in names(call("GET", "/users?total=false"))
    assert set(read_by) == {"standby", "primary"}


def test_who_wrote_sees_it_though_the_replica_stands_still(
    call: Any, app: Any, servers: Pair, read_by: list[str]
) -> None:
    servers.catch_up()
    servers.pause()
    written = made(call)
    forget(app)
    position = written.headers["Ambient-Position"]
    assert written.json["username"] not in names(call("GET", "/users?total=false", headers=ANY))
    read_by.clear()
    later = call("GET", "/users?total=false", headers={"Ambient-Position": position})
    assert written.json["username"] in names(later)
    assert set(read_by) == {"primary"}
    servers.pause(paused=False)
    servers.catch_up()
    read_by.clear()
    assert written.json["username"] in names(call("GET", "/users?total=false", headers={"Ambient-Position": position}))
    assert set(read_by) == {"standby"}


def test_who_saw_it_never_sees_less(call: Any, app: Any, servers: Pair) -> None:
    servers.catch_up()
    servers.pause()
    position = {"Ambient-Position": made(call).headers["Ambient-Position"]}
    made(call)
    seen = call("GET", "/users?total=false", headers=position)
    forget(app)
    again = call("GET", "/users?total=false", headers={"Ambient-Position": seen.headers["Ambient-Position"]})
    assert names(again) == names(seen)


def test_a_replica_that_is_far_behind_is_not_asked(call: Any, servers: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicas, "STALENESS", 0.0)
    servers.catch_up()
    servers.pause()
    other = made(call).json["username"]
    assert other in names(call("GET", "/users?total=false", headers=ANY))


def test_lines_and_the_past_come_from_it_as_well(call: Any, servers: Pair, read_by: list[str]) -> None:
    written = made(call).json
    servers.catch_up()
    read_by.clear()
    lines = call("GET", "/users", headers={**ANY, "Accept": "application/x-ndjson"})
    assert written["username"] in [json.loads(line)["username"] for line in lines.data.splitlines()]
    past = call("GET", f"/users?as_of={written['updated_at']}&total=false", headers=ANY)
    assert written["username"] in names(past)
    assert "primary" not in read_by


def test_a_position_that_is_none_is_named(call: Any) -> None:
    for wrong in ("x", "1", "0/G", "0/0 ", "'", "123456789/0"):
        answer = call("GET", "/users", headers={"Ambient-Position": wrong})
        assert (answer.status_code, "Ambient-Position" in answer.json["reason"]) == (400, True), wrong


def test_a_url_that_is_none_is_named(settings: Any) -> None:
    for wrong in ("nonsense", "mysql://there/x"):
        with pytest.raises(SetupError, match="replica_url"):
            create_app(replace(settings, database_url="postgresql://contract.invalid/none", replica_url=wrong))


def test_only_what_was_kept_says_a_position(call: Any) -> None:
    assert "Ambient-Position" not in call("GET", "/users").headers
    assert "Ambient-Position" not in call("POST", "/users", json={}).headers
    assert "Ambient-Position" in made(call).headers


def test_a_replica_that_is_away_costs_nothing(call: Any, servers: Pair, read_by: list[str]) -> None:
    servers.standby.stop()
    try:
        name = made(call).json["username"]
        for _ in range(2):
            assert name in names(call("GET", "/users?total=false", headers=ANY))
        assert set(read_by) == {"primary"}
    finally:
        servers.standby.start()


def test_a_client_of_the_sdk_sees_what_it_wrote(app: Any, call: Any, servers: Pair, tokens: Any) -> None:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    servers.catch_up()
    servers.pause()
    try:
        token, name = tokens["developer"].read_text(), f"u{secrets.token_hex(4)}"
        with AmbientClient(f"http://127.0.0.1:{server.server_port}", token).allow_replicas() as client:
            client.users.list()
            client.users.create(username=name, name=name)
            forget(app)
            assert name in [user.username for user in client.users.list_all()]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
