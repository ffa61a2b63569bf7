"""Ids: unique, ordered, and of the form that is documented."""

import os
import threading
import time

import pytest

from ambient_core.ids import ID_PATTERN, new_id

_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"


def milliseconds(identifier: str) -> int:
    """The time that an id says: its first ten letters are 50 bits."""
    number = 0
    for letter in identifier[:10]:
        number = number * 32 + _LETTERS.index(letter)
    return number


def test_an_id_has_its_form_and_says_when_it_was_made() -> None:
    before = time.time_ns() // 1_000_000
    made = [new_id() for _ in range(3)]
    assert all(ID_PATTERN.fullmatch(identifier) for identifier in made)
    assert before <= milliseconds(made[0]) <= milliseconds(made[-1]) <= time.time_ns() // 1_000_000


def test_ids_of_one_process_are_in_the_order_in_which_they_were_made() -> None:
    made = [new_id() for _ in range(2500)]
    assert made == sorted(set(made))


def test_ids_that_threads_make_at_once_are_all_different() -> None:
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend(new_id() for _ in range(2000))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 16_000


def made_in_a_fork(count: int) -> list[str]:
    """Ids that a forked process makes at once, as a worker does whose server has made some before."""
    ours, theirs = os.pipe()
    if (child := os.fork()) == 0:
        os.write(theirs, " ".join(new_id() for _ in range(count)).encode())
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as told:
        found = told.read().split()
    os.waitpid(child, 0)
    return found


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_processes_do_not_repeat_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    # All within one millisecond, where a generator counts on from its last number.
    monkeypatch.setattr(time, "time_ns", lambda: 1_800_000_000_000_000_000)
    made = [new_id(), *made_in_a_fork(500), *made_in_a_fork(500), new_id()]
    assert len(set(made)) == 1_002
