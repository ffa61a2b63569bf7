"""What a cluster keeps of a session for people: the log of its pod, and events."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from ambient_sessions.cluster.client import Cluster, Object, Scope
from ambient_sessions.cluster.faults import NotThere
from ambient_sessions.cluster.resources import EVENTS, PODS
from ambient_sessions.runtimes import Happening, LogsWanted, Waiting

_SILENCE = 60.0


def log_of(cluster: Cluster, namespace: str, pod: str, container: str, wanted: LogsWanted) -> Iterator[bytes]:
    """Lines of a container's log, each with its end.

    A silence while following is no end: the log is asked for again from its last line on, as long as the pod runs.
    """
    query: dict[str, Any] = {"container": container, "timestamps": "true", "tailLines": wanted.tail}
    if wanted.since is not None:
        query["sinceTime"] = wanted.since.astimezone(UTC).isoformat().replace("+00:00", "Z")
    query["follow"] = "true" if wanted.follow else None
    last = b""
    while True:
        try:
            for line in cluster.log(namespace, pod, query, _SILENCE if wanted.follow else None):
                stamp, _, text = line.partition(b" ")
                if stamp <= last:
                    continue
                last = stamp
                yield text + b"\n"
            return
        except NotThere:
            return
        except Waiting as fault:
            if fault.reason == "Refused":
                # 400: the container has not started yet.
                return
            if not wanted.follow or not _runs(cluster, namespace, pod):
                raise
        query["tailLines"] = None
        query["sinceTime"] = last.decode() or datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _runs(cluster: Cluster, namespace: str, pod: str) -> bool:
    found = cluster.find(PODS, pod, namespace)
    return found is not None and found.get("status", {}).get("phase") == "Running"


def happenings_of(cluster: Cluster, namespace: str, names: Iterable[str]) -> list[Happening]:
    """Events of some objects, oldest first; none where they cannot be read."""
    found: list[Happening] = []
    for name in names:
        try:
            items, _ = cluster.list(EVENTS, Scope(namespace, fields=f"involvedObject.name={name}"))
        except Waiting:
            continue
        found += [_happening(item) for item in items]
    return sorted(found, key=lambda happening: happening.at)


def _happening(event: Object) -> Happening:
    about = event.get("involvedObject") or {}
    at = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or ""
    source = f"{str(about.get('kind', '')).lower()} {about.get('name', '')}"
    return Happening(str(at), source, str(event.get("reason", "")), str(event.get("message", "")))
