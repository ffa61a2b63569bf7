"""A load generator that costs little: plain sockets, one thread, a fixed number of connections that are never idle."""

import os
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Measured:
    """What a run gave.

    Args:
        seconds: how long it took.
        latencies: of each answer, in seconds.
        statuses: how often each status came.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency that this share of answers did not exceed, in milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


class _Connection:
    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.buffer = b""
        self.wanted = -1
        self.sent = 0.0

    def send(self, request: bytes) -> None:
        self.sent = time.perf_counter()
        self.buffer, self.wanted = b"", -1
        self.socket.sendall(request)

    def finished(self) -> int | None:
        """The status, once the whole answer is here."""
        part = self.socket.recv(262144)
        if not part:
            raise ConnectionError("the server closed a connection")
        self.buffer += part
        if self.wanted < 0:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return None
            head = self.buffer[:end].lower()
            start = head.find(b"content-length: ") + 16
            self.wanted = end + 4 + int(head[start:].split(b"\r\n", 1)[0])
        return int(self.buffer[9:12]) if len(self.buffer) >= self.wanted else None


@contextmanager
def elsewhere() -> Iterator[None]:
    """Ask as if from another machine: whoever is measured is not put off its core by each answer that it sends.

    Processes that are started meanwhile ask likewise.
    """
    policy = os.sched_getscheduler(0)
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, os.sched_param(0))


def run(address: tuple[str, int], make: Callable[[], bytes], connections: int, seconds: float) -> Measured:
    """Keep every connection busy for a time.

    Args:
        address: of the server.
        make: gives the next request.
        connections: at once.
        seconds: how long.
    """
    measured = Measured()
    with elsewhere(), selectors.DefaultSelector() as selector:
        opened = [_Connection(address) for _ in range(connections)]
        started = time.perf_counter()
        for connection in opened:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(make())
        end = started + seconds
        while (now := time.perf_counter()) < end:
            for key, _ in selector.select(end - now):
                status = key.data.finished()
                if status is not None:
                    measured.latencies.append(time.perf_counter() - key.data.sent)
                    measured.statuses[status] = measured.statuses.get(status, 0) + 1
                    key.data.send(make())
        measured.seconds = time.perf_counter() - started
        for connection in opened:
            connection.socket.close()
    return measured
