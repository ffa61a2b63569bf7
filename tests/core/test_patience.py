"""How an answer goes out: small ones in one step, large ones in pieces, and all of it whatever the socket takes at once."""

import socket
import threading

import pytest

from ambient_core.serving.patience import deliver

PIECE = 65536
LONG = 8192
EVERYTHING = 1 << 30


class Taker:
    """A socket that takes so many bytes at once, and keeps the steps."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.steps: list[tuple[str, int]] = []
        self.taken = b""

    def send(self, data: bytes) -> int:
        return self._take("send", data[: self.room])

    def sendmsg(self, parts: tuple[bytes, ...]) -> int:
        return self._take("sendmsg", b"".join(parts)[: self.room])

    def sendall(self, data: memoryview) -> None:
        self._take("sendall", bytes(data))

    def _take(self, way: str, data: bytes) -> int:
        self.steps.append((way, len(data)))
        self.taken += data
        return len(data)


def told(head: int, body: int, room: int = EVERYTHING) -> list[tuple[str, int]]:
    """The steps in which an answer goes out; that all of it does, in order, is looked at."""
    taker = Taker(room)
    first, rest = b"h" * head, b"b" * body
    deliver(taker, rest, first)  # type: ignore[arg-type]
    assert taker.taken == first + rest
    return taker.steps


@pytest.mark.parametrize(
    ("head", "body", "steps"),
    [
        (0, 1, [("send", 1)]),
        (100, 0, [("send", 100)]),
        (100, LONG - 100, [("send", LONG)]),
        (100, LONG - 99, [("sendmsg", LONG + 1)]),
        (0, LONG + 1, [("send", LONG + 1)]),
        (100, PIECE - 100, [("sendmsg", PIECE)]),
    ],
)
def test_what_is_no_more_than_a_piece_goes_in_one_step(head: int, body: int, steps: list[tuple[str, int]]) -> None:
    assert told(head, body) == steps


@pytest.mark.parametrize(
    ("head", "body", "sizes"),
    [
        (100, PIECE - 99, [100, PIECE - 99]),
        (100, 2 * PIECE + 1, [100, PIECE, PIECE, 1]),
        (0, PIECE + 1, [PIECE, 1]),
        (PIECE + 1, 1, [PIECE, 1, 1]),
    ],
)
def test_what_is_more_than_a_piece_goes_in_pieces(head: int, body: int, sizes: list[int]) -> None:
    assert told(head, body) == [("sendall", size) for size in sizes]


@pytest.mark.parametrize(("head", "body"), [(100, 100), (100, LONG), (0, LONG), (LONG, LONG)])
@pytest.mark.parametrize("room", [0, 1, 99, 100, 101])
def test_what_a_socket_does_not_take_at_once_follows(head: int, body: int, room: int) -> None:
    first, second = told(head, body, room)
    assert (first[1], second) == (room, ("sendall", head + body - room))


@pytest.mark.parametrize(("head", "body"), [(100, 50_000), (0, 50_000), (100, 300_000)])
def test_a_real_socket_that_has_little_room_gets_all(head: int, body: int) -> None:
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    ours.settimeout(60)
    with ours, theirs:
        sending = threading.Thread(target=deliver, args=(ours, b"b" * body, b"h" * head))
        sending.start()
        got = theirs.recv(head + body, socket.MSG_WAITALL)
        sending.join()
    assert got == b"h" * head + b"b" * body
