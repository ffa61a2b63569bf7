"""``make bench-kube``: the control plane on a real Kubernetes API server, with pods that take no time.

Usage: python -m tests.bench.kube [--runtime operator|job] [--starts 500] [--idle 2000] [--changes 200]

API, gateway, control plane and PostgreSQL are the real processes; the operator is its double, and the kubelet answers for
its pods by itself. All sessions of one run are in one project. Requests to Kubernetes are counted by the proxy on the way.
"""

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import psycopg

from ambient_core.embedded.postgres import EmbeddedPostgres
from tests.bench.footprint import footprint
from tests.bench.wakeups import wakeups
from tests.e2e.conftest import wait_for
from tests.kube.calls import Call
from tests.kube.testplane import Plane
from tests.kube.world import KubeWorld

CALLERS = 16
LONGEST = 900.0
Figures = dict[str, object]
T = TypeVar("T")


class Fleet:
    """Many sessions over one runtime.

    Args:
        world: the system.
    """

    def __init__(self, world: KubeWorld) -> None:
        self.world = world
        self.ids: list[str] = []
        self._database = psycopg.connect(world.postgres.url.replace("+psycopg", ""), autocommit=True)

    def make(self, count: int) -> None:
        """Rows that nobody has started."""
        body = {"name": "bench", "project_id": self.world.project}
        self.ids += self._all(lambda _: str(self._ask("", body)["id"]), [""] * count)

    def start(self, sessions: list[str]) -> float:
        """Start them; answers the seconds from the first request until all are Running."""
        return self._timed(sessions, "start", "Running")

    def stop(self, sessions: list[str]) -> float:
        """Stop them; answers the seconds from the first request until all are Stopped."""
        return self._timed(sessions, "stop", "Stopped")

    def phases(self, sessions: list[str]) -> Counter[str]:
        """How many are in each phase."""
        query = "SELECT phase, count(*) FROM sessions WHERE id = ANY(%s) GROUP BY phase"
        return Counter({str(phase): int(count) for phase, count in self._database.execute(query, (sessions,))})

    def _timed(self, sessions: list[str], verb: str, phase: str) -> float:
        begun = time.monotonic()
        self._all(lambda session: self._ask(f"/{session}/{verb}"), sessions)
        try:
            wait_for(lambda: self.phases(sessions)[phase] == len(sessions), f"all {phase}", LONGEST)
        except AssertionError:
            raise SystemExit(f"Not all became {phase}: {dict(self.phases(sessions))}; log: {self.world.log}") from None
        return time.monotonic() - begun

    def _ask(self, path: str, body: Figures | None = None) -> dict[str, object]:
        answer = self.world.ask("POST", f"/sessions{path}", **({"json": body} if body else {}))
        return dict(answer.raise_for_status().json())

    def _all(self, act: Callable[[str], T], given: list[str]) -> list[T]:
        with ThreadPoolExecutor(CALLERS) as pool:
            return list(pool.map(act, given))


def measure(world: KubeWorld, given: argparse.Namespace) -> Figures:
    """All figures of one runtime."""
    fleet, found = Fleet(world), {"runtime": world.runtime}
    world.steady()
    fleet.make(given.starts)
    before = len(world.proxy.calls)
    found["running_s"] = _said("running_s", fleet.start(fleet.ids))
    started = list(world.proxy.calls[before:])
    before = len(world.proxy.calls)
    found["stopped_s"] = _said("stopped_s", fleet.stop(fleet.ids))
    stopped = list(world.proxy.calls[before:])
    found["requests_start"] = _said("requests_start", _each(started, given.starts))
    found["requests_stop"] = _said("requests_stop", _each(stopped, given.starts))
    if given.idle > given.starts:
        fleet.make(given.idle - given.starts)
    crowd = fleet.ids[: given.idle]
    found["idle_start_s"] = _said("idle_start_s", fleet.start(crowd))
    found |= _said("idle", footprint(world, given.seconds))
    found |= _said("wakeups", wakeups(world, crowd[: given.changes]))
    found |= _said("resync", _resync(world))
    return found


def _resync(world: KubeWorld) -> Figures:
    """A new control plane's first look at everything, and which lists it takes."""
    world.rest()
    written = len(world.log.read_text())
    before = len(world.proxy.calls)
    begun = time.monotonic()
    world.steady()
    look = wait_for(lambda: _looked(world, written), "the first full look", LONGEST)
    lists = Counter((call.resource, call.namespace) for call in world.proxy.calls[before:] if call.verb == "list")
    return {
        "resync_s": look,
        "resync_with_start_s": round(time.monotonic() - begun, 2),
        "lists": {
            f"{resource} {namespace or 'of all namespaces'}": count for (resource, namespace), count in lists.items()
        },
    }


def _looked(world: KubeWorld, start: int) -> float | None:
    """Seconds that the first look after this place in the log took, as the control plane says itself."""
    for line in world.log.read_text()[start:].splitlines():
        if "looked at every Session in " in line:
            return float(line.split("looked at every Session in ")[1].split()[0])
    return None


def _each(calls: list[Call], sessions: int) -> dict[str, float]:
    """Requests for each session, by verb and resource."""
    words = Counter(f"{call.verb} {'/'.join(filter(None, (call.resource, call.subresource)))}" for call in calls)
    return {word: round(count / sessions, 3) for word, count in words.most_common()}


def _said(name: str, figure: T) -> T:
    print(f"  {name}: {round(figure, 1) if isinstance(figure, float) else json.dumps(figure)}", flush=True)
    return figure


def main() -> None:
    """Measure what the words on the command line say."""
    parser = argparse.ArgumentParser(description="Measure the control plane on a real Kubernetes API server.")
    parser.add_argument("--runtime", choices=["operator", "job"], action="append")
    for name, default in (("starts", 500), ("idle", 2000), ("changes", 200), ("seconds", 30)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    for runtime in given.runtime or ["operator", "job"]:
        with tempfile.TemporaryDirectory(prefix="bench-kube-") as place:
            folder = Path(place)
            plane = Plane(folder / "plane").start()
            postgres = EmbeddedPostgres(folder / "postgres", max_connections=100).start()
            world = KubeWorld(folder / "data", postgres, runtime, plane, quick=True)
            world.settle(START_DEADLINE=600, STOP_DEADLINE=600)
            world.variables["AMBIENT_LOG_LEVEL"] = "info"
            print(f"runtime {runtime}", flush=True)
            try:
                world.start()
                measure(world, given)
            finally:
                world.end()
                plane.stop()


if __name__ == "__main__":
    main()
