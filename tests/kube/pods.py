"""Pods of one namespace, made and waited for by tests of the kubelet and of others."""

from collections.abc import Callable
from typing import Any

from tests.kube.client import Cluster, Manifest


class Pods:
    """Makes pods in one namespace, and waits for what becomes of them."""

    def __init__(self, cluster: Cluster, namespace: str, wait_for: Callable[..., Any]) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.wait_for = wait_for

    def make(self, name: str, *command: str, spec: dict[str, Any] | None = None, **container: Any) -> Manifest:
        main = {"name": "main", "image": "any", **({"command": list(command)} if command else {}), **container}
        manifest = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": self.namespace, "labels": {"app": name}},
            "spec": {"restartPolicy": "Never", "containers": [main], **(spec or {})},
        }
        return self.cluster.create(manifest)

    def status(self, name: str) -> dict[str, Any]:
        return dict((self.cluster.find("pods", name, self.namespace) or {}).get("status", {}))

    def state(self, name: str, kind: str, which: str = "containerStatuses") -> dict[str, Any]:
        statuses = self.status(name).get(which, [{}])
        return dict(statuses[0].get("state", {}).get(kind, {}))

    def until(self, name: str, phase: str) -> dict[str, Any]:
        self.wait_for(lambda: self.status(name).get("phase") == phase, f"{name} {phase}")
        return self.status(name)

    def until_waiting(self, name: str, reason: str) -> None:
        self.wait_for(lambda: self.state(name, "waiting").get("reason") == reason, f"{name} {reason}")

    def until_ready(self, name: str) -> dict[str, Any]:
        self.wait_for(lambda: self.condition(name, "Ready").get("status") == "True", f"{name} ready")
        return self.status(name)

    def until_gone(self, name: str) -> None:
        self.wait_for(lambda: self.cluster.find("pods", name, self.namespace) is None, f"{name} gone")

    def condition(self, name: str, kind: str) -> dict[str, Any]:
        conditions = self.status(name).get("conditions", [])
        return next((dict(c) for c in conditions if c["type"] == kind), {})

    def events(self, name: str) -> set[str]:
        about = f"involvedObject.name={name}"
        return {event["reason"] for event in self.cluster.list("events", self.namespace, fieldSelector=about)}

    def log(self, name: str, **query: Any) -> str:
        return self.cluster.log(name, self.namespace, **query)
