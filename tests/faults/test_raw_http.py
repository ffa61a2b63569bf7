"""What no HTTP library sends: the answer has our one shape all the same, from the API and from the gateway."""

import json
import socket
from contextlib import suppress
from typing import Any

import pytest

from tests.faults.conftest import Parts

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("parts")]


def exchange(port: int, raw: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        # It may say no and hang up before it has read everything.
        with suppress(OSError):
            connection.sendall(raw)
        answer = b""
        while part := connection.recv(65536):
            answer += part
            head, _, body = answer.partition(b"\r\n\r\n")
            if body and complete(body):
                break
    lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    return int(lines[0].split()[1]), headers, json.loads(body)


def complete(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


@pytest.fixture(params=["port", "gateway-port"])
def port(request: Any, parts: Parts) -> int:
    return parts.ports[request.param]


CASES = {
    "no http": (b"hello\r\n\r\n", 400),
    "unknown version": (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", 505),
    "method in lower case": (b"g\x01t / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "16 KiB path": (b"GET /api/ambient/v1/sessions/" + b"x" * 16384 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    "32 KiB header": (b"GET / HTTP/1.1\r\nHost: x\r\nX-Big: " + b"x" * 32768 + b"\r\n\r\n", 431),
    "length is no number": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n", 400),
    "two lengths": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", 400),
    "length and chunks": (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "chunks and something else": (
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
        400,
    ),
    "chunks twice": (
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "folded header": (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: one\r\n two\r\n\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\nAccept: */*\r\n\r\n", 400),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
    "header without colon": (b"GET / HTTP/1.1\r\nHost x\r\n\r\n", 400),
}


@pytest.mark.parametrize("case", CASES)
def test_43_what_is_no_request_is_refused_in_our_shape(port: int, case: str) -> None:
    raw, expected = CASES[case]
    status, headers, body = exchange(port, raw)
    assert (status, headers["content-type"]) == (expected, "application/json")
    assert body["kind"] == "Error"
    assert body["reason"]
    assert body["operation_id"] == headers["x-operation-id"]
    assert "gunicorn" not in json.dumps(body).lower()


def authorized(parts: Parts, request: bytes) -> bytes:
    head, _, rest = request.partition(b"\r\n")
    return head + b"\r\nHost: x\r\nAuthorization: " + parts.headers["Authorization"].encode() + b"\r\n" + rest


@pytest.mark.parametrize(("length", "expected"), [(8000, 404), (8192, 414)])
def test_42_an_id_of_8_kb_is_refused_in_few_words(parts: Parts, length: int, expected: int) -> None:
    request = b"GET /api/ambient/v1/sessions/" + b"x" * length + b" HTTP/1.1\r\n\r\n"
    status, _, body = exchange(parts.ports["port"], authorized(parts, request))
    assert (status, len(body["reason"]) < 300) == (expected, True)


def test_39_a_body_over_the_limit_is_413_before_it_is_read(parts: Parts) -> None:
    declared = b"POST /api/ambient/v1/projects HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n"
    status, _, body = exchange(parts.ports["port"], authorized(parts, declared))
    assert (status, "1048576 bytes" in body["reason"]) == (413, True)


def test_39_a_chunked_body_is_cut_at_the_limit(parts: Parts) -> None:
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    head = b"POST /api/ambient/v1/projects HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    status, _, body = exchange(parts.ports["port"], authorized(parts, head + chunk * 8))
    assert (status, body["kind"]) == (413, "Error"), str(body)


def test_42_an_encoded_slash_and_a_dot_segment_are_no_way_around(parts: Parts) -> None:
    for path in (b"sessions%2Fx", b"sessions/..%2f..%2fetc", b"sessions/%00", b"sessions/%ff%fe", b"%2e%2e/plugins"):
        request = b"GET /api/ambient/v1/" + path + b" HTTP/1.1\r\n\r\n"
        status, _, body = exchange(parts.ports["port"], authorized(parts, request))
        assert (status, body["kind"]) in {(404, "Error"), (400, "Error")}, path
