"""What it costs to wake readers: the same create at 32 connections, without a word, with one notifier, and with
``pg_notify`` in every transaction.

Usage: python -m tests.bench.notify

pgbench runs the API's own statement. Rounds alternate; the median ratio to "without a word" is printed.
"""

import argparse
import statistics
import threading
import time

import psycopg

from ambient_core.database import Database
from ambient_core.database.listen import CHANNEL
from tests.bench.cases import created
from tests.bench.database import Rows, rows
from tests.bench.serving import CONNECTIONS

_ANSWER = "SELECT object, version"


def run(bench: Rows, way: str, sql: str, seconds: int) -> float:
    """Creates per second in one of the three ways, while somebody listens."""
    done = threading.Event()
    database = Database(bench.url)

    def poke() -> None:
        # As if every one of the writes had been committed in this process.
        while not done.is_set():
            database.committed()
            time.sleep(0.0005)

    with psycopg.connect(bench.url, autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")
        poker = threading.Thread(target=poke)
        if way == "one notifier":
            poker.start()
        inside = sql.replace(_ANSWER, f"SELECT pg_notify('{CHANNEL}', ''), object, version")
        rate = bench.pgbench(inside if way == "in every transaction" else sql, CONNECTIONS, seconds)
        done.set()
        if poker.is_alive():
            poker.join()
    database.close()
    return rate


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ways = ("without a word", "one notifier", "in every transaction")
    rates: dict[str, list[float]] = {way: [] for way in ways}
    with rows(0) as bench:
        sql = created(bench)
        for _ in range(options.rounds):
            for way in ways:
                rates[way].append(run(bench, way, sql, options.seconds))
    print(
        f"{CONNECTIONS} connections, {options.rounds} x {options.seconds} s\n\n| way | creates/s | ratio |\n| --- | ---: | ---: |"
    )
    for way in ways:
        ratio = statistics.median(own / plain for own, plain in zip(rates[way], rates[ways[0]], strict=True))
        print(f"| {way} | {statistics.median(rates[way]):.0f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
