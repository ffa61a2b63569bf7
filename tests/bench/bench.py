"""``make bench``: the API beside pgbench, in one run, with the same SQL on the same database.

pgbench runs each statement as the API's driver does (prepared, 32 connections); the API runs under ``ambient serve`` with
two workers and answers 32 connections over HTTP. What counts is the ratio: how much of the database's own speed a caller
gets. Rounds alternate, and the median is printed, so that a machine that slows down slows both.
"""

import argparse
import json
import os
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import psycopg

from ambient_core import listing, migrate, statements
from ambient_core.config import Settings
from ambient_core.embedded.binaries import Account, programs
from ambient_core.embedded.postgres import EmbeddedPostgres
from ambient_core.kinds import Kind
from ambient_core.plugins import load_plugins
from tests.bench import load
from tests.e2e.conftest import free_port, wait_for

CONNECTIONS = 32
ROWS = 1000
PROJECT = "bench"
TARGETS = {"list 100": 0.5, "list 20": 0.3, "get": 0.06, "create": 0.15}
BASE = "/api/ambient/v1"


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure.

    Args:
        name: as it is printed.
        sql: for pgbench.
        request: gives the next HTTP request.
        status: what every answer must have.
    """

    name: str
    sql: str
    request: Callable[[], bytes]
    status: int = 200


class Bench:
    """A database with rows, an API over it, and the kind that is asked for.

    Args:
        folder: where everything lies.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres = EmbeddedPostgres(folder / "postgres", max_connections=100).start()
        self.port = free_port()
        self.token = secrets.token_urlsafe(16)
        for name in ("developer", "control-plane"):
            (folder / name).write_text(self.token if name == "developer" else secrets.token_urlsafe(16))
            (folder / name).chmod(0o600)
        self.settings = Settings(profile="development", database_url=self.postgres.url)
        plugins = load_plugins(self.settings)
        migrate.upgrade(self.settings, plugins, lambda _line: None)
        kind = plugins.registry.by_plural("skills")
        assert kind is not None
        self.kind: Kind = kind

    @contextmanager
    def serving(self, workers: int) -> Iterator[psutil.Process]:
        """The API under Gunicorn."""
        own = {
            "PROFILE": "development",
            "DATABASE_URL": self.postgres.url,
            "DEVELOPER_TOKEN_FILE": self.folder / "developer",
            "CONTROL_PLANE_TOKEN_FILE": self.folder / "control-plane",
            "BIND": f"127.0.0.1:{self.port}",
            "HEALTH_BIND": f"127.0.0.1:{free_port()}",
            "METRICS_BIND": f"127.0.0.1:{free_port()}",
            "WORKERS": workers,
            "POOL_SIZE": CONNECTIONS // workers,
            "LOG_LEVEL": "warning",
        }
        environment = {**os.environ, **{f"AMBIENT_{name}": str(value) for name, value in own.items()}}
        process = subprocess.Popen([sys.executable, "-m", "ambient_core", "serve"], env=environment)
        try:
            wait_for(self._answers, "the API")
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(60)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{BASE}/projects", trust_env=False).status_code == 401
        except httpx.TransportError:
            return False

    def fill(self) -> str:
        """Make a project with skills; answers the id of one."""
        headers = {"Authorization": f"Bearer {self.token}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}{BASE}", headers=headers, trust_env=False) as client:
            client.post("/projects", json={"name": PROJECT}).raise_for_status()
            for number in range(ROWS):
                client.post("/skills", json=skill(f"skill-{number}")).raise_for_status()
            with psycopg.connect(self.postgres.url, autocommit=True) as connection:
                connection.execute("VACUUM ANALYZE")
            return str(client.get("/skills?size=1&page=500").json()["items"][0]["id"])

    def request(self, method: str, path: str, body: Mapping[str, object] | None = None) -> bytes:
        """A request as bytes."""
        raw = json.dumps(body).encode() if body is not None else b""
        head = f"{method} {BASE}{path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self.token}\r\n"
        if raw:
            head += f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n"
        return head.encode() + b"\r\n" + raw

    def cases(self, identifier: str) -> list[Case]:
        """What is measured, with the SQL that the API itself uses."""
        listed = listing.select_list(self.kind, "", listing.Shape(None, (("id", False),)))
        got = statements.select_one(self.kind, None, "")
        columns = self.kind.table.columns
        given = {"id": "", "project_id": PROJECT, **skill("")}
        made = statements.insert(
            self.kind, tuple(name for name in (column.name for column in columns) if name in given)
        )
        fresh = "substr(md5(random()::text || clock_timestamp()::text), 1, 26)"
        create = {"id": fresh, **{n: f"'{v}'" for n, v in given.items() if n != "id"}, "name": fresh}
        create |= {"actor_": "'bench'", "verb_": "'create'"}

        def page(size: int) -> dict[str, str]:
            return {"limit_": f"{size}", "offset_": "0"}

        one, twenty, hundred = (
            self.request("GET", path) for path in (f"/skills/{identifier}", "/skills?size=20", "/skills?size=100")
        )
        return [
            Case("list 100", inlined(listed, page(100)), lambda: hundred),
            Case("list 20", inlined(listed, page(20)), lambda: twenty),
            Case("get", inlined(got, {"id_": f"'{identifier}'"}), lambda: one),
            Case("create", inlined(made, create), lambda: self.request("POST", "/skills", skill(new_name())), 201),
        ]

    def pgbench(self, case: Case, seconds: int) -> float:
        """Transactions per second of the database alone."""
        account = Account.choose()
        script = self.folder / "script.sql"
        script.write_text(case.sql + ";\n")
        command = [str(programs(account) / "pgbench"), "-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "2"]
        command += ["-T", str(seconds), "-f", str(script), self.postgres.url]
        user = {"user": account.uid, "group": account.gid} if account.switched else {}
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **user)  # type: ignore[call-overload]
        found = re.search(r"tps = ([\d.]+)", done.stdout)
        if found is None:
            raise SystemExit(f"pgbench failed: {done.stderr}")
        return float(found[1])


