"""HTTP/1.1 as nearly every client sends it, read and answered with little work.

Gunicorn's own code serves every dialect of HTTP there is, and pays for it with each request. What is plain is answered
here: one parse in C, one environment, one write. Whatever is not (chunked bodies, upgrades, expectations, repeated or
forwarded headers, faults of any kind) is handed to Gunicorn, with every byte that was read, for the rest of the connection.
"""

import io
import logging
import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from email.utils import formatdate
from functools import lru_cache
from typing import Any, NamedTuple

from gunicorn.http.wsgi import base_environ
from gunicorn.util import unquote_to_wsgi_str
from gunicorn_h1c import IncompleteError, ParseError, parse_request

from ambient_core.http.context import BODY
from ambient_core.serving.patience import READ, Lobby, Patience, deliver, received

log = logging.getLogger(__name__)
Environment = dict[str, Any]
Application = Callable[..., Iterable[bytes]]

_METHODS = frozenset((b"GET", b"POST", b"PUT", b"PATCH", b"DELETE"))
_TARGET = re.compile(rb"/(?!/)[!-\"$-~]*")
_LARGEST = 256 * 1024
_NOT_PLAIN = frozenset(
    b"EXPECT HTTP2-SETTINGS TRANSFER-ENCODING UPGRADE X-FORWARDED-PROTO X-FORWARDED-PROTOCOL X-FORWARDED-SSL".split()
)
_HOP_BY_HOP = frozenset(("connection", "keep-alive", "transfer-encoding", "upgrade", "trailer", "te"))
_BODILESS = frozenset(("204", "304"))


class Head(NamedTuple):
    """A request without its body.

    Args:
        environ: for the application.
        size: bytes of the head.
        length: bytes of the body.
        closes: whether the client wants no other answer on this connection.
    """

    environ: Environment
    size: int
    length: int
    closes: bool


class Limits(NamedTuple):
    """What a head may have.

    Args:
        line: bytes of the request line.
        fields: headers.
        field: bytes of a header.
    """

    line: int
    fields: int
    field: int


@lru_cache(maxsize=1024)
def _variable(name: bytes) -> str | None:
    """The name of a header in the environment; ``None`` when the request is not plain with it."""
    upper = name.upper()
    if upper in _NOT_PLAIN or b"_" in upper:
        return None
    text = upper.decode("ascii").replace("-", "_")
    return text if text in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{text}"


def read_head(data: bytes, template: Environment, limits: Limits) -> Head | None:
    """Read a plain request's head; ``None`` when it is not whole, or not plain.

    Args:
        data: what the client sent.
        template: the environment of every request on this connection.
        limits: what a head may have.
    """
    try:
        found = parse_request(data, 0, limits.line, limits.fields, limits.field)
    except (IncompleteError, ParseError):
        return None
    method, target = found["method"], found["path"]
    if method not in _METHODS or found["minor_version"] != 1 or not _TARGET.fullmatch(target) or data[:1] == b"\r":
        return None
    environ = template.copy()
    for name, value in found["headers"]:
        variable = _variable(name)
        if variable is None or variable in environ:
            return None
        environ[variable] = value.decode("latin-1")
    if "HTTP_HOST" not in environ:
        return None
    length, connection = environ.get("CONTENT_LENGTH", "0"), environ.get("HTTP_CONNECTION", "keep-alive").lower()
    if not (length.isascii() and length.isdigit() and len(length) < 7) or connection not in ("keep-alive", "close"):
        return None
    uri = target.decode("ascii")
    path, _, query = uri.partition("?")
    environ["REQUEST_METHOD"] = method.decode("ascii")
    environ["RAW_URI"] = uri
    environ["PATH_INFO"] = unquote_to_wsgi_str(path) if "%" in path else path
    environ["QUERY_STRING"] = query
    return Head(environ, found["consumed"], int(length), connection == "close")


@lru_cache(maxsize=2)
def _date(_second: int) -> str:
    return formatdate(usegmt=True)


class Response:
    """What the application begins its answer with.

    Args:
        closes: whether the connection ends with it.
    """

    def __init__(self, closes: bool) -> None:
        self.closes = closes
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.length: int | None = None

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        """WSGI's ``start_response``."""
        self.status, self.headers = status, headers
        return _no_write

    @property
    def bodiless(self) -> bool:
        """Whether its status says that there is no body."""
        return self.status[:3] in _BODILESS

    @property
    def chunked(self) -> bool:
        """Whether its end must be marked, because nobody knows how long it will be."""
        return self.length is None and not self.bodiless

    def head(self) -> bytes:
        """Status line and headers.

        Raises:
            ValueError: a header would make two.
        """
        lines = [f"HTTP/1.1 {self.status}", f"Date: {_date(int(time.time()))}"]
        for name, value in self.headers:
            lowered = name.lower()
            if lowered == "content-length":
                self.length = int(value)
            if lowered not in _HOP_BY_HOP:
                lines.append(f"{name}: {value}")
        if self.chunked:
            lines.append("Transfer-Encoding: chunked")
        if self.closes:
            lines.append("Connection: close")
        text = "\r\n".join(lines)
        if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
            raise ValueError("a header of the answer holds a line break")
        return f"{text}\r\n\r\n".encode("latin-1")


