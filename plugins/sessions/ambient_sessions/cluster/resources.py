"""The resources of Kubernetes that we use, and their addresses."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KubeResource:
    """One resource of the API server.

    Args:
        group: API group; empty for the core.
        version: of the group.
        plural: as addresses have it.
        kind: as objects have it.
        namespaced: whether its objects live in namespaces.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """As objects have it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """The address of one object, of the objects of a namespace, or of all."""
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if namespace is not None and self.namespaced:
            parts += ["namespaces", namespace]
        parts += [self.plural, *(part for part in (name, subresource) if part is not None)]
        return "/" + "/".join(parts)


NAMESPACES = KubeResource("", "v1", "namespaces", "Namespace", namespaced=False)
SECRETS = KubeResource("", "v1", "secrets", "Secret")
SERVICE_ACCOUNTS = KubeResource("", "v1", "serviceaccounts", "ServiceAccount")
SERVICES = KubeResource("", "v1", "services", "Service")
PODS = KubeResource("", "v1", "pods", "Pod")
EVENTS = KubeResource("", "v1", "events", "Event")
JOBS = KubeResource("batch", "v1", "jobs", "Job")
NETWORK_POLICIES = KubeResource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
ROLE_BINDINGS = KubeResource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
AGENTIC_SESSIONS = KubeResource("vteam.ambient-code", "v1alpha1", "agenticsessions", "AgenticSession")
PROJECT_SETTINGS = KubeResource("vteam.ambient-code", "v1alpha1", "projectsettings", "ProjectSettings")
