"""The legacy platform's cluster, for an import: lists, and nothing else."""

from collections.abc import Sequence

from ambient_sessions.cluster import Cluster, ClusterSettings
from ambient_sessions.cluster.client import Scope
from ambient_sessions.cluster.resources import AGENTIC_SESSIONS, NAMESPACES, PROJECT_SETTINGS
from ambient_sessions.importing.legacy import Object

_RESOURCES = {resource.plural: resource for resource in (NAMESPACES, PROJECT_SETTINGS, AGENTIC_SESSIONS)}


class ReadOnlyCluster:
    """What an import asks of a cluster; it has no way to write.

    Args:
        settings: where it is.
    """

    def __init__(self, settings: ClusterSettings) -> None:
        self._cluster = Cluster(settings)

    def objects(self, plural: str, labels: str | None = None) -> Sequence[Object]:
        """Every object of a resource, in all namespaces.

        Raises:
            Waiting: it cannot be said now.
        """
        found, _version = self._cluster.list(_RESOURCES[plural], Scope(labels=labels))
        return found
