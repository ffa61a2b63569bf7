"""What the rate limits cost a request, in microseconds of CPU.

Usage: python -m tests.bench.rates
"""

import time
from dataclasses import replace

from ambient_core.access.rates import MOST_COUNTED, Counts, Rates
from ambient_core.config import Settings
from ambient_core.identity import Principal

_TIMES = 200_000
_MANY = 10**9


def cost(what: "list[float]") -> float:
    """Of the best of several rounds, so that what else the machine does matters less."""
    return min(what) / _TIMES * 1_000_000


def main() -> None:
    """Measure and print."""
    settings = replace(Settings(), rate_limit=_MANY, address_rate_limit=_MANY)
    rates, somebody = Rates(settings), Principal("person", "01jk5x8y3v9mgq2t4w6z8b0c2d", "Somebody")
    credential = f"Bearer {'x' * 900}"
    known, newcomers, flood = [], [], []
    for _ in range(5):
        started = time.process_time()
        for _ in range(_TIMES):
            rates.known(somebody, rates.arrive("192.0.2.1", credential))
        known.append(time.process_time() - started)
        started = time.process_time()
        for _ in range(_TIMES):
            rates.arrive("192.0.2.1", None)
        newcomers.append(time.process_time() - started)
        counts, started = Counts(), time.process_time()
        for number in range(_TIMES):
            counts.incr(f"2001:db8:0:{number:x}::/64", 60)
        flood.append(time.process_time() - started)
    print(f"a caller that is known    {cost(known):5.1f} us")
    print(f"an address, before        {cost(newcomers):5.1f} us")
    print(f"an address never seen     {cost(flood):5.1f} us, {MOST_COUNTED} kept at most")


if __name__ == "__main__":
    main()
