"""Identifiers: time-ordered, and safe as DNS labels."""

import os
import re
from functools import lru_cache

from ulid import ULIDGenerator
from ulid_transform import bytes_to_ulid

ID_LENGTH = 26
LONGEST_ID = 63
"""Of an id that is a name: it must do as a DNS label."""
ID_PATTERN = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")


def new_operation_id() -> str:
    """A name for a request: 26 characters as random as those of an id. Nothing is ordered by it, so it costs less to make."""
    # What `secrets.token_hex` does, without its three calls on the way.
    return os.urandom(13).hex()


def new_id() -> str:
    """A new ULID in lower case: 26 characters, ordered by time to the millisecond (ULID specification).

    Those of one process are in the order in which they were made.
    """
    return bytes_to_ulid(_generator(os.getpid()).generate().bytes).lower()


@lru_cache(maxsize=1)
def _generator(_process: int) -> ULIDGenerator:
    """Counts on from its last number within a millisecond; a forked process must not count on from its parent's."""
    return ULIDGenerator()
