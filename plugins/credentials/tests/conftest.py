"""People with roles, and sessions that run as far as the API knows."""

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from tests.access.conftest import app, names, other, people, project
from tests.access.people import People

TOKEN = "canary-of-a-credential"


@pytest.fixture
def running(people: People, call: Any, control_plane: Any) -> Callable[..., Any]:
    """Makes a session of a project, perhaps of an agent, and starts it; answers a caller with the session's own token."""

    def make(project: str, agent: str | None = None) -> Any:
        made = call("POST", "/sessions", json={"name": "s", "project_id": project, "agent_id": agent}).json["id"]
        assert call("POST", f"/sessions/{made}/start").status_code == 200
        token = control_plane("POST", f"/sessions/{made}/token").json["token"]
        caller = type(people.admin)(people.app.test_client(), token)
        caller.session = made
        return caller

    return make


@pytest.fixture
def made() -> Callable[..., str]:
    """Makes a credential as somebody; answers its id."""

    def make(caller: Any, **fields: Any) -> str:
        body = {"name": f"c{secrets.token_hex(4)}", "provider": "github", "token": TOKEN, **fields}
        answer = caller("POST", "/credentials", json=body)
        assert answer.status_code == 201, answer.json
        assert TOKEN not in answer.text
        return str(answer.json["id"])

    return make


@pytest.fixture
def lend() -> Callable[..., Any]:
    """Lends a credential to sessions; answers what came of it."""

    def lend(caller: Any, credential: str, role: str = "credential-viewer", **place: str) -> Any:
        body = {"role_id": role, "scope": "credential", "credential_id": credential, **place}
        return caller("POST", "/role_bindings", json=body)

    return lend


__all__ = ["TOKEN", "app", "lend", "made", "names", "other", "people", "project", "running"]
