"""``make bench``: our API, a hand-written FastAPI reference and pgbench, side by side in one run over one database.

Every round measures each of them for a few seconds, one after the other, with the same 32 connections; ratios are taken
within a round and their median is printed, so that a machine that slows down slows all of them.
"""

import argparse
import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from tests.bench import load
from tests.bench.cases import Case, cases
from tests.bench.database import Rows, rows
from tests.bench.serving import CONNECTIONS, WAYS, WORKERS, Served, serving

ROWS = 1000
WARM_UP = 1.0
TARGETS = {"get": 1.0, "list 20": 1.0, "list 100": 1.0, "create": 0.8, "patch": 0.8}
"""What the best way to serve must reach of the reference."""


@dataclass(slots=True)
class Measured:
    """The rounds of one case.

    Args:
        database: transactions per second of pgbench, by round.
        runs: of each way, by round.
    """

    database: list[float] = field(default_factory=list)
    runs: dict[str, list[load.Measured]] = field(default_factory=dict)

    def rate(self, way: str) -> float:
        """The median rate of a way."""
        return statistics.median(run.rate for run in self.runs[way])

    def percentile(self, way: str, share: float) -> float:
        """The median of a percentile, in milliseconds."""
        return statistics.median(run.percentile(share) for run in self.runs[way])

    def ratio(self, way: str, other: str) -> float:
        """The median ratio of two ways' rates within a round."""
        pairs = zip(self.runs[way], self.runs[other], strict=True)
        return statistics.median(run.rate / against.rate for run, against in pairs)


def measure(case: Case, bench: Rows, served: list[Served], seconds: float, rounds: int) -> Measured:
    """Alternate pgbench and every way."""
    measured = Measured(runs={one.way.name: [] for one in served})
    for _ in range(rounds):
        measured.database.append(bench.pgbench(case.sql, CONNECTIONS, seconds))
        for one in served:
            load.run(("127.0.0.1", one.port), case.request, CONNECTIONS, WARM_UP)
            run = load.run(("127.0.0.1", one.port), case.request, CONNECTIONS, seconds)
            if set(run.statuses) != {case.status}:
                raise SystemExit(f"{case.name}, {one.way.name}: answers with status {run.statuses}")
            measured.runs[one.way.name].append(run)
            if case.status == 201:
                bench.forget_what_was_made()
    return measured


def lines(case: Case, measured: Measured) -> list[str]:
    """The table's rows of one case."""
    against = case.reference
    found = [f"| {case.name} | pgbench | {statistics.median(measured.database):.0f} | | | | | |"]
    for way in measured.runs:
        own, other = measured.percentile(way, 0.99), measured.percentile(against, 0.99)
        figures = f"{measured.rate(way):.0f} | {measured.percentile(way, 0.5):.1f} | {own:.1f}"
        compared = "| |" if way == against else f"{measured.ratio(way, against):.2f} | {own / other:.2f} |"
        base = statistics.median(
            run.rate / rate for run, rate in zip(measured.runs[way], measured.database, strict=True)
        )
        found.append(f"| {case.name} | {way} | {figures} | {base:.3f} | {compared}")
    return found


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="a part of the names of cases")
    parser.add_argument("--ways", default="serve", help=f"separated by commas; known: {', '.join(WAYS)}")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    asked = options()
    ways = [name.strip() for name in asked.ways.split(",")]
    with rows(ROWS) as bench:
        print(f"{ROWS} rows, {CONNECTIONS} connections, {WORKERS} workers, {asked.rounds} x {asked.seconds:g} s\n")
        print("| case | served by | requests/s | p50 ms | p99 ms | : pgbench | : reference | p99 : reference |")
        print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        with ExitStack() as stack:
            served = {name: stack.enter_context(serving(bench, WAYS[name])) for name in [*ways, *_references()]}
            for case in cases(bench):
                if asked.only in case.name:
                    chosen = [served[name] for name in [*ways, case.reference]]
                    print("\n".join(lines(case, measure(case, bench, chosen, asked.seconds, asked.rounds))), flush=True)
            print("\nMiB resident per worker: " + "; ".join(f"{n} {_sizes(one)}" for n, one in served.items()))


def _references() -> list[str]:
    return [name for name in WAYS if name.startswith("reference")]


def _sizes(one: Served) -> str:
    return " and ".join(f"{size:.0f}" for size in one.memory())


if __name__ == "__main__":
    started = time.monotonic()
    main()
    print(f"took {time.monotonic() - started:.0f} s")
