"""The redirect back to this machine: a server on the loopback that waits for one answer of the provider (RFC 8252)."""

import html
import queue
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ambient_core.cli.login.provider import Denied
from ambient_core.errors import SetupError

PATH = "/callback"
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True


class Loopback:
    """Waits for the browser to come back.

    Args:
        server: that listens.
        answers: what came with our state.
        state: that only our own request carries.
    """

    def __init__(self, server: _Server, answers: "queue.Queue[dict[str, str]]", state: str) -> None:
        self.state = state
        self.address = f"http://127.0.0.1:{server.server_address[1]}{PATH}"
        self._answers = answers

    def code(self, issuer: str, patience: float) -> str:
        """The code that the provider sends.

        Raises:
            Denied: it sends a refusal.
            SetupError: nothing came in time, or from another provider.
        """
        try:
            answer = self._answers.get(timeout=patience)
        except queue.Empty:
            raise SetupError(f"Nobody logged in within {patience:g} seconds; try again, or with --device.") from None
        if answer.get("iss", issuer) != issuer:
            raise SetupError(f"The answer comes from {answer['iss'][:200]!r}, and {issuer} was asked (RFC 9207).")
        if "error" in answer:
            raise Denied(answer["error"], answer.get("error_description", ""))
        if not answer.get("code"):
            raise SetupError("The identity provider sent the browser back without a code.")
        return answer["code"]


@contextmanager
def listening(port: int = 0) -> Iterator[Loopback]:
    """Listen on the loopback, on any free port unless one is named.

    Raises:
        SetupError: the port cannot be used.
    """
    answers: queue.Queue[dict[str, str]] = queue.Queue()
    state = secrets.token_urlsafe(32)
    try:
        server = _Server(("127.0.0.1", port), _handler(state, answers))
    except OSError as fault:
        raise SetupError(f"Port {port} cannot be used: {fault.strerror}; choose another with --port.") from fault
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield Loopback(server, answers, state)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(state: str, answers: "queue.Queue[dict[str, str]]") -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10
        server_version = "ambient"
        sys_version = ""

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path != PATH:
                self._say(404, "There is nothing here.")
                return
            given = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if not secrets.compare_digest(given.get("state", "").encode(), state.encode()):
                # Any page may send a browser here; only our own provider knows the state, and it may still come.
                self._say(400, "This is not the answer to the login that was started.")
                return
            self._say(200, "The login failed." if "error" in given else "You are logged in. You may close this window.")
            answers.put(given)

        def _say(self, status: int, words: str) -> None:
            page = f"<!doctype html><title>ambient</title><p>{html.escape(words)}</p>".encode()
            self.send_response(status)
            for name, value in {**_HEADERS, "Content-Length": str(len(page))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(page)
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing: the address holds the code."""

    return Handler
