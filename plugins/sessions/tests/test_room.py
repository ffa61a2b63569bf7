"""So many sessions of a project run at once, however many are started together."""

import secrets
import threading
from typing import Any

import pytest
from ambient_sessions import room
from ambient_sessions.settings import SessionsSettings

MOST = 3


@pytest.fixture(autouse=True)
def limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "sessions_settings", lambda: SessionsSettings(running_limit=MOST))


@pytest.fixture
def own(call: Any) -> str:
    """A project in which nothing runs."""
    name = f"p{secrets.token_hex(4)}"
    assert call("POST", "/projects", json={"name": name}).status_code == 201
    return name


def session(call: Any, project: str) -> str:
    made = call("POST", "/sessions", json={"name": "s", "project_id": project})
    assert made.status_code == 201, made.json
    return str(made.json["id"])


def start(call: Any, identifier: str) -> Any:
    return call("POST", f"/sessions/{identifier}/start")


def test_one_session_too_many_is_409_and_names_the_setting(call: Any, own: str) -> None:
    assert [start(call, session(call, own)).status_code for _ in range(MOST)] == [200] * MOST
    late = session(call, own)
    refused = start(call, late)
    assert (refused.status_code, refused.json["code"]) == (409, "ambient-api-server-6")
    assert "AMBIENT_SESSIONS_RUNNING_LIMIT" in refused.json["reason"]
    assert "Retry-After" in refused.headers
    assert "phase" not in call("GET", f"/sessions/{late}").json


def test_a_session_that_has_ended_makes_room(call: Any, control_plane: Any, own: str) -> None:
    running = [session(call, own) for _ in range(MOST)]
    for identifier in running:
        start(call, identifier)
    late = session(call, own)
    assert start(call, late).status_code == 409
    ended = control_plane("PATCH", f"/sessions/{running[0]}/status", json={"starts": 1, "phase": "Failed"})
    assert ended.status_code == 200, ended.json
    assert start(call, late).status_code == 200


def test_another_project_has_room_of_its_own(call: Any, own: str, project: str) -> None:
    for _ in range(MOST):
        start(call, session(call, own))
    assert start(call, session(call, project)).status_code == 200


def test_of_many_that_are_started_at_once_so_many_run(app: Any, call: Any, own: str) -> None:
    made = [session(call, own) for _ in range(2 * MOST)]
    statuses: list[int] = []

    def begin(identifier: str) -> None:
        address = f"/api/ambient/v1/sessions/{identifier}/start"
        statuses.append(app.test_client().post(address, headers=call.headers).status_code)

    threads = [threading.Thread(target=begin, args=(identifier,)) for identifier in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * MOST + [409] * MOST
