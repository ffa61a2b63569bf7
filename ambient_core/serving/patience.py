"""How long a client may take, and who must go when too many take long."""

import logging
import math
import socket
import time
from typing import NamedTuple

log = logging.getLogger(__name__)
READ = 65536
_PIECE = 65536
_SOON = 1.0
_LONG = 8192
"""From here on a body is dearer to copy than to name beside its head."""


class Patience(NamedTuple):
    """How many seconds everything may take.

    Args:
        idle: a client that sends no further request.
        head: the head of a request.
        body: its body.
        send: a piece of the answer, until the client has taken it.
    """

    idle: float
    head: float
    body: float
    send: float


class Slow(Exception):
    """A request did not come in time."""


class Lobby:
    """Connections whose next request has not come yet; when all are too many, the one that has waited longest is closed.

    So neither idle connections nor requests that never become whole keep anybody else out. Those that have waited too long go
    with `sweep`: a timer for each wait would cost every request 7 us, nearly always for nothing.

    Args:
        most: connections from which on one must go for each that comes.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._waiting: dict[socket.socket, tuple[float, bool]] = {}

    def opened(self) -> None:
        """A connection came."""
        self._count += 1
        if self._count > self._most and self._waiting:
            self._send_away(next(iter(self._waiting)))

    def closed(self, client: socket.socket) -> None:
        """A connection ended."""
        self._count -= 1
        self._waiting.pop(client, None)

    def waits(self, client: socket.socket, until: float = math.inf, *, kept: bool = False) -> None:
        """A connection's next request is waited for.

        Args:
            client: the connection.
            until: on the monotonic clock, when whoever waits for it does not look at the clock.
            kept: whether it has had an answer, and nothing of a further request has come.
        """
        self._waiting[client] = until, kept

    def served(self, client: socket.socket) -> None:
        """A connection's request has come."""
        self._waiting.pop(client, None)

    def sweep(self) -> None:
        """Close the connections on which nothing came in time; to be called about every second."""
        now = time.monotonic()
        for client in [client for client, (until, _) in self._waiting.items() if until <= now]:
            self._send_away(client)

    def drain(self) -> None:
        """The server stops: nothing further is waited for, and not long for a first request.

        Whoever keeps a connection open would hold it up otherwise, such as every client with a pool.
        """
        soon = time.monotonic() + _SOON
        for client, (until, kept) in list(self._waiting.items()):
            if kept:
                # A request that is on its way here is still read and answered.
                self._send_away(client, socket.SHUT_RD)
            elif math.isfinite(until):
                self._waiting[client] = min(until, soon), False

    def _send_away(self, client: socket.socket, how: int = socket.SHUT_RDWR) -> None:
        del self._waiting[client]
        try:
            # Of gevent's socket the one below: what waits to read then sees that the client is gone.
            getattr(client, "_sock", client).shutdown(how)
        except OSError:
            log.debug("the client was gone already")


def received(client: socket.socket, deadline: float, size: int = READ) -> bytes:
    """What comes next.

    Raises:
        Slow: nothing does before the deadline.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        # Whoever sends without end always has something to be read.
        raise Slow
    client.settimeout(left)
    try:
        return client.recv(size)
    except TimeoutError:
        raise Slow from None


def deliver(client: socket.socket, data: bytes, head: bytes = b"") -> None:
    """Send all of it, piece by piece, so that the time for each says whether a client reads, and not how much there is.

    Args:
        client: whom to.
        data: what.
        head: goes before it; in the same step, when there is no more than a piece of both.

    Raises:
        OSError: the client is gone, or takes nothing.
    """
    whole = len(head) + len(data)
    if whole > _PIECE:
        for part in (memoryview(head), memoryview(data)):
            for start in range(0, len(part), _PIECE):
                client.sendall(part[start : start + _PIECE])
        return
    # What fits into the socket's room, as nearly every answer does, needs none of what `sendall` does around it.
    sent = client.sendmsg((head, data)) if head and whole > _LONG else client.send(head + data)
    if sent < whole:
        client.sendall((head + data)[sent:])
