"""One watch per namespace of ours, begun when it is first looked at: our rights are per namespace."""

import threading
from collections.abc import Callable, Iterable

from ambient_sessions.cluster.client import Cluster, Object, Scope
from ambient_sessions.cluster.informer import Informer, Seen
from ambient_sessions.cluster.resources import KubeResource


class Followers:
    """The informers of one resource, by namespace.

    Args:
        cluster: to ask.
        resource: what to follow.
        labels: selects its objects.
        changed: called with every object that came, changed or went.
        group: what objects are found by, beside their name.
    """

    def __init__(
        self,
        cluster: Cluster,
        resource: KubeResource,
        labels: str,
        changed: Callable[[Seen], None],
        group: Callable[[Object], str] = lambda _object: "",
    ) -> None:
        self._cluster = cluster
        self._resource = resource
        self._labels = labels
        self._changed = changed
        self._group = group
        self._lock = threading.Lock()
        self._informers: dict[str, Informer] = {}

    def of(self, namespace: str) -> Informer:
        """The informer of a namespace; it is begun when there is none yet."""
        with self._lock:
            informer = self._informers.get(namespace)
            if informer is None:
                scope = Scope(namespace, self._labels)
                informer = Informer(self._cluster, self._resource, scope, self._changed, self._group)
                self._informers[namespace] = informer
                informer.start()
            return informer

    def followed(self) -> dict[str, Informer]:
        """Every informer, by namespace."""
        with self._lock:
            return dict(self._informers)

    def keep(self, namespaces: Iterable[str]) -> None:
        """End the watches of all other namespaces."""
        wanted = set(namespaces)
        with self._lock:
            ended = [self._informers.pop(name) for name in [*self._informers] if name not in wanted]
        for informer in ended:
            informer.stop()

    def stop(self) -> None:
        """End every watch."""
        self.keep(())
