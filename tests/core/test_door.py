"""Where connections come in: nobody who has knocked is turned away when it closes."""

import socket
from types import SimpleNamespace
from typing import Any, cast

import gevent.socket
from gevent.pool import Pool

from ambient_core.serving.worker import AmbientWorker, Door


def test_who_has_knocked_before_it_closes_is_let_in() -> None:
    greeted: list[Any] = []
    worker = SimpleNamespace(
        handle=lambda place, _client, address: greeted.append((place.getsockname(), address)),
        cfg=SimpleNamespace(workers=2),
    )
    guests, listener = Pool(10), gevent.socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    here = listener.getsockname()
    door = Door(cast(AmbientWorker, worker), listener, spawn=guests)
    door.start()
    knocking = [socket.create_connection(here) for _ in range(5)]
    door.close()
    guests.join(30)
    assert sorted(greeted) == sorted((here, one.getsockname()) for one in knocking)
    for one in knocking:
        one.close()
    listener.close()
