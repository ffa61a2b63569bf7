"""Plain HTTP answered the short way, over real sockets; what is not plain comes back untouched."""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from gunicorn.config import Config

from ambient_core.serving.exchange import Connection, Head, Limits, template_of
from ambient_core.serving.patience import Lobby, Patience, Slow, deliver
from ambient_core.serving.worker import Resumed

GET = b"GET /things/a%20b?x=1&y=%20 HTTP/1.1\r\nHost: example\r\nAccept: */*\r\nX-Long-Name: caf\xe9\r\n\r\n"
POST = b"POST /things HTTP/1.1\r\nHost: example\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n"
LIMITS = Limits(8190, 64, 16448)
PATIENCE = Patience(5, 5, 5, 5)
SHORT = Patience(0.2, 0.2, 0.2, 0.2)
JSON = [("Content-Type", "application/json")]


class Pair:
    """A client's socket, and the connection that the server has with it."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.client = socket.create_connection(self.listener.getsockname(), timeout=20)
        self.served, address = self.listener.accept()
        template = template_of(Config(), self.listener, self.served, address)
        self.lobby = Lobby(10)
        self.connection = Connection(self.served, template, LIMITS, PATIENCE, self.lobby)
        self.hurried = Connection(self.served, template, LIMITS, SHORT, self.lobby)

    def close(self) -> None:
        for each in (self.client, self.served, self.listener):
            each.close()

    def next(self, raw: bytes) -> Any:
        self.client.sendall(raw)
        return self.connection.next()

    def answer(self, application: Callable[..., Iterable[bytes]], *, closes: bool = False) -> tuple[bool, bytes]:
        """Serve a GET; answers whether the connection goes on, and what the client got."""
        head = self.next(GET)
        goes_on = self.connection.answer(head, application, closes=closes)
        self.served.shutdown(socket.SHUT_WR)
        return goes_on, b"".join(iter(lambda: self.client.recv(65536), b""))


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.close()


def meanwhile(connection: Connection, *turns: Callable[[], None]) -> Head | bytes | None:
    """The next request of a connection, while these take place again and again."""
    found: list[Head | bytes | None] = []
    waiting = threading.Thread(target=lambda: found.append(connection.next()))
    waiting.start()
    while waiting.is_alive():
        for turn in turns:
            turn()
        waiting.join(0.01)
    return found[0]


def says(status: str, headers: list[tuple[str, str]], *parts: bytes) -> Callable[..., Iterable[bytes]]:
    def application(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start(status, headers)
        return iter(parts)

    return application


def test_a_plain_request_is_read_as_wsgi_says(pair: Pair) -> None:
    head = pair.next(GET)
    assert isinstance(head, Head)
    wanted = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/things/a b",
        "QUERY_STRING": "x=1&y=%20",
        "RAW_URI": "/things/a%20b?x=1&y=%20",
        "HTTP_HOST": "example",
        "HTTP_X_LONG_NAME": "caf\xe9",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "SCRIPT_NAME": "",
    }
    assert {name: head.environ[name] for name in wanted} == wanted
    assert (head.environ["wsgi.input"].read(), head.closes) == (b"", False)


def test_a_body_may_come_later_than_its_head(pair: Pair) -> None:
    later = threading.Timer(0.05, pair.client.sendall, [b'":1}'])
    later.start()
    head = pair.next(POST + b'{"a')
    assert (head.environ["wsgi.input"].read(), head.environ["CONTENT_LENGTH"]) == (b'{"a":1}', "7")
    assert head.environ["CONTENT_TYPE"] == "application/json"
    later.join()


def test_requests_that_come_together_are_answered_one_after_the_other(pair: Pair) -> None:
    first = pair.next(POST + b'{"a":1}' + GET)
    second = pair.connection.next()
    assert (first.environ["REQUEST_METHOD"], second.environ["REQUEST_METHOD"]) == ("POST", "GET")  # type: ignore[union-attr]


def test_a_client_that_is_gone_ends_it(pair: Pair) -> None:
    pair.client.close()
    assert pair.connection.next() is None


def test_a_client_that_goes_within_a_body_ends_it(pair: Pair) -> None:
    pair.client.sendall(POST + b"{")
    pair.client.close()
    assert pair.connection.next() is None


def with_header(line: bytes) -> bytes:
    return GET[:-2] + line + b"\r\n\r\n"


NOT_PLAIN = {
    "half a head": GET[:40],
    "no http": b"hello\r\n\r\n",
    "an empty line first": b"\r\n" + GET,
    "old version": GET.replace(b"HTTP/1.1", b"HTTP/1.0"),
    "HEAD": GET.replace(b"GET", b"HEAD"),
    "OPTIONS": b"OPTIONS * HTTP/1.1\r\nHost: example\r\n\r\n",
    "a target with a host": GET.replace(b"/things", b"http://other/things"),
    "two slashes first": GET.replace(b"/things", b"//things"),
    "a fragment": GET.replace(b"?x", b"#x"),
    "bytes beyond ascii in the target": GET.replace(b"%20b", b"\xe9"),
    "chunks": with_header(b"Transfer-Encoding: chunked"),
    "an expectation": with_header(b"Expect: 100-continue"),
    "an upgrade": with_header(b"Upgrade: h2c"),
    "a header twice": with_header(b"Accept: text/html"),
    "two lengths": with_header(b"Content-Length: 1\r\nContent-Length: 2"),
    "a length that is no number": with_header(b"Content-Length: +1"),
    "a length beyond ascii": with_header("Content-Length: ²".encode("latin-1")),
    "a body that is large": with_header(b"Content-Length: 999999"),
    "a body that is larger still": with_header(b"Content-Length: 99999999999"),
    "another connection": with_header(b"Connection: keep-alive, upgrade"),
    "a forwarded scheme": with_header(b"X-Forwarded-Proto: https"),
    "an underscore": with_header(b"Remote_User: root"),
    "a space before the colon": with_header(b"X-Space : 1"),
    "a folded header": with_header(b"X-Folded: 1\r\n 2"),
    "too many headers": with_header(b"\r\n".join(b"X-%d: 1" % number for number in range(70))),
    "a header that is too long": with_header(b"X-Big: " + b"x" * 20000),
    "a line that is too long": GET.replace(b"/things", b"/" + b"x" * 9000),
}


@pytest.mark.parametrize("case", NOT_PLAIN)
def test_what_is_not_plain_comes_back_as_it_was_sent(pair: Pair, case: str) -> None:
    assert pair.next(NOT_PLAIN[case]) == NOT_PLAIN[case]


def test_what_was_read_is_read_again_by_who_goes_on(pair: Pair) -> None:
    pair.client.sendall(b"rest")
    resumed = Resumed(pair.served, b"first", PATIENCE)
    assert [resumed.recv(3), resumed.recv(100), resumed.recv(100)] == [b"fir", b"st", b"rest"]
    assert resumed.fileno() == pair.served.fileno()


def test_48_a_body_that_does_not_come_in_time_is_slow(pair: Pair) -> None:
    pair.client.sendall(POST + b"[1,")
    with pytest.raises(Slow):
        pair.hurried.next()


def test_48_a_head_that_does_not_come_in_time_is_slow(pair: Pair) -> None:
    resumed = Resumed(pair.served, b"GET / HT", SHORT)
    assert resumed.recv(100) == b"GET / HT"
    with pytest.raises(Slow):
        resumed.recv(100)


def test_48_who_only_keeps_a_connection_open_is_hung_up_on_without_a_word(pair: Pair) -> None:
    resumed = Resumed(pair.served, b"", SHORT)
    resumed.head_follows()
    assert (resumed.recv(100), resumed.slow) == (b"", True)


def test_48_a_body_that_somebody_reads_ends_with_an_error_of_the_socket(pair: Pair) -> None:
    resumed = Resumed(pair.served, b"", SHORT)
    resumed.body_follows()
    with pytest.raises(TimeoutError):
        resumed.recv(100)


def test_47_a_client_that_takes_nothing_is_given_up(pair: Pair) -> None:
    pair.served.settimeout(0.2)
    with pytest.raises(TimeoutError):
        deliver(pair.served, b"x" * 64 * 1024 * 1024)
    with pytest.raises(BrokenPipeError):
        Resumed(pair.served, b"", SHORT).sendall(b"x" * 64 * 1024 * 1024)


def test_47_a_client_that_says_nothing_is_sent_away_by_a_sweep(pair: Pair) -> None:
    assert meanwhile(pair.hurried, pair.lobby.sweep) is None
    assert pair.client.recv(1) == b""


def test_a_sweep_leaves_who_has_time(pair: Pair) -> None:
    pair.lobby.waits(pair.served, time.monotonic() + 60)
    pair.lobby.sweep()
    assert isinstance(pair.next(GET), Head)


def test_who_keeps_a_connection_open_does_not_hold_up_a_server_that_stops(pair: Pair) -> None:
    head = pair.next(GET)
    pair.connection.answer(head, says("204 NO CONTENT", []), closes=False)
    assert meanwhile(pair.connection, pair.lobby.drain) is None


def test_a_request_that_has_come_is_read_though_the_server_stops(pair: Pair) -> None:
    pair.lobby.waits(pair.served, time.monotonic() + 60, kept=True)
    pair.client.sendall(GET)
    pair.lobby.drain()
    assert isinstance(pair.connection.next(), Head)


def test_a_first_request_is_not_waited_for_long_by_a_server_that_stops(pair: Pair) -> None:
    assert meanwhile(pair.connection, pair.lobby.drain, pair.lobby.sweep) is None


def test_48_when_there_are_too_many_who_has_waited_longest_goes() -> None:
    lobby, pairs = Lobby(2), [Pair() for _ in range(3)]
    for each in pairs:
        lobby.opened()
        lobby.waits(each.served)
        if each is pairs[0]:
            lobby.served(each.served)
    # The first is being answered, so the second goes.
    assert pairs[1].client.recv(1) == b""
    lobby.closed(pairs[1].served)
    lobby.opened()
    assert pairs[2].client.recv(1) == b""
    for each in pairs:
        each.close()


def test_an_answer_of_known_length_is_one_write(pair: Pair) -> None:
    goes_on, raw = pair.answer(says("200 OK", [*JSON, ("Content-Length", "4")], b"{", b"1}", b"\n"))
    head, _, body = raw.partition(b"\r\n\r\n")
    assert (goes_on, body) == (True, b"{1}\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 200 OK"
    assert lines[1].startswith(b"Date: ")
    assert lines[2:] == [b"Content-Type: application/json", b"Content-Length: 4"]


def test_a_stream_is_sent_in_chunks(pair: Pair) -> None:
    goes_on, raw = pair.answer(says("200 OK", [], b"one", b"", b"three"))
    assert goes_on
    assert raw.endswith(b"Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n5\r\nthree\r\n0\r\n\r\n")


@pytest.mark.parametrize("status", ["204 NO CONTENT", "304 NOT MODIFIED"])
def test_an_answer_without_a_body(pair: Pair, status: str) -> None:
    goes_on, raw = pair.answer(says(status, [("ETag", '"1"')]))
    assert (goes_on, raw.endswith(b'ETag: "1"\r\n\r\n'), b"chunked" in raw) == (True, True, False)


def test_the_last_answer_says_so(pair: Pair) -> None:
    goes_on, raw = pair.answer(
        says("200 OK", [("Content-Length", "1"), ("Connection", "keep-alive")], b"x"), closes=True
    )
    assert (goes_on, raw.count(b"Connection: close"), raw.count(b"keep-alive")) == (False, 1, 0)


def test_a_client_may_ask_for_the_last_answer(pair: Pair) -> None:
    assert pair.next(with_header(b"Connection: close")).closes


def test_an_answer_of_another_length_ends_the_connection(pair: Pair) -> None:
    assert pair.answer(says("200 OK", [("Content-Length", "5")], b"four"))[0] is False


def test_44_a_header_cannot_become_two(pair: Pair) -> None:
    pair.connection.answer(pair.next(GET), says("200 OK", [("Content-Length", "0")]), closes=False)
    with pytest.raises(ValueError, match="line break"):
        pair.connection.answer(pair.next(GET), says("200 OK", [("X-Name", "a\r\nSet-Cookie: b")]), closes=False)


class Closing:
    """An answer that breaks in the middle; it must be told that it is over."""

    closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield b"first"
        raise LookupError("broken")

    def close(self) -> None:
        self.closed = True


def test_a_stream_that_breaks_is_closed_and_has_no_end(pair: Pair) -> None:
    broken = Closing()

    def application(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [])
        return broken

    goes_on, raw = pair.answer(application)
    assert (goes_on, broken.closed) == (False, True)
    assert raw.endswith(b"5\r\nfirst\r\n")