def skill(name: str) -> dict[str, object]:
    """A skill of a usual size."""
    text = "Read the failing test first, then the change that broke it. " * 4
    return {"project_id": PROJECT, "name": name, "description": "When a test fails.", "prompt": text.strip()}


def new_name() -> str:
    """A name that nobody has."""
    return "s" + secrets.token_hex(12)


def inlined(sql: str, values: Mapping[str, str]) -> str:
    """A statement with its parameters as literals, for pgbench."""
    text = re.sub(r"%\((\w+)\)s", lambda found: values[found[1]], sql).replace("%%", "%")
    # pgbench takes the :MI of a time format for a variable, even inside a literal; the same literal without colons.
    return re.sub(r"'(YYYY[^']*)'", lambda found: "U&'" + found[1].replace(":", r"\003A") + "'", text)


def measure(bench: Bench, case: Case, seconds: int, rounds: int) -> tuple[float, list[load.Measured], float]:
    """Alternate both; answers the median ratio, the API's runs and the database's median rate."""
    base, ours = [], []
    for _ in range(rounds):
        base.append(bench.pgbench(case, seconds))
        run = load.run(("127.0.0.1", bench.port), case.request, CONNECTIONS, seconds)
        if set(run.statuses) != {case.status}:
            raise SystemExit(f"{case.name}: answers with status {run.statuses}")
        ours.append(run)
    ratio = statistics.median(run.rate / rate for run, rate in zip(ours, base, strict=True))
    return ratio, ours, statistics.median(base)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ambient-bench-") as name:
        Path(name).chmod(0o711)
        bench = Bench(Path(name))
        try:
            with bench.serving(options.workers) as server:
                report(bench, server, options)
        finally:
            bench.postgres.stop()
            bench.postgres.remove()


def report(bench: Bench, server: psutil.Process, options: argparse.Namespace) -> None:
    """The table."""
    identifier = bench.fill()
    print(
        f"{ROWS} rows, {CONNECTIONS} connections, {options.workers} workers, {options.rounds} x {options.seconds} s\n"
    )
    print("| case | pgbench/s | API/s | ratio | target | p50 ms | p99 ms |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for case in bench.cases(identifier):
        if options.only not in case.name:
            continue
        ratio, ours, base = measure(bench, case, options.seconds, options.rounds)
        middle = statistics.median_low(run.rate for run in ours)
        run = next(run for run in ours if run.rate == middle)
        figures = f"{base:.0f} | {run.rate:.0f} | {ratio:.3f} | {TARGETS[case.name]}"
        print(f"| {case.name} | {figures} | {run.percentile(0.5):.1f} | {run.percentile(0.99):.1f} |", flush=True)
    words = server.cmdline()
    sizes = [p.memory_full_info() for p in server.children() if p.cmdline() == words]
    shown = ", ".join(f"{size.rss / 2**20:.0f} MiB (own {size.uss / 2**20:.0f})" for size in sizes)
    print(f"\nresident memory of the server's processes: {shown}")


if __name__ == "__main__":
    started = time.monotonic()
    main()
    print(f"took {time.monotonic() - started:.0f} s")
