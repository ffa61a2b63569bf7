"""Many watchers on one worker: what each takes, and how long a change takes to reach them.

Usage: python -m tests.bench.watchers

Starts ``ambient serve`` with one worker, opens the watches over plain sockets, compares the worker's own memory before and
after, and then writes at a steady rate while every watcher's events are timed from the answer of the write.
"""

import argparse
import json
import selectors
import socket
import statistics
import threading
import time

import httpx

from tests.bench.cases import new_name
from tests.bench.database import PROJECT, rows, skill
from tests.bench.serving import TOKEN, WAYS, Served, serving
from tests.e2e.conftest import BASE


class Watchers:
    """Watches over plain sockets, read by one thread.

    Args:
        address: of the API.
        token: of the caller.
        count: how many.
    """

    def __init__(self, address: tuple[str, int], token: str, count: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._seen: dict[str, list[float]] = {}
        self._ready = 0
        self.count = count
        for _ in range(count):
            request = f"GET {BASE}/skills?watch=true&project_id={PROJECT} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n"
            one = socket.create_connection(address)
            one.sendall(request.encode())
            self._selector.register(one, selectors.EVENT_READ)
        threading.Thread(target=self._read, daemon=True).start()

    def wait(self) -> None:
        """Wait until every watch has said from where on it watches."""
        while self._ready < self.count:
            time.sleep(0.05)

    def seen(self, identifier: str) -> list[float]:
        """When each watcher saw this object."""
        return self._seen.get(identifier, [])

    def _read(self) -> None:
        while True:
            for key, _ in self._selector.select(1):
                data = key.fileobj.recv(65536)  # type: ignore[union-attr]
                now = time.perf_counter()
                self._ready += data.count(b"event: BOOKMARK") if self._ready < self.count else 0
                for line in data.split(b"\n"):
                    if line.startswith(b'data: {"type":"ADDED"'):
                        identifier = line.split(b'"object_id":"', 1)[1][:26].decode()
                        self._seen.setdefault(identifier, []).append(now)


def write(served: Served, watchers: Watchers, rate: int, seconds: int) -> list[float]:
    """Make skills at a steady rate; answers how long each took to each watcher, in milliseconds."""
    made: dict[str, float] = {}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{served.port}{BASE}", headers=headers, trust_env=False) as client:
        begun = time.perf_counter()
        for number in range(rate * seconds):
            time.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            answer = client.post("/skills", json=skill(new_name()))
            made[answer.raise_for_status().json()["id"]] = time.perf_counter()
    deadline = time.perf_counter() + 10
    while any(len(watchers.seen(one)) < watchers.count for one in made) and time.perf_counter() < deadline:
        time.sleep(0.05)
    missing = sum(watchers.count - len(watchers.seen(one)) for one in made)
    print(f"{len(made)} writes in {time.perf_counter() - begun:.1f} s, {missing} deliveries missing")
    return [1000 * (at - answered) for one, answered in made.items() for at in watchers.seen(one)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--watchers", type=int, default=1000)
    parser.add_argument("--timed", type=int, default=100)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=10)
    options = parser.parse_args()
    with rows(0) as bench, serving(bench, WAYS["serve"], workers=1) as served:
        address, words = ("127.0.0.1", served.port), served.process.cmdline()
        timed = Watchers(address, TOKEN, options.timed)
        timed.wait()
        took = sorted(write(served, timed, options.rate, options.seconds))
        print(
            f"{options.timed} watchers, {options.rate} writes/s: answer to delivery p50 {statistics.median(took):.1f} ms, "
            f"p99 {took[int(len(took) * 0.99)]:.1f} ms"
        )
        mine = [process for process in served.process.children() if process.cmdline() == words]
        worker = max(mine, key=lambda process: len(process.net_connections()))
        before = worker.memory_full_info().uss
        many = Watchers(address, TOKEN, options.watchers - options.timed)
        many.wait()
        after = worker.memory_full_info().uss
        each = (after - before) / many.count / 1024
        print(f"{options.watchers} watchers: {after / 2**20:.0f} MiB own memory, {each:.1f} KiB for each watcher")
        print(json.dumps({"uss_before": before, "uss_after": after}))


if __name__ == "__main__":
    main()
