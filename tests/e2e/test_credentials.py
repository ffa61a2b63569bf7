"""A private repository is cloned with what the session was lent, and the secret is nowhere but on its way."""

import base64
import os
import secrets
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.conftest import System

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("system")]
GIT = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]


def backend(folder: Path, request: BaseHTTPRequestHandler, body: bytes) -> tuple[dict[str, str], bytes]:
    """What git's own back end answers."""
    path, _, query = request.path.partition("?")
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(folder),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_METHOD": request.command,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "HTTP_GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
    }
    done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=True)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    return dict(line.decode().split(": ", 1) for line in head.split(b"\r\n")), content


class GitServer:
    """A repository over HTTP: git's own back end, behind basic authentication.

    Args:
        folder: with bare repositories.
        password: that is taken, of whatever user.
    """

    def __init__(self, folder: Path, password: str) -> None:
        self.users: list[str] = []
        users = self.users

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer()

            def do_POST(self) -> None:
                self.answer()

            def log_message(self, *_: Any) -> None:
                """Nothing."""

            def answer(self) -> None:
                kind, _, given = self.headers.get("Authorization", "").partition(" ")
                user, _, said = base64.b64decode(given if kind == "Basic" else "").decode().partition(":")
                if said != password:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="git"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                users.append(user)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fields, content = backend(folder, self, body)
                self.send_response(int(fields.pop("Status", "200 OK").split()[0]))
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def password() -> str:
    return f"canary{secrets.token_hex(16)}"


@pytest.fixture
def private(tmp_path: Path, password: str) -> Iterator[GitServer]:
    """A server with the repository ``private.git``."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "README.md").write_text("# Private\n")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*GIT, *command], cwd=work, check=True)
    subprocess.run([*GIT, "clone", "-q", "--bare", str(work), str(tmp_path / "private.git")], check=True)
    server = GitServer(tmp_path, password)
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
