"""Who opened a stream, asked again while it lasts: whoever may not hear it any more is cut off, silent streams too."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, Self, TypeVar, cast

from flask import Flask, current_app, g, request

from ambient_core.errors import AmbientError, Unavailable
from ambient_core.identity import Principal, invalid_token
from ambient_core.ids import new_id
from ambient_core.rest import refused
from ambient_core.rest.operation import Operation, Runtime, current

log = logging.getLogger(__name__)
T = TypeVar("T")
RECHECK = 5.0
UNCONFIRMED = 20.0


class Identifying(Protocol):
    """The application, as far as a stream needs it."""

    def identify(self, operation: Operation) -> None:
        """Say who is asking."""


def abort_of(environ: Mapping[str, Any]) -> Callable[[], None]:
    """What ends a request's connection, from whatever thread.

    Args:
        environ: of the request.
    """
    socket = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    # Of gevent's socket the one below: what waits to write then sees that the reader is gone, as if it had gone itself.
    socket = getattr(socket, "_sock", socket)

    def abort() -> None:
        try:
            if socket is not None:
                socket.shutdown(2)
        except OSError:
            log.debug("the reader was gone already")

    return abort


class Credential:
    """Who opened a stream, asked again while it lasts: the same headers, as if they came now."""

    def __init__(self) -> None:
        self._actor = current().principal.actor
        self._address = current().address
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        kept = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL")
        self._environ = {
            name: value
            for name, value in request.environ.items()
            if name in kept or name.startswith("HTTP_") or name == "wsgi.url_scheme"
        }

    def principal(self) -> Principal:
        """Who is asking.

        Raises:
            Unauthenticated: nobody that is known any more, or somebody else.
        """
        return self.ask(lambda operation: operation.principal)

    def ask(self, what: Callable[[Operation], T]) -> T:
        """Do something as the one who is asking, in an operation of its own.

        Raises:
            Unauthenticated: nobody that is known any more, or somebody else.
        """
        with self._app.request_context({**self._environ, "wsgi.input": None}):
            runtime: Runtime = self._app.extensions["ambient"]
            operation = g.operation = Operation(new_id(), runtime)
            operation.address = self._address
            try:
                cast("Identifying", self._app).identify(operation)
                if operation.principal.actor != self._actor:
                    # A user who was deleted and comes again is somebody new.
                    raise invalid_token()
                return what(operation)
            except AmbientError as fault:
                refused.note(operation, fault)
                raise
            finally:
                operation.transaction.rollback()


class Kept:
    """A stream's bytes for the server, as long as its reader may hear them.

    Args:
        pieces: of the stream.
        allowed: raises when the caller may not hear it any more; asked every few seconds.
    """

    def __init__(self, pieces: Iterator[bytes], allowed: Callable[[Operation], Any]) -> None:
        self._pieces = pieces
        self._allowed = allowed
        self._credential = Credential()
        self._abort = abort_of(request.environ)
        self._over = threading.Event()
        self._refused = False
        threading.Thread(target=self._keep, name="stream-credential", daemon=True).start()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._refused:
            raise StopIteration
        return next(self._pieces)

    def close(self) -> None:
        """The server is done with the stream, or its reader is gone."""
        self._over.set()
        closing = getattr(self._pieces, "close", None)
        if closing is not None:
            closing()

    def _keep(self) -> None:
        confirmed = time.monotonic()
        while not self._over.wait(RECHECK):
            try:
                self._credential.ask(self._allowed)
                confirmed = time.monotonic()
            except Unavailable:
                self._refused = time.monotonic() > confirmed + UNCONFIRMED
            except AmbientError as reason:
                log.info("a stream is cut: %s", type(reason).__name__)
                self._refused = True
            if self._refused:
                self._abort()
                return
