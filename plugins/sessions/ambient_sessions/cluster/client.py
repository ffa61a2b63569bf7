"""What we ask of a cluster: a few verbs over objects as JSON."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ambient_sessions.cluster.connection import Ask, Connection
from ambient_sessions.cluster.faults import Expired, NotThere, fault_of
from ambient_sessions.cluster.resources import PODS, KubeResource
from ambient_sessions.cluster.settings import ClusterSettings
from ambient_sessions.runtimes import Waiting

FIELD_MANAGER = "ambient-control-plane"
# A page is in memory as a whole, read and parsed: ten times what is kept of it.
PAGE = 100
Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which objects of a resource.

    Args:
        namespace: only there; everywhere when ``None``.
        labels: a label selector.
        fields: a field selector.
    """

    namespace: str | None = None
    labels: str | None = None
    fields: str | None = None

    def query(self) -> dict[str, Any]:
        """As parameters of a request."""
        return {"labelSelector": self.labels, "fieldSelector": self.fields}


@dataclass(frozen=True, slots=True)
class Precondition:
    """What an object must still be for it to be deleted.

    Args:
        uid: of the object that was looked at.
        version: its ``resourceVersion``; any when ``None``.
    """

    uid: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Going:
    """How an object goes.

    Args:
        propagation: ``Background``: at once, and what it owns after it; ``Foreground``: it stays, marked, until what it owns
            has gone.
        grace: seconds that it may take; as long as it says itself when ``None``; 0: nobody's word is waited for.
    """

    propagation: str = "Background"
    grace: int | None = None


class Cluster:
    """One cluster; safe to use from several threads. Every method raises `Waiting`, or one of its kinds in `faults`.

    Args:
        settings: where it is.
    """

    def __init__(self, settings: ClusterSettings) -> None:
        self._connection = Connection(settings)
        self._watch_timeout = settings.kube_watch_timeout

    def get(self, resource: KubeResource, name: str, namespace: str | None = None) -> Object:
        """One object, as it is now."""
        return self._connection.json(Ask("GET", resource.path(namespace, name), resource.plural))

    def find(self, resource: KubeResource, name: str, namespace: str | None = None) -> Object | None:
        """One object, or ``None`` when it is not there."""
        try:
            return self.get(resource, name, namespace)
        except NotThere:
            return None

    def list(
        self, resource: KubeResource, scope: Scope, keep: Callable[[Object], Any] = lambda found: found
    ) -> tuple[list[Any], str]:
        """All objects, read page by page, and the version from which a watch may go on.

        Args:
            keep: what is kept of an object, page by page, where all of all would be too much.
        """
        items: list[Any] = []
        token: str | None = None
        while True:
            query = {**scope.query(), "limit": PAGE, "continue": token}
            try:
                page = self._connection.json(Ask("GET", resource.path(scope.namespace), resource.plural, query))
            except Expired:
                if token is None:
                    raise
                # The list got too old between two pages.
                items, token = [], None
                continue
            items += map(keep, page.get("items") or [])
            token = page["metadata"].get("continue")
            if not token:
                return items, str(page["metadata"]["resourceVersion"])

    def watch(self, resource: KubeResource, scope: Scope, version: str) -> Iterator[tuple[str, Object]]:
        """Events after a version, as (type, object), until the server ends the watch.

        A watch that is only half open ends too: the server is asked to end it, and a silence that outlasts this is an end.
        """
        seconds = self._watch_timeout * random.uniform(0.8, 1.0)  # noqa: S311 - so that not all come back at once
        query = {
            **scope.query(),
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": max(1, int(seconds)),
        }
        ask = Ask("GET", resource.path(scope.namespace), f"{resource.plural}:watch", query, read_timeout=seconds + 10.0)
        # Opened before this returns: the caller knows by then that the server answers.
        return _events(self._lines(ask))

    def apply(self, resource: KubeResource, manifest: Object) -> Object:
        """Server-side apply: the fields of the manifest become ours and as it says; all others live."""
        metadata = manifest["metadata"]
        body = {"apiVersion": resource.api_version, "kind": resource.kind, **manifest}
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        path = resource.path(metadata.get("namespace"), metadata["name"])
        return self._connection.json(Ask("PATCH", path, resource.plural, query, body, "application/apply-patch+yaml"))

    def create(self, resource: KubeResource, manifest: Object) -> Object:
        """Make an object that must not be there yet."""
        body = {"apiVersion": resource.api_version, "kind": resource.kind, **manifest}
        path = resource.path(manifest["metadata"].get("namespace"))
        return self._connection.json(Ask("POST", path, resource.plural, {"fieldManager": FIELD_MANAGER}, body))

    def patch(self, resource: KubeResource, name: str, namespace: str, change: Mapping[str, Any]) -> Object:
        """Merge a change into an object; with ``metadata.uid`` or ``metadata.resourceVersion`` only if they are still so."""
        query = {"fieldManager": FIELD_MANAGER}
        path = resource.path(namespace, name)
        return self._connection.json(Ask("PATCH", path, resource.plural, query, change, "application/merge-patch+json"))

    def delete(
        self,
        resource: KubeResource,
        name: str,
        namespace: str,
        only: Precondition,
        going: Going = Going(),
    ) -> None:
        """Delete an object if it is still that one, and what it owns; an object that is not there is fine."""
        wanted = {"uid": only.uid, **({"resourceVersion": only.version} if only.version else {})}
        body: Object = {"propagationPolicy": going.propagation, "preconditions": wanted}
        if going.grace is not None:
            body["gracePeriodSeconds"] = going.grace
        try:
            self._connection.json(Ask("DELETE", resource.path(namespace, name), resource.plural, body=body))
        except NotThere:
            return

    def log(
        self, namespace: str, pod: str, query: Mapping[str, Any], read_timeout: float | None = None
    ) -> Iterator[bytes]:
        """Lines of a pod's log, without their ends."""
        ask = Ask("GET", PODS.path(namespace, pod, "log"), "pods/log", query, read_timeout=read_timeout)
        return self._lines(ask)

    def _lines(self, ask: Ask) -> Iterator[bytes]:
        return _lines(self._connection.open(ask))


def _events(lines: Iterator[bytes]) -> Iterator[tuple[str, Object]]:
    for line in lines:
        event = orjson.loads(line)
        if event["type"] == "ERROR":
            status = event["object"]
            raise fault_of(int(status.get("code") or 500), status)
        yield event["type"], event["object"]


def _lines(answer: Any) -> Iterator[bytes]:
    import urllib3  # noqa: PLC0415 - comes with kubernetes, and is needed no earlier

    rest = b""
    try:
        for piece in answer.stream(65536):
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines
        if rest:
            yield rest
    except urllib3.exceptions.HTTPError as fault:
        raise Waiting("Unreachable", f"the stream broke: {type(fault).__name__}", outage=True) from fault
    finally:
        # Not given back to the pool: what is left of a stream cannot be another request's answer.
        answer.close()
