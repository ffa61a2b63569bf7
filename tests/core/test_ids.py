"""Ids: unique, ordered, and of the form that is documented."""

import threading
import time

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
