"""``make bench-kube``: the control plane on a real Kubernetes API server, with pods that take no time.

Usage: python -m tests.bench.kube [--runtime operator|job] [--part start|idle|resync|wakeups] [--sessions 500] [--idle 2000]
       [--changes 200] [--resync 5000] [--seconds 30]

API, gateway, control plane and PostgreSQL are the real processes; the operator is its double, and the kubelet answers for
its pods by itself. All sessions of one run are in one project. Requests to Kubernetes are counted by the proxy on the way.
What is idle, woken or looked at anew was not started one by one: one session was, and the others are copies of it.
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from ambient_core.embedded.postgres import EmbeddedPostgres
from tests.bench.crowd import Crowd
from tests.bench.fleet import LONGEST, Fleet
from tests.bench.footprint import footprint
from tests.bench.table import Figure, table
from tests.bench.wakeups import wakeups
from tests.e2e.conftest import wait_for
from tests.kube.calls import Call
from tests.kube.testplane import Plane
from tests.kube.world import KubeWorld

RUNTIMES = ["operator", "job"]
Measure = Callable[[Fleet, argparse.Namespace], list[Figure]]


def starts(fleet: Fleet, given: argparse.Namespace) -> list[Figure]:
    """Many started at once, and stopped at once."""
    world, count = fleet.world, given.sessions
    sessions = fleet.make(count)
    before = len(world.proxy.calls)
    running = fleet.start(sessions)
    between = len(world.proxy.calls)
    stopped = fleet.stop(sessions)
    started, ended = world.proxy.calls[before:between], world.proxy.calls[between:]
    figures = [Figure(f"{count} all Running", running, "s", 60), Figure(f"{count} all Stopped", stopped, "s", 60)]
    return [*figures, *_each("start", started, count), *_each("stop", ended, count)]


def idle(fleet: Fleet, given: argparse.Namespace) -> list[Figure]:
    """Many that run and do nothing."""
    _crowd(fleet, given.idle)
    found = footprint(fleet.world, given.seconds)
    return [
        Figure(f"{given.idle} idle, of a core", found["idle_core_percent"], "%", 5),
        Figure(f"{given.idle} idle, resident", found["idle_rss_mb"], "MB", 150),
        Figure(f"{given.idle} idle, requests in {given.seconds} s", found["idle_requests"], ""),
    ]


def woken(fleet: Fleet, given: argparse.Namespace) -> list[Figure]:
    """How soon a stop is acted on."""
    _crowd(fleet, given.changes + 1)
    found = wakeups(fleet.world, fleet.ids[-given.changes :])
    p50 = Figure(f"change to wake-up, p50 of {given.changes}", found["wakeup_p50_ms"], "ms")
    return [p50, Figure(f"change to wake-up, p99 of {given.changes}", found["wakeup_p99_ms"], "ms", 500)]


def resync(fleet: Fleet, given: argparse.Namespace) -> list[Figure]:
    """A new control plane's first look at everything, and which lists it takes."""
    world = fleet.world
    _crowd(fleet, given.resync)
    world.rest()
    written, before = len(world.log.read_text()), len(world.proxy.calls)
    world.steady()
    seconds = wait_for(lambda: _looked(world, written), "the first full look", LONGEST)
    calls = world.proxy.calls[before:]
    # The pages of one list are one list.
    lists = Counter((call.resource, call.namespace) for call in calls if call.verb == "list" and not call.further)
    most = max((count for (_, namespace), count in lists.items() if namespace), default=0)
    return [
        Figure(f"full look at {given.resync}", seconds, "s", 5),
        Figure("  lists of one resource of a namespace, at most", most, "", 1),
        Figure("  requests", len(calls), ""),
    ]


PARTS: dict[str, Measure] = {"start": starts, "idle": idle, "resync": resync, "wakeups": woken}


def _crowd(fleet: Fleet, count: int) -> None:
    """So many that run, in the end by copies of one; the control plane has looked at all of them."""
    world = fleet.world
    if fleet.phases(fleet.ids[:1])["Running"] == 0:
        fleet.ids = []
        fleet.start(fleet.make(1))
    if len(fleet.ids) >= count:
        return
    world.operator.stop()
    world.rest()
    fleet.ids += Crowd(fleet, fleet.ids[0]).grow(count - len(fleet.ids))
    written = len(world.log.read_text())
    world.steady()
    wait_for(lambda: _looked(world, written), "the first full look", LONGEST)


def _looked(world: KubeWorld, start: int) -> float | None:
    """Seconds that the first look after this place in the log took, as the control plane says itself."""
    for line in world.log.read_text()[start:].splitlines():
        if "looked at every Session in " in line:
            return float(line.split("looked at every Session in ")[1].split()[0])
    return None


def _each(what: str, calls: list[Call], sessions: int) -> list[Figure]:
    """Requests for each session, by verb and resource; of the project's own there are few."""
    words = Counter(f"{call.verb} {'/'.join(filter(None, (call.resource, call.subresource)))}" for call in calls)
    each = [Figure(f"  {word}", count / sessions, "") for word, count in words.most_common() if count * 20 > sessions]
    return [Figure(f"requests a {what}", len(calls) / sessions, ""), *each]


def measure(runtime: str, given: argparse.Namespace) -> list[Figure]:
    """The parts of one runtime, in a system of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-kube-") as place:
        folder = Path(place)
        plane = Plane(folder / "plane").start()
        postgres = EmbeddedPostgres(folder / "postgres", max_connections=100).start()
        world = KubeWorld(folder / "data", postgres, runtime, plane, quick=True)
        world.settle(START_DEADLINE=600, STOP_DEADLINE=600)
        world.variables["AMBIENT_LOG_LEVEL"] = "info"
        found: list[Figure] = []
        try:
            world.start()
            world.steady()
            fleet = Fleet(world)
            for part in given.part or PARTS:
                found += (made := PARTS[part](fleet, given))
                print(table(made), flush=True)
            fleet.close()
        finally:
            world.end()
            plane.stop()
        return found


def main() -> None:
    """Measure what the words on the command line say."""
    parser = argparse.ArgumentParser(description="Measure the control plane on a real Kubernetes API server.")
    parser.add_argument("--runtime", choices=RUNTIMES, action="append")
    parser.add_argument("--part", choices=PARTS, action="append")
    sizes = (("sessions", 500), ("idle", 2000), ("changes", 200), ("resync", 5000), ("seconds", 30))
    for name, default in sizes:
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    begun = time.monotonic()
    for runtime in given.runtime or RUNTIMES:
        print(f"runtime {runtime}", flush=True)
        found = measure(runtime, given)
        print(f"\nruntime {runtime}, all of it\n{table(found)}\n", flush=True)
    print(f"took {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
