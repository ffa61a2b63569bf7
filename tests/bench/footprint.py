"""What the control plane costs while nothing happens: processor time and memory of its process."""

import time

import psutil

from tests.kube.world import KubeWorld

SETTLED = 10.0


def footprint(world: KubeWorld, seconds: float) -> dict[str, float]:
    """Part of a core and MB over some seconds, and the requests it sent to Kubernetes meanwhile."""
    process = psutil.Process(world.parts["control-plane"].pid)
    # What the last start has left behind is not idling.
    time.sleep(SETTLED)
    asked, spent, begun = world.asked(), _spent(process), time.monotonic()
    time.sleep(seconds)
    part = (_spent(process) - spent) / (time.monotonic() - begun)
    return {
        "idle_core_percent": round(100 * part, 2),
        "idle_rss_mb": round(process.memory_info().rss / 1e6, 1),
        "idle_requests": world.asked() - asked,
    }


def _spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
