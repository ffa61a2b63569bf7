"""A private repository over HTTP, as a forge has one."""

import base64
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

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


def private_repository(folder: Path, password: str) -> GitServer:
    """A server with the repository ``private.git``.

    Args:
        folder: for the repository.
        password: of the server.
    """
    work = folder / "work"
    work.mkdir(parents=True)
    (work / "README.md").write_text("# Private\n")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*GIT, *command], cwd=work, check=True)
    subprocess.run([*GIT, "clone", "-q", "--bare", str(work), str(folder / "private.git")], check=True)
    return GitServer(folder, password)
