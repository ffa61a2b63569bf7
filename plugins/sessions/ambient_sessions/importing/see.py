"""Looks at both worlds. Of the legacy one, only lists are asked for."""

from collections.abc import Sequence
from typing import Any, Protocol

from ambient_sdk import AmbientClient

from ambient_sessions.importing.legacy import MANAGED, Object, is_ours, project_of, session_of
from ambient_sessions.importing.plan import Seen


class LegacyCluster(Protocol):
    """What an import asks of a cluster."""

    def objects(self, plural: str, labels: str | None = None) -> Sequence[Object]:
        """Every object of a resource, in all namespaces.

        Args:
            plural: ``namespaces``, ``projectsettings`` or ``agenticsessions``.
            labels: a label selector.
        """


def see(cluster: LegacyCluster, client: AmbientClient) -> Seen:
    """Both worlds as they are now.

    Ours first: what is read there later can only be newer, so that nothing of it is taken for deleted.
    """
    sessions = [_row(found) for found in client.sessions.list_all(size=500, search="imported_from is not null")]
    projects = [_row(found) for found in client.projects.list_all(size=500)]
    settings = {found["metadata"]["namespace"]: found for found in cluster.objects("projectsettings")}
    namespaces = cluster.objects("namespaces", f"{MANAGED}=true")
    names = {found["metadata"]["name"] for found in namespaces}
    theirs = [
        found
        for found in cluster.objects("agenticsessions")
        if found["metadata"]["namespace"] in names and not is_ours(found)
    ]
    return Seen(
        tuple(project_of(found, settings.get(found["metadata"]["name"])) for found in namespaces),
        tuple(session_of(found, settings.get(found["metadata"]["namespace"])) for found in theirs),
        {row["id"]: row for row in projects},
        {row["imported_from"]: row for row in sessions},
    )


def _row(found: Any) -> dict[str, Any]:
    return dict(found.to_dict())
