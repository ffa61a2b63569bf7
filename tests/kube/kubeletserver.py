"""The kubelet's HTTPS server: where the API server reads the logs of pods."""

import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.kube.containers import Log

LogOf = Callable[[str, str, str], Log | None]


class KubeletServer:
    """Serves ``/containerLogs/NAMESPACE/POD/CONTAINER``.

    Args:
        log_of: finds a container's log; None when it has none yet.
        certificate: certificate and key.
    """

    def __init__(self, log_of: LogOf, certificate: tuple[Path, Path]) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)

        class Handler(_Handler):
            logs = staticmethod(log_of)

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="kubelet-server", daemon=True
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Serve."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A reader that goes away is no fault."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    logs: LogOf

    def log_message(self, *args: object) -> None:
        """Requests are not news."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        _, kind, *rest = url.path.split("/")
        log = self.logs(*rest) if kind == "containerLogs" and len(rest) == 3 else None
        if log is None:
            self._refuse(f'container "{rest[-1]}" in pod "{rest[-2]}" is waiting to start')
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        tail = query.get("tailLines")
        follow = query.get("follow") in ("true", "1")
        times = query.get("timestamps") in ("true", "1")
        for when, line in log.read(follow, int(tail) if tail else None, _since(query)):
            stamped = when.strftime("%Y-%m-%dT%H:%M:%S.%f000Z ").encode() + line if times else line
            self.wfile.write(f"{len(stamped):x}\r\n".encode() + stamped + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def _refuse(self, reason: str) -> None:
        body = reason.encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _since(query: dict[str, str]) -> float | None:
    """How many seconds back is asked for, in either way; a time to come is asked for as less than none."""
    if "sinceTime" in query:
        return (datetime.now(UTC) - datetime.fromisoformat(query["sinceTime"])).total_seconds()
    return float(query["sinceSeconds"]) if "sinceSeconds" in query else None
