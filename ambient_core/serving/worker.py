"""Gunicorn's gevent worker: plain requests the short way, its own refusals in our shape."""

import errno
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from importlib import import_module
from typing import Any

import gevent
import orjson
from gevent.server import StreamServer
from gunicorn.glogging import Logger
from gunicorn.http import errors as http_errors
from gunicorn.workers.ggevent import GeventWorker

from ambient_core import errors
from ambient_core.ids import new_operation_id
from ambient_core.serving.exchange import Connection, Limits, template_of
from ambient_core.serving.patience import Lobby, Patience, Slow, deliver, received

_REFUSALS: tuple[tuple[type[Exception], int, str], ...] = (
    (Slow, 408, "The request did not come in time."),
    (http_errors.LimitRequestLine, 414, "The address is too long; 8190 bytes are the most."),
    (http_errors.LimitRequestHeaders, 431, "The headers are too many or too large."),
    (http_errors.UnsupportedTransferCoding, 501, "This Transfer-Encoding is not known; use chunked."),
    (http_errors.InvalidHTTPVersion, 505, "Speak HTTP/1.1 or HTTP/1.0."),
    (http_errors.ExpectationFailed, 417, "This expectation cannot be met."),
    (http_errors.ParseException, 400, "This is no valid HTTP request."),
)
_LINGER = 2.0
_PIECE, _MOST_PIECES = 65536, 1024


class AmbientLogger(Logger):
    """Lets Gunicorn's entries go through our logging, so that they have its form and its redaction."""

    def setup(self, cfg: Any) -> None:
        """Use the process's own handlers."""
        super().setup(cfg)
        for logger in (self.error_log, self.access_log):
            logger.handlers[:] = []
            logger.propagate = True


class Resumed:
    """A socket from which something was read that somebody else has to read again, and who has to be quick about it.

    Args:
        client: the socket.
        data: what was read.
        patience: how long everything may take.
    """

    def __init__(self, client: socket.socket, data: bytes, patience: Patience) -> None:
        self.plain = self._client = client
        self._data = data
        self._patience = patience
        self._begun = True
        self._in_body = self.slow = False
        self._deadline = time.monotonic() + patience.head

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def head_follows(self) -> None:
        """Another request may come."""
        self._begun = self._in_body = False
        self._deadline = time.monotonic() + self._patience.head

    def body_follows(self, seconds: float | None = None) -> None:
        """A head has come.

        Args:
            seconds: that its body may take, when it is not the usual time.
        """
        self._in_body = True
        self._deadline = time.monotonic() + (self._patience.body if seconds is None else seconds)

    def recv(self, size: int) -> bytes:
        """What was read before, then what comes.

        Raises:
            Slow: the head does not come in time.
            TimeoutError: the body does not; for who reads it.
        """
        data, self._data = self._data[:size], self._data[size:]
        if data:
            return data
        try:
            data = received(self._client, self._deadline, size)
        except Slow:
            self.slow = True
            if self._in_body:
                raise TimeoutError from None
            if self._begun:
                raise
        finally:
            self._client.settimeout(self._patience.send)
        self._begun = True
        return data

    def sendall(self, data: bytes) -> None:
        """Send all of it.

        Raises:
            BrokenPipeError: the client is gone, or takes nothing.
        """
        try:
            deliver(self._client, data)
        except TimeoutError:
            raise BrokenPipeError(errno.EPIPE, "the client takes nothing") from None


class Body:
    """A request's body, whose faults are the client's: Gunicorn finds them while the application reads.

    Args:
        body: as Gunicorn reads it.
    """

    def __init__(self, body: Any) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def read(self, size: int | None = None) -> bytes:
        """So many bytes, or all."""
        return self._checked(self._body.read, size)

    def readline(self, size: int | None = None) -> bytes:
        """The next line, or what there is of it."""
        return self._checked(self._body.readline, size)

    def readlines(self, _hint: int | None = None) -> list[bytes]:
        """All lines."""
        return list(self)

    def _checked(self, read: Callable[[int | None], bytes], size: int | None) -> bytes:
        try:
            return read(size)
        except http_errors.ParseException:
            raise errors.Malformed("The body's chunks are none that HTTP knows; see RFC 9112, section 7.1.") from None


def _is_read(req: Any, sock: Resumed) -> bool:
    """Whether a request's body has come to its end, or soon does; a client hears no answer while it still sends."""
    sock.body_follows(_LINGER)
    try:
        return not sock.slow and any(not req.body.read(_PIECE) for _ in range(_MOST_PIECES))
    except (OSError, http_errors.ParseException):
        return False


class Place:
    """Where a listener listens; who was let in asks for it when the listener has closed, too."""

    def __init__(self, listener: socket.socket) -> None:
        self._name = listener.getsockname()

    def getsockname(self) -> Any:
        """Its own address."""
        return self._name


