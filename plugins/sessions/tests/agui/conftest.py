"""A scripted runner, and the gateway over a real database and real HTTP."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from werkzeug.serving import make_server

TOKEN = "token-of-the-runner"


class ScriptedRunner:
    """An AG-UI server that does what its script says."""

    def __init__(self) -> None:
        self.script: Callable[[Any], None] = lambda handler: None
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.interrupted = threading.Event()
        runner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                runner.requests.append(("POST", self.path, dict(self.headers), body))
                if self.path == "/interrupt":
                    runner.interrupted.set()
                    self.answer(200, b"{}", "application/json")
                else:
                    runner.script(self)

            def do_GET(self) -> None:
                runner.requests.append(("GET", self.path, dict(self.headers), b""))
                self.answer(200, b'{"identity": {"name": "scripted"}}', "application/json")

            def answer(self, status: int, body: bytes, kind: str, **headers: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def stream(self, *parts: bytes, **headers: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                for part in parts:
                    self.wfile.write(part)
                    self.wfile.flush()

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def event(kind: str, **fields: Any) -> bytes:
    return f"data: {json.dumps({'type': kind, **fields})}\n\n".encode()


STARTED = event("RUN_STARTED", threadId="t", runId="r")
FINISHED = event("RUN_FINISHED", threadId="t", runId="r")
HELLO = (
    event("TEXT_MESSAGE_START", messageId="m", role="assistant"),
    event("TEXT_MESSAGE_CONTENT", messageId="m", delta="hello"),
)
BYE = event("TEXT_MESSAGE_END", messageId="m")


@pytest.fixture
def runner() -> Iterator[ScriptedRunner]:
    made = ScriptedRunner()
    yield made
    made.close()


@pytest.fixture(scope="module")
def gateway(app: Any) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/api/ambient/v1/sessions"
    server.shutdown()


class Running:
    """A session that runs on the scripted runner."""

    def __init__(self, identifier: str, gateway: str, headers: dict[str, str]) -> None:
        self.id = identifier
        self.url = f"{gateway}/{identifier}/agui"
        self.headers = headers

    def post(self, path: str = "run", **options: Any) -> httpx.Response:
        return httpx.post(
            f"{self.url}/{path}",
            headers={**self.headers, **options.pop("headers", {})},
            timeout=30,
            trust_env=False,
            **options,
        )

    def get(self, path: str, **options: Any) -> httpx.Response:
        return httpx.get(
            f"{self.url}/{path}",
            headers={**self.headers, **options.pop("headers", {})},
            timeout=30,
            trust_env=False,
            **options,
        )

    def run(self, run_id: str = "r", **body: Any) -> list[dict[str, Any]]:
        answer = self.post(
            json={"runId": run_id, "messages": [{"id": f"u-{run_id}", "role": "user", "content": "hi"}], **body}
        )
        assert answer.status_code == 200, answer.text
        return events_of(answer.text)


def events_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]


@pytest.fixture
def running(call: Any, control_plane: Any, project: str, gateway: str, runner: ScriptedRunner) -> Callable[[], Running]:
    """Makes sessions that run on the scripted runner."""

    def make() -> Running:
        identifier = call("POST", "/sessions", json={"name": "s", "project_id": project}).json["id"]
        call("POST", f"/sessions/{identifier}/start")
        endpoint = {"starts": 1, "host": "127.0.0.1", "port": runner.port, "token": TOKEN}
        assert control_plane("PATCH", f"/sessions/{identifier}/endpoint", json=endpoint).status_code == 204
        status = {"starts": 1, "phase": "Running"}
        assert control_plane("PATCH", f"/sessions/{identifier}/status", json=status).status_code == 200
        return Running(identifier, gateway, call.headers)

    return make


@pytest.fixture
def session(running: Callable[[], Running]) -> Running:
    return running()