def _no_write(_data: bytes) -> None:
    raise TypeError("WSGI's write() is not offered; give an iterable of bytes.")


class Connection:
    """One client's connection, as long as its requests are plain.

    Args:
        client: its socket.
        template: the environment of every request on it.
        limits: what a head may have.
        patience: how long everything may take.
        lobby: who waits beside it.
    """

    def __init__(
        self, client: socket.socket, template: Environment, limits: Limits, patience: Patience, lobby: Lobby
    ) -> None:
        self._client = client
        self._template = template
        self._limits = limits
        self._patience = patience
        self._lobby = lobby
        self._data = b""
        self._kept = False

    def next(self) -> Head | bytes | None:
        """The next request; the bytes that were read when it is not plain; nothing when the client is gone, or sent away.

        Raises:
            Slow: its body did not come in time.
        """
        client = self._client
        idle = self._patience.idle if self._kept else self._patience.head
        self._lobby.waits(client, time.monotonic() + idle, kept=self._kept)
        client.settimeout(None)
        self._kept = True
        data = self._data or client.recv(READ)
        if not data:
            return None
        # From its first byte on others watch the clock, and answer who is too slow.
        self._lobby.waits(client)
        head = read_head(data, self._template, self._limits)
        if head is None or head.length > _LARGEST:
            return data
        end = head.size + head.length
        if len(data) < end:
            data = self._whole(data, end)
            if len(data) < end:
                return None
        body = head.environ[BODY] = data[head.size : end]
        head.environ["wsgi.input"] = io.BytesIO(body)
        self._data = data[end:]
        client.settimeout(self._patience.send)
        self._lobby.served(client)
        return head

    def _whole(self, data: bytes, end: int) -> bytes:
        """With the rest of the body; less when the client is gone."""
        deadline = time.monotonic() + self._patience.body
        while len(data) < end:
            more = received(self._client, deadline)
            if not more:
                break
            data += more
        return data

    def answer(self, head: Head, application: Application, *, closes: bool) -> bool:
        """Run the application and send what it says; whether the connection may go on.

        Args:
            head: the request.
            application: answers it.
            closes: whether this answer is the last one.
        """
        response = Response(closes)
        result = application(head.environ, response.start)
        try:
            parts = iter(result)
            first = next(parts, b"")
            start = response.head()
            return self._sent(start, first, parts, response) and not closes
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()

    def _sent(self, start: bytes, first: bytes, parts: Iterator[bytes], response: Response) -> bool:
        try:
            if response.chunked:
                return self._send_chunks(start, first, parts)
            return self._send_whole(start, first, parts, response)
        except OSError:
            raise
        except Exception:
            # Its head is sent: all that can still be said is that this is not the end that was meant.
            log.exception("an answer broke off; its connection is closed")
            return False

    def _send_whole(self, start: bytes, first: bytes, parts: Iterator[bytes], response: Response) -> bool:
        if response.bodiless:
            self._client.sendall(start)
            return True
        deliver(self._client, first, start)
        sent = len(first)
        for part in parts:
            deliver(self._client, part)
            sent += len(part)
        if sent != response.length:
            log.error("an answer had %d bytes and said that it has %d; its connection is closed", sent, response.length)
        return sent == response.length

    def _send_chunks(self, start: bytes, first: bytes, parts: Iterator[bytes]) -> bool:
        deliver(self._client, start + _chunk(first) if first else start)
        for part in parts:
            if part:
                deliver(self._client, _chunk(part))
        self._client.sendall(b"0\r\n\r\n")
        return True


def _chunk(part: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(part), part)


def template_of(configuration: Any, listener: socket.socket, client: socket.socket, address: Any) -> Environment:
    """The environment that all requests of a connection share.

    Args:
        configuration: Gunicorn's.
        listener: where the client connected to.
        client: the connection.
        address: of the client.
    """
    host, port = listener.getsockname()[:2]
    return {
        **base_environ(configuration),
        "wsgi.multithread": True,
        "wsgi.url_scheme": "http",
        "gunicorn.socket": client,
        "SCRIPT_NAME": "",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": address[0],
        "REMOTE_PORT": str(address[1]),
    }
