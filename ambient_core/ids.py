"""Identifiers: time-ordered, and safe as DNS labels."""

import re
import secrets
import threading
import time
from functools import lru_cache
from itertools import product

ID_LENGTH = 26
LONGEST_ID = 63
"""Of an id that is a name: it must do as a DNS label."""
ID_PATTERN = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")


def new_operation_id() -> str:
    """A name for a request: 26 characters as random as those of an id. Nothing is ordered by it, so it costs less to make."""
    return secrets.token_hex(13)


class _Numbers:
    """Numbers of 128 bits: milliseconds since 1970, then 80 random bits; each above the one before it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest = 0

    def next(self, count: int) -> range:
        """So many in a row."""
        now = time.time_ns() // 1_000_000
        with self._lock:
            first = now << 80 | secrets.randbits(80) if now > self._latest >> 80 else self._latest + 1
            self._latest = first + count - 1
        return range(first, first + count)


_numbers = _Numbers()
_PAIRS = tuple(map("".join, product("0123456789abcdefghjkmnpqrstvwxyz", repeat=2)))
"""Two letters of Crockford's base 32 by the ten bits that they stand for."""


def new_id() -> str:
    """A new ULID in lower case: 26 characters, ordered by time to the millisecond (ULID specification, monotonic)."""
    return new_ids(1)[0]


def new_ids(count: int) -> list[str]:
    """So many new ULIDs, in their order; those of one process are in the order in which they were made."""
    return [
        f"{_head(number >> 20)}{_PAIRS[number >> 10 & 1023]}{_PAIRS[number & 1023]}" for number in _numbers.next(count)
    ]


@lru_cache(maxsize=1)
def _head(number: int) -> str:
    """The letters that numbers in a row have in common."""
    return "".join([_PAIRS[number >> bits & 1023] for bits in range(100, -1, -10)])
