"""39-48: attacks on raw sockets against the servers as they run: what they may take is bounded, and others are served meanwhile."""

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import psutil
import pytest

from ambient_core.embedded.postgres import EmbeddedPostgres
from tests.e2e.conftest import BASE, wait_for
from tests.faults.conftest import Parts
from tests.faults.test_raw_http import authorized, exchange

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("attacks")]
BODY_LIMIT = 1_048_576
CONNECTIONS, STREAMS = 40, 8
SHORT = {
    "WORKERS": "1",
    "WORKER_CONNECTIONS": str(CONNECTIONS),
    "HEADER_TIMEOUT": "3",
    "BODY_TIMEOUT": "5",
    "SEND_TIMEOUT": "3",
    "PRINCIPAL_STREAM_LIMIT": str(STREAMS),
}
EVENTS = f"GET {BASE}/changes HTTP/1.1\r\nAccept: text/event-stream\r\n\r\n".encode()


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """API and gateway of one worker each, with little patience and few connections."""
    folder = tmp_path_factory.mktemp("attacked")
    postgres = EmbeddedPostgres(folder / "postgres", durable=False, max_connections=60).start()
    made = Parts(folder / "data", postgres)
    made.variables |= {f"AMBIENT_{name}": value for name, value in SHORT.items()}
    made.start()
    yield made
    made.stop()
    postgres.stop()
    postgres.remove()
    # Nobody's attack is a fault of ours, and none fills the log.
    assert "Traceback" not in made.log.read_text()


@pytest.fixture(params=["api", "gateway"])
def part(request: Any) -> str:
    return str(request.param)


@pytest.fixture
def port(parts: Parts, part: str) -> int:
    return parts.ports["port" if part == "api" else "gateway-port"]


@pytest.fixture(scope="module")
def session(parts: Parts) -> str:
    return str(parts.ask("POST", "/sessions", json={"name": "s", "project_id": "demo"}).json()["id"])


@pytest.fixture
def write(part: str, session: str) -> bytes:
    """The begin of a request with a body that this part takes."""
    path = f"{BASE}/projects" if part == "api" else f"{BASE}/sessions/{session}/agui/run"
    return f"POST {path} HTTP/1.1\r\nContent-Type: application/json\r\n".encode()


@contextmanager
def health(parts: Parts) -> Iterator[None]:
    """`/healthz` answers all the time."""
    over, found = threading.Event(), []

    def ask() -> None:
        with httpx.Client(trust_env=False, timeout=20) as client:
            while not (over.is_set() and found):
                found.append(client.get(f"http://127.0.0.1:{parts.ports['health-port']}/healthz").status_code)
                over.wait(0.05)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert set(found) == {200}


@contextmanager
def connections(port: int, count: int) -> Iterator[list[socket.socket]]:
    """So many connections, closed in the end."""
    made = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(count)]
    try:
        yield made
    finally:
        for connection in made:
            connection.close()


def rest(connection: socket.socket) -> bytes:
    """Everything that still comes, until the server hangs up."""
    found = b""
    with suppress(ConnectionError):
        while part := connection.recv(65536):
            found += part
    return found


def memory(parts: Parts, part: str) -> int:
    return sum(worker.memory_info().rss for worker in parts.workers(part))


def served(parts: Parts, part: str) -> bool:
    url = parts.api + "/projects" if part == "api" else f"{parts.gateway}{BASE}/sessions/none/agui/runs"
    answer = httpx.get(url, headers=parts.headers, trust_env=False, timeout=20)
    return answer.status_code == (200 if part == "api" else 404)


def test_39_chunks_without_end_are_cut_off_and_take_no_more_memory_than_twice_the_limit(
    parts: Parts, part: str, port: int, write: bytes
) -> None:
    attackers, chunk = 20, b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    request = authorized(parts, write + b"Transfer-Encoding: chunked\r\n\r\n")
    served(parts, part)
    before, answers = memory(parts, part), []

    def attack(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(request)
            while True:
                connection.sendall(chunk)
        answers.append(rest(connection))

    with health(parts), connections(port, attackers) as made:
        threads = [threading.Thread(target=attack, args=(connection,)) for connection in made]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    # Whoever still sends may lose the answer with the connection.
    assert {answer.split(b" ", 2)[1] for answer in answers if answer} <= {b"413", b"408"}
    assert memory(parts, part) - before < attackers * 2 * BODY_LIMIT
    assert served(parts, part)


def test_40_a_compressed_bomb_is_415_and_is_not_unpacked(parts: Parts, part: str, port: int, write: bytes) -> None:
    bomb = gzip.compress(b"[" + b" " * 200_000_000 + b"]", 1)
    assert len(bomb) < BODY_LIMIT
    served(parts, part)
    before = memory(parts, part)
    head = f"Content-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    status, _, body = exchange(port, authorized(parts, write + head + bomb))
    assert (status, body["kind"]) == (415, "Error")
    assert memory(parts, part) - before < 20 * BODY_LIMIT


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Host: a\r\nHost: b\r\n",
    ],
)
def test_43_a_second_request_behind_an_ambiguous_one_is_never_answered(
    parts: Parts, port: int, write: bytes, framing: bytes
) -> None:
    smuggled = f"0\r\n\r\nGET {BASE}/version HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with connections(port, 1) as (connection,):
        connection.sendall(authorized(parts, write + framing + b"\r\n" + smuggled))
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_44_nothing_that_a_caller_sends_becomes_a_header(parts: Parts, port: int) -> None:
    for path in (
        "/projects/%0d%0aSet-Cookie:%20a=b",
        "/sessions/%0aX-Evil:%201/agui/runs",
        "/version?x=%0d%0aX-Evil:1",
    ):
        for more in (
            "",
            "X-Operation-ID: a%0d%0ab\r\n",
            "Idempotency-Key: a%0d%0ab\r\n",
            'If-None-Match: "\\r\\n"\r\n',
        ):
            raw = authorized(parts, f"GET {BASE}{path} HTTP/1.1\r\n{more}Connection: close\r\n\r\n".encode())
            with connections(port, 1) as (connection,):
                connection.sendall(raw)
                head = rest(connection).partition(b"\r\n\r\n")[0].lower()
            assert head.startswith(b"http/1.1 ")
            assert not [line for line in head.split(b"\r\n") if line.startswith((b"set-cookie", b"x-evil"))]
            assert b"\n" not in head.replace(b"\r\n", b"")


