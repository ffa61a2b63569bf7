"""A private repository is cloned with what the session was lent, and the secret is nowhere but on its way."""

import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.e2e.conftest import System
from tests.e2e.gitserver import GitServer, private_repository

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("system")]


@pytest.fixture
def password() -> str:
    return f"canary{secrets.token_hex(16)}"


@pytest.fixture
def private(tmp_path: Path, password: str) -> Iterator[GitServer]:
    """A server with the repository ``private.git``."""
    server = private_repository(tmp_path, password)
    yield server
    server.close()


def lend(system: System, private: GitServer, password: str) -> str:
    body = {"name": f"c{secrets.token_hex(4)}", "provider": "github", "token": password, "url": private.url}
    made = system.ask("POST", "/credentials", json=body)
    assert made.status_code == 201, made.text
    credential = str(made.json()["id"])
    loan = {"role_id": "credential-viewer", "scope": "credential", "credential_id": credential, "project_id": "demo"}
    assert system.ask("POST", "/role_bindings", json=loan).status_code == 201
    return credential


def places_of(system: System, password: str) -> list[str]:
    """Where the secret is: files of the whole system, its log, and what any of its processes can be seen with."""
    files = [system.log, *(path for path in system.folder.rglob("*") if path.is_file() and not path.is_symlink())]
    found = [str(path) for path in files if password.encode() in path.read_bytes()]
    for process in system.processes():
        try:
            if password in f"{process.cmdline()}{process.environ()}":
                found.append(f"process {process.pid}")
        except psutil.Error:
            continue
    return found


def test_a_private_repository_is_cloned_with_what_the_session_was_lent(
    system: System, private: GitServer, password: str
) -> None:
    credential = lend(system, private, password)
    session = system.session(repo_url=f"{private.url}/private.git")
    row = system.until(session, "Running", "Failed")
    assert row["phase"] == "Running", row
    assert (system.workspace(session) / "private" / "README.md").read_text() == "# Private\n"
    assert set(private.users) == {"x-access-token"}
    fetched = system.ask("GET", f"/changes?object_id={credential}&verb=fetch_token").json()["items"]
    assert {entry["actor"] for entry in fetched} == {f"session:{session}"}
    seen = [
        system.ask("GET", f"/sessions/{session}{path}").text
        for path in ("", "/logs", "/explain", "/messages", "/history")
    ]
    assert password not in str(seen)
    assert places_of(system, password) == []
    system.ask("POST", f"/sessions/{session}/stop")
    system.until(session, "Stopped")
    assert system.ask("DELETE", f"/credentials/{credential}").status_code == 204


def test_a_runner_of_the_predecessor_finds_the_ids_and_fetches_while_the_session_runs(
    system: System, private: GitServer, password: str
) -> None:
    credential = lend(system, private, password)
    session = system.session()
    system.until(session, "Running")
    found = [process.environ() for process in system.processes(session) if "SESSION_ID" in process.environ()]
    given = found[0]
    assert json.loads(given["CREDENTIAL_IDS"]) == {"github": credential}
    path = f"/api/ambient/v1/projects/{given['PROJECT_NAME']}/credentials/{credential}/token"
    token = Path(given["AMBIENT_SESSION_TOKEN_FILE"]).read_text()

    def fetch() -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(given["BACKEND_API_URL"] + path, headers=headers, trust_env=False)

    assert fetch().json() == {"credential_id": credential, "provider": "github", "token": password}
    system.ask("POST", f"/sessions/{session}/stop")
    system.until(session, "Stopped")
    assert fetch().status_code == 401
    assert system.ask("DELETE", f"/credentials/{credential}").status_code == 204


def test_without_a_credential_the_session_fails_with_git_s_reason(system: System, private: GitServer) -> None:
    session = system.session(repo_url=f"{private.url}/private.git")
    row = system.until(session, "Running", "Failed")
    assert (row["phase"], system.reason(row)) == ("Failed", "CloneFailed")
    assert "could not read Username" in row["conditions"][0]["message"]
    assert private.users == []


def test_a_credential_of_another_server_is_not_shown_to_this_one(
    system: System, private: GitServer, password: str
) -> None:
    elsewhere = GitServer(Path(os.devnull), password)
    credential = lend(system, elsewhere, password)
    session = system.session(repo_url=f"{private.url}/private.git")
    row = system.until(session, "Running", "Failed")
    elsewhere.close()
    assert (row["phase"], private.users) == ("Failed", [])
    assert system.ask("GET", f"/changes?object_id={credential}&verb=fetch_token").json()["items"] == []
    assert system.ask("DELETE", f"/credentials/{credential}").status_code == 204


def test_the_keyring_is_made_at_the_first_start_and_is_for_the_api_alone(system: System) -> None:
    keyring = system.folder / "keyring"
    assert keyring.stat().st_mode & 0o777 == 0o600
    knowing = {
        words
        for process in system.processes()
        for words in [" ".join(process.cmdline())]
        if "AMBIENT_KEYRING_FILE" in process.environ()
    }
    assert knowing
    assert all(" serve" in words or "ambient_core dev" in words for words in knowing)
