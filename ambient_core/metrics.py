"""Prometheus figures of all workers: each counts into files of its own, the metrics server adds them up."""

import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def prepare_folder() -> Path:
    """Make the folder that workers count into; call it before any of them, and before anything counts.

    Returns:
        the folder; remove it when the server has stopped.
    """
    folder = Path(tempfile.mkdtemp(prefix="ambient-metrics-"))
    # prometheus_client reads this variable when it is first imported; it has no other way to be told.
    os.environ[_FOLDER] = str(folder)
    return folder


@lru_cache(maxsize=1)
def _instruments() -> tuple[Any, Any]:
    from prometheus_client import Counter, Histogram  # noqa: PLC0415 - reads its folder from the environment at import

    labels = ["method", "route", "status"]
    requests = Counter("ambient_http_requests", "Requests answered.", labels)
    seconds = Histogram(
        "ambient_http_request_seconds", "Seconds until the answer.", ["method", "route"], buckets=_BUCKETS
    )
    return requests, seconds


@lru_cache(maxsize=4096)
def _children(method: str, route: str, status: int) -> tuple[Any, Any]:
    requests, seconds = _instruments()
    return requests.labels(method, route, str(status)), seconds.labels(method, route)


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one request.

    Args:
        route: the route's template, never the address: addresses would be labels without end.
        seconds: how long it took.
    """
    counter, histogram = _children(method, route, status)
    counter.inc()
    histogram.observe(seconds)


def exposition() -> bytes:
    """All figures in Prometheus' text format, over every worker."""
    from prometheus_client import REGISTRY, CollectorRegistry, generate_latest  # noqa: PLC0415
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    if os.environ.get(_FOLDER):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry = REGISTRY
    return bytes(generate_latest(registry))


def forget_worker(pid: int) -> None:
    """Drop the live gauges of a worker that ended."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

    mark_process_dead(pid)  # type: ignore[no-untyped-call]
