"""The side servers: what they do not know is refused in the shape of every other error."""

import json
import socket
import threading
from collections.abc import Iterator

import pytest

from ambient_core.serving.health import server


@pytest.fixture
def port() -> Iterator[int]:
    made = server("127.0.0.1:0", "health_bind", {"/healthz": lambda: (200, "application/json", b'{"alive":true}')})
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield int(made.server_address[1])
    made.shutdown()
    made.server_close()
    thread.join()


def exchange(port: int, raw: bytes) -> tuple[bytes, bytes]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


def test_what_is_known_is_answered(port: int) -> None:
    head, body = exchange(port, b"GET /healthz?x=1 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (head.split()[1], body) == (b"200", b'{"alive":true}')


@pytest.mark.parametrize(
    ("raw", "status", "words"),
    [
        (b"GET /nowhere HTTP/1.1\r\n\r\n", 404, "There is nothing here but /healthz."),
        (b"POST /healthz HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 405, "Only GET is possible here."),
        (b"GET / HTTP/nine\r\n\r\n", 400, "This is no valid HTTP request."),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 400, "This is no valid HTTP request."),
    ],
    ids=["an unknown address", "a wrong method", "no HTTP", "a long address"],
)
def test_the_rest_is_refused_in_the_one_shape(port: int, raw: bytes, status: int, words: str) -> None:
    head, body = exchange(port, raw)
    refusal = json.loads(body)
    assert (int(head.split()[1]), refusal["reason"]) == (status, words)
    assert {"id", "kind", "href", "code", "operation_id"} <= set(refusal)
    assert (b"Allow: GET" in head) == (status == 405)
