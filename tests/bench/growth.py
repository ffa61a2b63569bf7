"""``python -m tests.bench.growth``: what more rows cost a get and a list, and what depth costs a page.

Usage: python -m tests.bench.growth [--sizes 1000 100000 1000000] [--depth 10000] [--seconds 3]

A list that is counted counts every match, so it is measured with ``total=false`` as well: that is what a client asks for that
goes from page to page.
"""

import argparse
import json
import urllib.request

from tests.bench import load
from tests.bench.cases import request
from tests.bench.database import Rows, identifier, rows
from tests.bench.serving import CONNECTIONS, TOKEN, WAYS, Served, serving
from tests.e2e.conftest import BASE

FLAT = 1.3
DEEP = 1.5
PAGE = "/skills?size=20&total=false"


def rate(served: Served, path: str, seconds: float) -> load.Measured:
    """How often an address is answered."""
    one = request("GET", path)
    load.run(("127.0.0.1", served.port), lambda: one, CONNECTIONS, 1)
    run = load.run(("127.0.0.1", served.port), lambda: one, CONNECTIONS, seconds)
    if set(run.statuses) != {200}:
        raise SystemExit(f"{path}: answers with status {run.statuses}")
    return run


def growth(bench: Rows, served: Served, sizes: list[int], seconds: float) -> None:
    """Print the rates at each size, and how they fall."""
    first: dict[str, float] = {}
    for size in sizes:
        bench.fill(size)
        paths = {
            "get": f"/skills/{identifier(size // 2)}",
            "list 20": PAGE,
            "list 20, counted": "/skills?size=20",
        }
        for name, path in paths.items():
            found = rate(served, path, seconds)
            first.setdefault(name, found.rate)
            slower = first[name] / found.rate
            target = "" if "counted" in name else f"{FLAT}"
            print(
                f"| {size:,} rows | {name} | {found.rate:.0f} | {found.percentile(0.5):.1f} | {slower:.2f} | {target} |",
                flush=True,
            )


def depth(served: Served, pages: int, seconds: float) -> None:
    """Print what a page costs that lies deep."""
    deep = PAGE
    for _ in range(pages - 1):
        deep = f"{PAGE}&page_token={_page(served, deep)['next_page_token']}"
    begin, end = rate(served, PAGE, seconds), rate(served, deep, seconds)
    print(f"| page 1 | list 20 | {begin.rate:.0f} | {begin.percentile(0.5):.1f} | 1.00 | |")
    slower = begin.rate / end.rate
    print(f"| page {pages:,} | list 20 | {end.rate:.0f} | {end.percentile(0.5):.1f} | {slower:.2f} | {DEEP} |")


def _page(served: Served, path: str) -> dict[str, str]:
    address = f"http://127.0.0.1:{served.port}{BASE}{path}"
    asked = urllib.request.Request(address, headers={"Authorization": f"Bearer {TOKEN}"})  # noqa: S310 - loopback
    with urllib.request.urlopen(asked) as answer:  # noqa: S310
        return dict(json.load(answer))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 100_000, 1_000_000])
    parser.add_argument("--depth", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=3)
    asked = parser.parse_args()
    print("| where | case | requests/s | p50 ms | times slower | at most |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    with rows(0) as bench, serving(bench, WAYS["serve"]) as served:
        growth(bench, served, asked.sizes, asked.seconds)
        depth(served, asked.depth, asked.seconds)


if __name__ == "__main__":
    main()
