"""The legacy platform's objects, as its backend and its operator write them."""

import json
from pathlib import Path
from typing import Any

from ambient_sdk import AmbientClient

from tests.kube.client import Cluster, Manifest


class LegacyPlatform:
    """Makes projects and sessions in a cluster as the legacy backend does.

    Args:
        cluster: the administrator.
        namespace: the project.
    """

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace

    def settings(self, **spec: Any) -> Manifest:
        """The ProjectSettings of the project."""
        return self._create("ProjectSettings", "projectsettings", {"groupAccess": [], **spec})

    def session(self, name: str, *, parent: str | None = None, **spec: Any) -> Manifest:
        """A session, as the backend makes it when a person has filled in its form."""
        given = {
            "displayName": f"Session {name}",
            "initialPrompt": "Look around and report.",
            "userContext": {"userId": "ada", "displayName": "Ada", "groups": ["dev"]},
            "llmSettings": {"model": "claude-sonnet-4-6", "temperature": 0.7, "maxTokens": 4000},
            "repos": [{"url": "https://example.com/site.git", "branch": "main"}],
            **spec,
        }
        annotations = {"ambient-code.io/created-by": "ada"}
        if parent:
            annotations["vteam.ambient-code/parent-session-id"] = parent
        return self._create("AgenticSession", name, given, annotations)

    def status(self, name: str, phase: str, **status: Any) -> None:
        """What the operator says of a session."""
        self.cluster.patch("agenticsessions", name, self.namespace, {"status": {"phase": phase, **status}}, "status")

    def versions(self) -> dict[str, str]:
        """Resource version of everything here, the namespace too: whoever writes is seen by it."""
        found = [self.cluster.get("namespaces", self.namespace)]
        for resource in ("agenticsessions", "projectsettings"):
            found += self.cluster.list(resource, self.namespace)
        return {
            f"{o['metadata'].get('namespace')}/{o['metadata']['name']}": o["metadata"]["resourceVersion"] for o in found
        }

    def _create(self, kind: str, name: str, spec: Manifest, annotations: Manifest | None = None) -> Manifest:
        metadata = {"name": name, "namespace": self.namespace, "annotations": annotations or {}}
        return self.cluster.create(
            {"apiVersion": "vteam.ambient-code/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}
        )


def rows(client: AmbientClient, project: str) -> dict[str, dict[str, Any]]:
    """Our sessions of a project, by the name they have on the legacy platform."""
    found = [row.to_dict() for row in client.sessions.list_all(search=f"project_id = '{project}'")]
    return {row["imported_from"].split("/")[1] if row.get("imported_from") else row["name"]: row for row in found}


EVENTS = [
    {"type": "RUN_STARTED"},
    {"type": "MESSAGES_SNAPSHOT", "messages": [{"id": "u1", "role": "user", "content": "Look around."}]},
    {"type": "TEXT_MESSAGE_START", "messageId": "a1", "role": "assistant"},
    {"type": "TEXT_MESSAGE_CONTENT", "messageId": "a1", "delta": "All "},
    {"type": "TEXT_MESSAGE_CONTENT", "messageId": "a1", "delta": "fine."},
    {"type": "RUN_FINISHED"},
]


def save(folder: Path, session: str) -> None:
    """A session's events, where the legacy backend's volume has them."""
    place = folder / "sessions" / session / "agui-events.jsonl"
    place.parent.mkdir(parents=True)
    place.write_text("".join(json.dumps(event) + "\n" for event in EVENTS))
