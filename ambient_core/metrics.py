"""Prometheus figures of all workers: each counts into files of its own, the metrics server adds them up."""

import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

_MAKING = threading.Lock()
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = "ambient_http_request_seconds"
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
def _instrument() -> Any:
    from prometheus_client import Histogram  # noqa: PLC0415 - reads its folder from the environment at import

    return Histogram(_SECONDS, "Seconds until the answer.", ["method", "route", "status"], buckets=_BUCKETS)


@lru_cache(maxsize=4096)
def _child(method: str, route: str, status: int) -> Any:
    # Two threads that come first would register the same instrument twice, which is an error.
    with _MAKING:
        seconds = _instrument()
    return seconds.labels(method, route, str(status))


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one request, by how long it took; how many there were is read off that (`_Counted`).

    Args:
        route: the route's template, never the address: addresses would be labels without end.
        seconds: how long it took.
    """
    _child(method, route, status).observe(seconds)


@lru_cache(maxsize=1)
def _watch_instruments() -> tuple[Any, Any]:
    from prometheus_client import Counter, Gauge  # noqa: PLC0415 - reads its folder from the environment at import

    watches = Gauge("ambient_watches", "Watches that are open.", multiprocess_mode="livesum")
    return watches, Counter("ambient_watches_cut", "Watches that were ended by the server.", ["status"])


def observe_watches(count: int) -> None:
    """Say how many watches this worker holds."""
    with _MAKING:
        watches, _ = _watch_instruments()
    watches.set(count)


def observe_cut_watch(status: int) -> None:
    """Count a watch that the server ends.

    Args:
        status: what it is told.
    """
    with _MAKING:
        _, cut = _watch_instruments()
    cut.labels(str(status)).inc()


@lru_cache(maxsize=1)
def _sign_in_instruments() -> tuple[Any, Any]:
    from prometheus_client import Counter  # noqa: PLC0415 - reads its folder from the environment at import

    fetches = Counter("ambient_issuer_key_fetches", "Fetches of an identity provider's keys.", ["issuer", "outcome"])
    return fetches, Counter("ambient_tokens_refused", "Identity providers' tokens that were refused.", ["rule"])


def observe_key_fetch(issuer: str, outcome: str) -> None:
    """Count a fetch of an identity provider's keys.

    Args:
        issuer: as it is configured.
        outcome: ``done`` or ``failed``.
    """
    with _MAKING:
        fetches, _ = _sign_in_instruments()
    fetches.labels(issuer, outcome).inc()


def observe_refused_token(rule: str) -> None:
    """Count a token that is refused.

    Args:
        rule: which refused it.
    """
    with _MAKING:
        _, refused = _sign_in_instruments()
    refused.labels(rule).inc()


@lru_cache(maxsize=1)
def _stream_instrument() -> Any:
    from prometheus_client import Gauge  # noqa: PLC0415 - reads its folder from the environment at import

    return Gauge(
        "ambient_open_streams", "Answers without an end of their own that are open.", multiprocess_mode="livesum"
    )


def observe_streams(count: int) -> None:
    """Say how many streams this worker holds, of every sort."""
    with _MAKING:
        streams = _stream_instrument()
    streams.set(count)


@lru_cache(maxsize=1)
def _refusal_instrument() -> Any:
    from prometheus_client import Counter  # noqa: PLC0415 - reads its folder from the environment at import

    return Counter("ambient_refusals_dropped", "Refusals that were not kept in the table.", ["reason"])


def observe_dropped_refusals(reason: str, count: int) -> None:
    """Count refusals that are not kept.

    Args:
        reason: ``caller`` or ``all`` (there are too many in a minute), ``queue`` or ``database``.
        count: how many.
    """
    with _MAKING:
        dropped = _refusal_instrument()
    dropped.labels(reason).inc(count)


class _Counted:
    """The figures that were kept, and the number of requests: the histogram has it, so it is not counted a second time.

    Args:
        kept: the registry that holds them.
    """

    def __init__(self, kept: Any) -> None:
        self._kept = kept

    def collect(self) -> Iterator[Any]:
        """The figures, as the registry takes them."""
        from prometheus_client.metrics_core import CounterMetricFamily  # noqa: PLC0415

        for family in self._kept.collect():
            yield family
            if family.name == _SECONDS:
                requests = CounterMetricFamily("ambient_http_requests", "Requests answered.")
                for sample in family.samples:
                    if sample.name == f"{_SECONDS}_count":
                        requests.add_sample("ambient_http_requests_total", sample.labels, sample.value)
                yield requests


class _Asked:
    """Gauges whose values were asked for just now."""

    def __init__(self, gauges: Mapping[str, tuple[str, float]]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Any]:
        """The gauges, as the registry takes them."""
        from prometheus_client.metrics_core import GaugeMetricFamily  # noqa: PLC0415

        for name, (text, value) in self._gauges.items():
            yield GaugeMetricFamily(name, text, value)


def exposition(gauges: Mapping[str, tuple[str, float]] | None = None) -> bytes:
    """All figures in Prometheus' text format, over every worker.

    Args:
        gauges: further values by name, each with what it means.
    """
    from prometheus_client import REGISTRY, CollectorRegistry, generate_latest  # noqa: PLC0415
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    kept = REGISTRY
    if os.environ.get(_FOLDER):
        kept = CollectorRegistry()
        MultiProcessCollector(kept)  # type: ignore[no-untyped-call]
    shown = CollectorRegistry()
    shown.register(_Counted(kept))
    shown.register(_Asked(gauges or {}))
    return bytes(generate_latest(shown))


def forget_worker(pid: int) -> None:
    """Drop the live gauges of a worker that ended."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

    mark_process_dead(pid)  # type: ignore[no-untyped-call]
