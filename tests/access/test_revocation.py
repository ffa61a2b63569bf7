"""Taken back is taken back everywhere: on every replica, on both ports, and for streams that are open already."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest
from ambient_access import grants

from ambient_core.app import Application, create_app
from ambient_core.config import Settings
from ambient_core.plugins import Source, installed, load_plugins
from ambient_core.rest import credential
from tests.access.people import People
from tests.e2e.conftest import wait_for


@pytest.fixture(scope="module")
def replicas(settings: Settings, database_url: str, names: Source) -> Iterator[list[Application]]:
    """Another copy of the API, and the gateway, over the same database."""
    own = replace(settings, database_url=database_url)
    copies = [
        create_app(own, surface=surface, plugins=load_plugins(own, [*installed(), names]))
        for surface in ("api", "gateway")
    ]
    yield copies
    for copy in copies:
        copy.runtime.database.close()


@pytest.fixture
def session(people: People, project: str) -> str:
    """A session that runs, as far as its row says."""
    made = str(people.admin("POST", "/sessions", json={"name": "s", "project_id": project}).json["id"])
    with people.app.runtime.database.transaction() as transaction:
        transaction.raw("UPDATE sessions SET phase = 'Running' WHERE id = %(id)s", {"id": made})
    return made


@pytest.fixture
def viewer(people: People, project: str) -> str:
    """Somebody real who may look at the project."""
    name = people.new()
    user = str(people.admin("POST", "/users", json={"username": name, "name": name}).json["id"])
    people.give("project:viewer", user, project_id=project)
    return user


@pytest.fixture
def token(people: People, viewer: str) -> tuple[str, str]:
    """A token of theirs: its id and its secret."""
    call = people.named(viewer)
    made = call("POST", "/tokens", json={"name": "t", "lifetime_days": 1}).json["id"]
    return made, str(call("POST", f"/tokens/{made}/secret", json={}).json["token"])


Loss = Callable[[People, str, str], Any]
LOSSES: dict[str, Loss] = {
    "token": lambda people, _, token: people.admin("DELETE", f"/tokens/{token}"),
    "user": lambda people, user, _: people.admin("POST", f"/users/{user}/disable"),
    "role": lambda people, user, _: people.admin("DELETE", f"/role_bindings?search=user_id = '{user}'&max_affected=9"),
}


def test_in_earnest_what_a_process_remembers_leaves_time_within_five_seconds() -> None:
    assert grants.KEPT <= 3
    assert credential.RECHECK + grants.KEPT < 30


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
def test_case_10_it_counts_on_every_replica_and_both_ports(
    people: People, replicas: list[Application], session: str, viewer: str, token: tuple[str, str], loss: str
) -> None:
    identifier, secret = token
    calls = [type(people.admin)(copy.test_client(), secret) for copy in (people.app, *replicas)]

    def seen() -> list[int]:
        return [call("GET", f"/sessions/{session}/agui/runs").status_code for call in calls]

    assert seen() == [200, 200, 200]
    assert LOSSES[loss](people, viewer, identifier).status_code in (200, 204)
    refused = 404 if loss == "role" else 401
    # The clock that counts is KEPT, whose value a test above holds; this waits for what it does.
    wait_for(lambda: seen() == [refused] * 3, "the loss on every replica", 20)


WATCHES = ["/changes?kinds=Skill", "/skills?watch=true"]
OF_SESSION = ["/sessions/{session}/messages", "/sessions/{session}/agui/events"]


# A watch whose reader loses a role goes on and shows nothing of it: test_case_19 of test_scope.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "path"), [(loss, path) for loss in LOSSES for path in OF_SESSION + (WATCHES if loss != "role" else [])]
)
def test_a_stream_that_is_open_ends(
    people: People,
    replicas: list[Application],
    session: str,
    viewer: str,
    token: tuple[str, str],
    loss: str,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(credential, "RECHECK", 0.2)
    for module, name in (("messages", "HEARTBEAT"), ("agui.stream", "PAUSE"), ("agui.stream", "SLOWEST_NEWS")):
        monkeypatch.setattr(import_module(f"ambient_sessions.{module}"), name, 0.2)
    call = type(people.admin)(replicas[0].test_client(), token[1])
    opened = call("GET", path.format(session=session), headers={"Accept": "text/event-stream"}, buffered=False)
    assert opened.status_code == 200, opened.data
    pieces = opened.response
    assert next(pieces)
    assert LOSSES[loss](people, viewer, token[0]).status_code in (200, 204)
    # It would never end by itself.
    assert [piece for piece in pieces if b"ADDED" in piece or b"payload" in piece] == []
    opened.close()
