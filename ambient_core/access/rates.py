"""How often anybody may ask: by address before it is known who asks, by principal from then on.

A caller whose token was good a moment ago is counted by principal alone. So whoever asks too much, or tries tokens, shuts nobody
out who is in already, though all of them come from one address: a company's, or a proxy's that is not configured.
"""

import logging
import time
from collections.abc import Callable
from hashlib import blake2b
from math import ceil
from mmap import mmap
from typing import TypeVar

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.errors import ConfigurationError, StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from ambient_core.config import Settings
from ambient_core.errors import SetupError, TooManyRequests
from ambient_core.http.origin import network_of
from ambient_core.identity import CONTROL_PLANE, Principal

log = logging.getLogger(__name__)
T = TypeVar("T")
WINDOW = 60
MOST_COUNTED = 50_000
"""Principals, and as many addresses, that are counted at once; of more, some that were counted early are forgotten."""
_NEAR, _WIDTH = 8, 8
_MOST_KNOWN = 10_000
_KNOWN = 300.0
_PAUSE = 5.0
_SHARED_TIMEOUT = 0.5


class Counts(Storage):
    """Counts in a table of fixed size, shared by all processes that are forked after it was made.

    The library's own storage is of one process, and grows with every key. Nothing here is locked, so that a worker that is killed
    holds nobody up: of what two count for one key in the very same instant, one count may be lost.

    Args:
        most: keys.
        clock: seconds since 1970.
    """

    STORAGE_SCHEME = None

    def __init__(self, most: int = MOST_COUNTED, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._most = most
        self._clock = clock
        size = (most + _NEAR) * _WIDTH
        memory = memoryview(mmap(-1, 3 * size))
        self._keys = memory[:size].cast("q")
        self._ends = memory[size : 2 * size].cast("d")
        self._counts = memory[2 * size :].cast("q")

    @property
    def base_exceptions(self) -> type[Exception]:
        """What may go wrong."""
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count; answers how many there are in this window."""
        number, now = hash(key), self._clock()
        row = self._row(number, now)
        if row is None:
            row = min(self._near(number), key=self._ends.__getitem__)
            self._keys[row], self._ends[row], self._counts[row] = number, now + expiry, 0
        found = self._counts[row] = self._counts[row] + amount
        return found

    def keep(self, key: str, seconds: float) -> None:
        """Have it counted for so long from now on."""
        row = self._row(hash(key), self._clock())
        if row is None:
            self.incr(key, ceil(seconds))
        else:
            self._ends[row] = self._clock() + seconds

    def get(self, key: str) -> int:
        """How many there are in this window."""
        row = self._row(hash(key), self._clock())
        return 0 if row is None else self._counts[row]

    def get_expiry(self, key: str) -> float:
        """When the window ends."""
        now = self._clock()
        row = self._row(hash(key), now)
        return now if row is None else self._ends[row]

    def clear(self, key: str) -> None:
        """Forget one key."""
        if (row := self._row(hash(key), self._clock())) is not None:
            self._ends[row] = 0.0

    def reset(self) -> int:
        """Forget all; answers how many there were."""
        now = self._clock()
        found = [row for row, end in enumerate(self._ends) if end > now]
        for row in found:
            self._ends[row] = 0.0
        return len(found)

    def check(self) -> bool:
        """Whether it works."""
        return True

    def _row(self, number: int, now: float) -> int | None:
        """Where a key is counted in this window."""
        for row in self._near(number):
            if self._keys[row] == number and self._ends[row] > now:
                return row
        return None

    def _near(self, number: int) -> range:
        """The rows that a key may be counted in, by its hash; of those that are taken, the one that is over first gives way.

        It is Python's own hash: nobody outside can tell it, and all forks of one process have the same.
        """
        first = number % self._most
        return range(first, first + _NEAR)


class Policy:
    """One limit.

    Args:
        name: what is counted; in the headers, and in the key.
        setting: what sets it.
        quota: requests in a window; 0 for no limit.
        shared: counts of all servers, if there are any.
    """

    def __init__(self, name: str, setting: str, quota: int, shared: Storage | None) -> None:
        self.name = name
        self.quota = quota
        self._setting = setting
        self._item: RateLimitItem = RateLimitItemPerMinute(quota, namespace="ambient")
        self._own = FixedWindowRateLimiter(Counts())
        self._shared = FixedWindowRateLimiter(shared) if shared is not None else None
        self._away_until = 0.0

    def hit(self, key: str) -> bool:
        """Count; whether it is within the limit."""
        return not self.quota or self._ask(lambda limiter: limiter.hit(self._item, self.name, key))

    def exhausted(self, key: str) -> bool:
        """Whether the next one would be beyond the limit; counts nothing."""
        return bool(self.quota) and not self._ask(lambda limiter: limiter.test(self._item, self.name, key))

    def refusal(self, key: str, words: str) -> TooManyRequests:
        """What a caller beyond the limit is told.

        Args:
            words: what there were too many of.
        """
        reset = self._ask(lambda limiter: limiter.get_window_stats(self._item, self.name, key)).reset_time
        wait = min(WINDOW, max(1, ceil(reset - time.time())))
        return TooManyRequests(
            f"{words}: {self.quota} a minute are taken ({self._setting}). Try again in {wait} s.",
            headers={
                "Retry-After": str(wait),
                "RateLimit-Policy": f'"{self.name}";q={self.quota};w={WINDOW}',
                "RateLimit": f'"{self.name}";r=0;t={wait}',
            },
        )

    def _ask(self, what: Callable[[FixedWindowRateLimiter], T]) -> T:
        """By the shared counts; by this server's own while they are away, so that an outage of theirs is none of ours."""
        if self._shared is not None and time.monotonic() >= self._away_until:
            try:
                return what(self._shared)
            except StorageError as fault:
                self._away_until = time.monotonic() + _PAUSE
                log.warning(
                    "rate_limit_storage_url does not answer, counts are not shared: %s", type(fault.__cause__).__name__
                )
        return what(self._own)


class Rates:
    """The limits of one server: made before its workers are forked, it counts what all of them answer.

    Args:
        settings: how much is allowed, and where counts are shared.

    Raises:
        SetupError: the storage cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        shared = _shared(settings.rate_limit_storage_url)
        self._principals = Policy("principal", "rate_limit", settings.rate_limit, shared)
        self._addresses = Policy("address", "address_rate_limit", settings.address_rate_limit, shared)
        self._failures = Policy("failed", "failed_rate_limit", settings.failed_rate_limit, shared)
        self._before = bool(settings.address_rate_limit or settings.failed_rate_limit)
        # Of all workers as well: whoever is in is so at each of them.
        self._known = Counts(_MOST_KNOWN)

    def arrive(self, address: str, credential: str | None) -> str | None:
        """Somebody asks, and nobody has looked yet who it is; answers what the credential is remembered by.

        Args:
            address: where the request comes from.
            credential: that came with it, if any.

        Raises:
            TooManyRequests: there were too many from this address.
        """
        if not self._before:
            return None
        mark = None
        if credential is not None:
            mark = blake2b(credential.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
            if self._known.get(mark):
                return mark
        network = network_of(address)
        if not self._addresses.hit(network):
            raise self._addresses.refusal(network, "Too many requests from your address")
        if credential is not None and self._failures.exhausted(network):
            raise self._failures.refusal(network, "Too many tokens from your address were refused")
        return mark

    def failed(self, address: str, mark: str | None) -> None:
        """The credential was none."""
        if mark is not None:
            self._known.clear(mark)
        self._failures.hit(network_of(address))

    def known(self, principal: Principal, mark: str | None) -> None:
        """It is known who asks.

        Raises:
            TooManyRequests: they asked too often.
        """
        if mark is not None:
            self._known.keep(mark, _KNOWN)
        # The control plane works for everybody; how much it does is bounded there.
        if principal != CONTROL_PLANE and not self._principals.hit(principal.actor):
            raise self._principals.refusal(principal.actor, "You ask too often")


def check_storage(settings: Settings) -> None:
    """Refuse a storage of counts that cannot be used or does not answer.

    Raises:
        SetupError: saying which.
    """
    shared = _shared(settings.rate_limit_storage_url)
    if shared is not None and not shared.check():
        raise SetupError(
            "rate_limit_storage_url does not answer; each server counts for itself then. See that it runs and is reached."
        )


def _shared(url: str) -> Storage | None:
    if not url:
        return None
    timeouts = {"socket_timeout": _SHARED_TIMEOUT, "socket_connect_timeout": _SHARED_TIMEOUT}
    try:
        found = storage_from_string(url, wrap_exceptions=True, **(timeouts if url.startswith("redis") else {}))
    except ConfigurationError as fault:
        raise SetupError(
            "rate_limit_storage_url cannot be used: no such storage, or its client is not installed (for redis:// run: "
            "pip install 'limits[redis]')."
        ) from fault
    assert isinstance(found, Storage)
    return found
