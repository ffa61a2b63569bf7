"""Waits for PostgreSQL by gevent's own means.

Under gevent, psycopg falls back to a poll object per wait, which gevent imitates: it costs more than the wait itself.
"""

import time
from collections.abc import Generator
from typing import Any

from gevent import get_hub
from gevent.hub import Waiter
from psycopg import waiting
from psycopg.errors import _WaitTimeout


def wait(
    generator: "Generator[int, int, Any]", fileno: int, interval: float = 0.0, timeout: float | None = None
) -> Any:
    """Drive one of psycopg's generators to its end, letting other greenlets run while its socket is not ready.

    Without a timeout there is no timer either: psycopg would look ten times a second whether somebody presses Ctrl-C or closes
    the connection from elsewhere, and here nobody does. It costs more than the wait.

    Args:
        generator: yields what it waits for, and is told what came.
        fileno: of the connection's socket.
        interval: seconds after which it is told that nothing came; only with a timeout.
        timeout: seconds that it may take.

    Raises:
        _WaitTimeout: it took longer.
        OperationalError: the connection was closed meanwhile; looked for after each interval, so only with a timeout.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        wanted = next(generator)
        while True:
            seconds = None if deadline is None else max(0.0, min(interval, deadline - time.monotonic()))
            ready = _ready(fileno, int(wanted), seconds)
            if not ready:
                waiting._check_fd_closed(fileno)
            wanted = generator.send(ready)
            if deadline is not None and time.monotonic() >= deadline:
                raise _WaitTimeout("wait timeout expired")
    except StopIteration as end:
        return end.value


def _ready(fileno: int, wanted: int, seconds: float | None) -> int:
    """What is ready: what was wanted, or nothing when the time is over. The bits are the same in psycopg and in gevent."""
    hub = get_hub()
    waiter = Waiter(hub)
    # Before a timer that ends in the same turn: what has come in time is taken.
    watchers = [hub.loop.io(fileno, wanted, priority=hub.loop.MAXPRI)]
    watchers[0].start(waiter.switch, wanted)
    if seconds is not None:
        watchers.append(hub.loop.timer(seconds))
        watchers[1].start(waiter.switch, 0)
    try:
        return int(waiter.get())
    finally:
        for watcher in watchers:
            watcher.stop()
            watcher.close()


def install() -> None:
    """Let psycopg wait this way in this process."""
    waiting.wait = wait  # type: ignore[assignment]