class Door(StreamServer):
    """Where connections come in; when it closes, those that have knocked already are let in first.

    Args:
        worker: serves them.
        listener: where they knock.
        spawn: their pool.
        others: what Gunicorn says to servers that are not gevent's own; of it only TLS matters.
    """

    def __init__(self, worker: "AmbientWorker", listener: Any, *, spawn: Any, **others: Any) -> None:
        tls = {name: value for name, value in others.items() if name == "ssl_context"}
        super().__init__(listener, handle=partial(worker.handle, Place(listener)), spawn=spawn, **tls)
        if worker.cfg.workers > 1:
            self.max_accept = 1

    def close(self) -> None:
        """Let in whom the kernel has connected, and nobody else: it would reset the connections that it still holds."""
        if not self.closed:
            self.stop_accepting()
            with suppress(OSError):
                while not self.full() and (found := self.do_read()) is not None:
                    self.do_handle(*found)
        super().close()


class AmbientWorker(GeventWorker):
    """Answers plain requests itself, and what never reached the application with the same error body as everything else."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.server_class = partial(Door, self)
        self.lobby = Lobby(max(1, self.worker_connections * 9 // 10))

    def patch(self) -> None:
        """Patch for gevent, the database driver too."""
        super().patch()
        import_module("ambient_core.serving.waiting").install()

    def notify(self) -> None:
        """Say every second that this worker lives, and see who waits too long."""
        super().notify()
        if not self.alive:
            self.lobby.drain()
        self.lobby.sweep()
        if (runtime := self._runtime()) is not None:
            runtime.sweep()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve one connection: while its requests are plain the short way, then Gunicorn's."""
        if not isinstance(addr, tuple) or self.cfg.is_ssl or self.cfg.proxy_protocol not in (False, "off"):
            super().handle(listener, client, addr)
            return
        self.lobby.opened()
        try:
            self._handle(listener, client, addr)
        finally:
            self.lobby.closed(client)

    def _handle(self, listener: Any, client: Any, addr: Any) -> None:
        limits = Limits(self.cfg.limit_request_line, self.cfg.limit_request_fields, self.cfg.limit_request_field_size)
        allowed = self.wsgi.runtime.settings
        patience = Patience(self.cfg.keepalive, allowed.header_timeout, allowed.body_timeout, allowed.send_timeout)
        connection = Connection(client, template_of(self.cfg, listener, client, addr), limits, patience, self.lobby)
        rest: Any = None
        try:
            rest = self._serve(connection)
        except OSError as fault:
            self.log.debug("a connection ended: %s", type(fault).__name__)
        except Exception as fault:
            self.handle_error(None, client, addr, fault)
        finally:
            if rest is None:
                client.close()
        if rest is not None:
            super().handle(listener, Resumed(client, rest, patience), addr)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Answer one request Gunicorn's way.

        Raises:
            InvalidHeader: it does not say for which host (RFC 9112 3.2).
        """
        if req.version >= (1, 1) and not any(name == "HOST" for name, _ in req.headers):
            raise http_errors.InvalidHeader("HOST")
        if not isinstance(sock, Resumed):
            super().handle_request(listener_name, req, sock, addr)
            return
        self.lobby.served(sock.plain)
        sock.body_follows()
        body, req.body = req.body, Body(req.body)
        super().handle_request(listener_name, req, sock, addr)
        req.body = body
        if not _is_read(req, sock):
            raise StopIteration
        sock.head_follows()
        self.lobby.waits(sock.plain, kept=True)

    def _serve(self, connection: Connection) -> bytes | None:
        """Answer plain requests; the bytes of the first one that is not, or nothing at the end of the connection."""
        while True:
            head = connection.next()
            if not isinstance(head, tuple):
                return head
            self.nr += 1
            if self.nr >= self.max_requests:
                self.alive = False
            if not connection.answer(head, self.wsgi, closes=head.closes or not self.alive):
                return None

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Let running requests finish; a watch has no end of its own, so it is told to go on elsewhere."""
        super().handle_exit(sig, frame)
        if (runtime := self._runtime()) is not None:
            # A signal's handler must not wait, and the watchers' locks may.
            gevent.spawn(runtime.hub.drain)

    def _runtime(self) -> Any:
        """What the application's requests share; ``None`` while it is still being loaded."""
        return getattr(getattr(self, "wsgi", None), "runtime", None)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a request that HTTP itself refuses, and close the connection."""
        status, reason = 500, "Something went wrong on our side."
        for kind, code, text in _REFUSALS:
            if isinstance(exc, kind):
                status, reason = code, text
                break
        if status == 500:
            self.log.exception("request failed outside the application")
        operation = new_operation_id()
        body = orjson.dumps(
            {
                "id": str(status),
                "kind": "Error",
                "href": f"{errors.BASE_PATH}/errors/{status}",
                "code": f"{errors.CODE_PREFIX}-{status}",
                "reason": reason,
                "operation_id": operation,
            }
        )
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
            f"X-Operation-ID: {operation}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        try:
            client.sendall(head.encode() + body)
        except OSError:
            self.log.debug("the client was gone before its error could be sent")
