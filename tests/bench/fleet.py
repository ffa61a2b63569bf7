"""Many sessions over one runtime, for benchmarks."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import httpx
import psycopg

from tests.e2e.conftest import wait_for
from tests.kube.world import KubeWorld

CALLERS = 16
LONGEST = 900.0
_BATCH = 250
T = TypeVar("T")


class Fleet:
    """Many sessions over one runtime.

    Args:
        world: the system.
    """

    def __init__(self, world: KubeWorld) -> None:
        self.world = world
        self.ids: list[str] = []
        self._client = httpx.Client(base_url=world.api, headers=world.headers, timeout=60, trust_env=False)
        self._database = psycopg.connect(world.postgres.url.replace("+psycopg", ""), autocommit=True)

    def make(self, count: int) -> list[str]:
        """Rows that nobody has started; answers their ids."""
        body = {"name": "bench", "project_id": self.world.project}
        made: list[str] = []
        while len(made) < count:
            operations = [{"op": "create", "kind": "Session", "body": body}] * min(_BATCH, count - len(made))
            results = self.ask("/batch", {"operations": operations})["results"]
            made += [str(result["body"]["id"]) for result in results]
        self.ids += made
        return made

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

    def ask(self, path: str, body: Any = None) -> dict[str, Any]:
        """POST to the API."""
        answer = self._client.post(path, **({"json": body} if body else {}))
        return dict(answer.raise_for_status().json())

    def each(self, act: Callable[[T], Any], given: list[T]) -> None:
        """Do something for each, several at once."""
        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(act, given))

    def close(self) -> None:
        """Let go."""
        self._client.close()
        self._database.close()

    def _timed(self, sessions: list[str], verb: str, phase: str) -> float:
        begun = time.monotonic()
        self.each(lambda session: self.ask(f"/sessions/{session}/{verb}"), sessions)
        print(f"    {verb} was asked for in {time.monotonic() - begun:.1f} s", flush=True)
        try:
            wait_for(lambda: self.phases(sessions)[phase] == len(sessions), f"all {phase}", LONGEST)
        except AssertionError:
            raise SystemExit(f"Not all became {phase}: {dict(self.phases(sessions))}; log: {self.world.log}") from None
        return time.monotonic() - begun