def test_48_heads_that_never_end_are_given_up_and_others_are_served(parts: Parts, part: str, port: int) -> None:
    with health(parts), connections(port, 2 * CONNECTIONS) as made:
        for connection in made:
            with suppress(OSError):
                connection.sendall(b"GET /api/ambient/v1/version HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        assert served(parts, part)
        answers = [rest(connection) for connection in made]
    told = [answer for answer in answers if answer]
    assert told
    assert {answer.split(b" ", 2)[1] for answer in told} == {b"408"}
    assert json.loads(told[0].partition(b"\r\n\r\n")[2])["code"] == "ambient-api-server-408"


def test_48_connections_that_say_nothing_keep_nobody_out(parts: Parts, part: str, port: int) -> None:
    with health(parts), connections(port, 3 * CONNECTIONS) as made:
        assert served(parts, part)
        assert [rest(connection) for connection in made] == [b""] * len(made)


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 1000\r\n\r\n[",
        b"Content-Length: 1000000\r\n\r\n[",
        b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n[",
    ],
    ids=["short", "long", "chunked"],
)
def test_48_a_body_that_never_ends_is_408(parts: Parts, part: str, port: int, write: bytes, framing: bytes) -> None:
    with health(parts), connections(port, 5) as made:
        for connection in made:
            connection.sendall(authorized(parts, write + framing))
        assert served(parts, part)
        answers = [rest(connection) for connection in made]
    for answer in answers:
        head, _, body = answer.partition(b"\r\n\r\n")
        assert (head.split(b" ", 2)[1], json.loads(body)["code"]) == (b"408", "ambient-api-server-408"), head


@pytest.mark.parametrize("chunks", [b"zz\r\n[]", b"-2\r\n[]", b"2\r\n[]0", b"2 x\r\n[]"])
def test_43_chunks_that_are_none_are_400(parts: Parts, part: str, port: int, write: bytes, chunks: bytes) -> None:
    request = authorized(parts, write + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"\r\n0\r\n\r\n")
    with health(parts), connections(port, 1) as (connection,):
        connection.sendall(request)
        head, _, body = rest(connection).partition(b"\r\n\r\n")
        assert (head.split(b" ", 2)[1], json.loads(body)["code"]) == (b"400", "ambient-api-server-17"), head
        assert served(parts, part)


def test_47_a_reader_that_takes_nothing_is_cut_off_alone(parts: Parts, part: str, port: int) -> None:
    path = f"{BASE}/openapi" if part == "api" else f"{BASE}/openapi.html"
    request = authorized(parts, f"GET {path} HTTP/1.1\r\n\r\n".encode())
    with health(parts), connections(port, 1) as (connection,):
        own, before = connection.getsockname()[1], memory(parts, part)
        with suppress(OSError):
            connection.settimeout(2)
            for _ in range(20_000):
                connection.sendall(request)
        assert served(parts, part)
        wait_for(lambda: not held(parts, part, own), "the end of the connection", 60)
        assert memory(parts, part) - before < 50 * BODY_LIMIT


def held(parts: Parts, part: str, port: int) -> bool:
    """Whether a part still holds the connection from this port."""
    found: list[Any] = [c for worker in parts.workers(part) for c in worker.net_connections("tcp")]
    return any(c.raddr and c.raddr.port == port and c.status == psutil.CONN_ESTABLISHED for c in found)


def test_46_one_stream_too_many_is_429_and_requests_are_answered(parts: Parts) -> None:
    port = parts.ports["port"]
    with health(parts), connections(port, STREAMS) as made:
        for connection in made:
            connection.sendall(authorized(parts, EVENTS))
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        status, headers, body = exchange(port, authorized(parts, EVENTS))
        assert (status, "principal_stream_limit" in body["reason"]) == (429, True)
        assert int(headers["retry-after"]) > 0
        assert served(parts, "api")
