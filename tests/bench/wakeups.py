"""How soon a change is acted on: from a caller's stop to the first request about that session to Kubernetes."""

import math
import time

from tests.e2e.conftest import wait_for
from tests.kube.world import KubeWorld


def wakeups(world: KubeWorld, sessions: list[str]) -> dict[str, float]:
    """Milliseconds from before a stop is sent, so its write is in them, one session after the other."""
    taken = [_wakeup(world, session) for session in sessions]
    return {"wakeup_p50_ms": round(_quantile(taken, 0.5)), "wakeup_p99_ms": round(_quantile(taken, 0.99))}


def _wakeup(world: KubeWorld, session: str) -> float:
    before, begun = len(world.proxy.calls), time.monotonic()
    world.ask("POST", f"/sessions/{session}/stop").raise_for_status()

    def acted() -> float | None:
        calls = world.proxy.calls[before:]
        return next((call.at for call in calls if session in call.name.lower() and _ours(call.agent)), None)

    return 1000 * (float(wait_for(acted, f"a request about {session}")) - begun)


def _ours(agent: str) -> bool:
    return agent.startswith("ambient-control-plane")


def _quantile(values: list[float], part: float) -> float:
    """The value below which this part of them lies."""
    return sorted(values)[math.ceil(part * len(values)) - 1]
