"""How a worker waits for PostgreSQL: by gevent's loop, so that others go on; with an end, or without."""

import socket
from collections.abc import Callable, Generator, Iterator

import gevent
import pytest
from psycopg.errors import OperationalError, _WaitTimeout
from psycopg.waiting import Ready, Wait

from ambient_core.serving.waiting import wait

INTERVAL = 0.01
LONG = 60
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two ends of a connection, in a process whose loop ends with the test."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs
    gevent.get_hub().destroy(destroy_loop=True)


def until_ready(told: list[int], then: Callable[[], object] = lambda: None) -> Generator[int, int, str]:
    """What psycopg waits by: goes on until something has come.

    Args:
        told: what it is told.
        then: done whenever nothing has come.
    """
    while True:
        told.append((yield Wait.R))
        if told[-1]:
            return "done"
        then()


def test_others_go_on_until_it_is_ready(pair: Pair) -> None:
    ours, theirs = pair
    told: list[int] = []
    gevent.spawn(theirs.send, b"x")
    assert (wait(until_ready(told), ours.fileno(), INTERVAL), told) == ("done", [Ready.R])


def test_without_a_timeout_nobody_is_told_in_between(pair: Pair) -> None:
    ours, theirs = pair
    told: list[int] = []
    gevent.spawn_later(5 * INTERVAL, theirs.send, b"x")
    assert (wait(until_ready(told), ours.fileno(), INTERVAL), told) == ("done", [Ready.R])


def test_a_socket_that_takes_more_is_ready_at_once(pair: Pair) -> None:
    def writing() -> Generator[int, int, int]:
        return (yield Wait.W)

    assert wait(writing(), pair[0].fileno()) == Ready.W


def test_what_needs_no_wait_is_answered_without_one() -> None:
    def ready() -> Generator[int, int, str]:
        return "done"
        yield

    assert wait(ready(), -1) == "done"


def test_with_a_timeout_it_is_told_in_between_that_nothing_came(pair: Pair) -> None:
    ours, theirs = pair
    told: list[int] = []
    answer = wait(until_ready(told, lambda: theirs.send(b"x")), ours.fileno(), INTERVAL, LONG)
    assert (answer, told) == ("done", [Ready.NONE, Ready.R])


def test_what_is_not_ready_in_time_is_given_up(pair: Pair) -> None:
    told: list[int] = []
    with pytest.raises(_WaitTimeout):
        wait(until_ready(told), pair[0].fileno(), LONG, 2 * INTERVAL)
    assert told == [Ready.NONE]


def test_a_timeout_of_nothing_looks_once(pair: Pair) -> None:
    ours, theirs = pair
    theirs.send(b"x")
    assert wait(until_ready([]), ours.fileno(), INTERVAL, 0) == "done"


def test_a_connection_that_the_other_side_ends_is_ready(pair: Pair) -> None:
    ours, theirs = pair
    gevent.spawn(theirs.close)
    assert wait(until_ready([]), ours.fileno()) == "done"


def test_a_connection_that_is_closed_meanwhile_is_noticed_at_the_next_interval(pair: Pair) -> None:
    ours, _ = pair
    number = ours.fileno()
    # Between two looks of the loop: a number that is none when it looks ends the process.
    gevent.spawn_later(INTERVAL, ours.close)
    with pytest.raises(OperationalError, match="closed"):
        wait(until_ready([]), number, 10 * INTERVAL, LONG)


def test_a_fault_of_the_generator_is_the_callers(pair: Pair) -> None:
    ours, theirs = pair
    theirs.send(b"x")

    def broken() -> Generator[int, int, None]:
        yield Wait.R
        raise LookupError("broken")

    with pytest.raises(LookupError):
        wait(broken(), ours.fileno())
