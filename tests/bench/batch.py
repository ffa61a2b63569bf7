"""``python -m tests.bench.batch``: objects made per second, 500 in a batch and one at a time, in one run over one database.

Usage: python -m tests.bench.batch [--seconds 2] [--rounds 3]
"""

import argparse
import statistics

from tests.bench import load
from tests.bench.cases import new_name, request
from tests.bench.database import Rows, rows, skill
from tests.bench.serving import CONNECTIONS, WAYS, Served, serving

SIZE = 500
TARGET = 15.0


def single() -> bytes:
    """One create."""
    return request("POST", "/skills", skill(new_name()))


def many() -> bytes:
    """A batch of creates."""
    operations = [{"op": "create", "kind": "Skill", "body": skill(new_name())} for _ in range(SIZE)]
    return request("POST", "/batch", {"operations": operations})


def measure(bench: Rows, served: Served, connections: int, seconds: float) -> tuple[float, float]:
    """Objects per second, one at a time and in batches."""
    found = []
    for make, size, status in ((single, 1, 201), (many, SIZE, 200)):
        # Made before the clock runs: what a batch costs its client is not what is measured.
        left = iter([make() for _ in range(int(seconds * (250 if size > 1 else 8000)) + 2 * connections)])
        run = load.run(("127.0.0.1", served.port), left.__next__, connections, seconds)
        if set(run.statuses) != {status}:
            raise SystemExit(f"answers with status {run.statuses}")
        found.append(run.rate * size)
        bench.forget_what_was_made()
    return found[0], found[1]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print("| connections | one at a time/s | in batches of 500/s | ratio | to reach |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    with rows(1000) as bench, serving(bench, WAYS["serve"]) as served:
        for connections in (1, CONNECTIONS):
            measure(bench, served, connections, 1)
            runs = [measure(bench, served, connections, asked.seconds) for _ in range(asked.rounds)]
            ratio = statistics.median(batch / alone for alone, batch in runs)
            alone, batch = (statistics.median(column) for column in zip(*runs, strict=True))
            print(f"| {connections} | {alone:.0f} | {batch:.0f} | {ratio:.1f} | {TARGET} |", flush=True)


if __name__ == "__main__":
    main()
