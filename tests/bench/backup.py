"""``python -m tests.bench.backup``: rows per second of an export and of an import, one process each.

Usage: python -m tests.bench.backup [--rows 200000]
"""

import argparse
import io
import time

import psycopg

from ambient_core import backup
from ambient_core.config import Settings
from tests.bench.database import Rows, rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    asked = parser.parse_args()
    with rows(asked.rows) as bench:
        settings, content = Settings(profile="development", database_url=bench.url), io.BytesIO()
        begun, work = time.perf_counter(), time.process_time()
        count = backup.export(settings, content)
        spent = time.perf_counter() - begun
        print(f"export: {count / spent:,.0f} rows/s, {len(content.getvalue()) / spent / 2**20:.0f} MiB/s", flush=True)
        print(f"  of it in this process: {(time.process_time() - work) / spent:.0%} of a core")
        _empty(bench)
        content.seek(0)
        begun = time.perf_counter()
        done = backup.load(settings, content)
        print(f"import: {done.created.total() / (time.perf_counter() - begun):,.0f} rows/s, change log included")


def _empty(bench: Rows) -> None:
    with psycopg.connect(bench.url, autocommit=True) as connection:
        connection.execute("TRUNCATE skills, projects, changes CASCADE")


if __name__ == "__main__":
    main()
