"""The namespaces of projects: made, or taken over when they are meant for it, and never deleted."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable

from ambient_sessions.cluster.client import Cluster, Object
from ambient_sessions.cluster.faults import AlreadyThere
from ambient_sessions.cluster.resources import NAMESPACES, ROLE_BINDINGS, KubeResource
from ambient_sessions.cluster.settings import ClusterSettings
from ambient_sessions.runtimes import Waiting
from ambient_sessions.runtimes.names import namespace_of

log = logging.getLogger(__name__)
PREFIX = "ambient-code.io/"
MANAGED = {f"{PREFIX}managed": "true"}
MANAGED_BY = f"{PREFIX}managed-by"
PROJECT = f"{PREFIX}project-id"
US = "ambient-control-plane"
ROLE = "ambient-session-manager"
_RIGHTS_COME = 10.0
_ASK_AGAIN = 10.0


class Namespaces:
    """Makes sure that a project has its namespace, our rights in it, and what a runtime needs there.

    Args:
        cluster: to ask.
        settings: who we are there.
        furnish: makes what the runtime needs in a namespace; called once for each, with its name.
        labels: that a namespace gets when we make it, beside those that say whose it is.
    """

    def __init__(
        self,
        cluster: Cluster,
        settings: ClusterSettings,
        furnish: Callable[[str], None],
        labels: dict[str, str] | None = None,
    ) -> None:
        self._cluster = cluster
        self._settings = settings
        self._furnish = furnish
        self._labels = labels or {}
        self._lock = threading.Lock()
        self._making: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._ready: set[str] = set()
        self._seen: set[str] = set()
        self._unbound: dict[str, float] = {}
        self._bound: dict[str, float] = {}

    def ready(self, project_id: str) -> str:
        """The namespace of a project, with everything in it; asked for again it costs nothing.

        Raises:
            Waiting: it is not there yet, is ending, or is not ours.
        """
        name = namespace_of(project_id)
        with self._lock:
            making = self._making[name]
        # One makes them; who comes meanwhile would ask for the same and wait as long.
        with making:
            return self._made(name, project_id)

    def _made(self, name: str, project_id: str) -> str:
        with self._lock:
            if name in self._ready:
                return name
        self._claim(name, project_id)
        try:
            self._bind(name)
            self._furnish(name)
        except Waiting as fault:
            raise self._soon(name, fault) from fault
        with self._lock:
            self._ready.add(name)
        return name

    def is_bound(self, namespace: str) -> bool:
        """Whether we have our rights in a namespace; without them nothing of ours is there, and nothing can be seen.

        Raises:
            Waiting: it cannot be said now.
        """
        with self._lock:
            if namespace in self._ready or namespace in self._seen:
                return True
            if time.monotonic() - self._unbound.get(namespace, -_ASK_AGAIN) < _ASK_AGAIN:
                return False
        bound = self._cluster.find(ROLE_BINDINGS, ROLE, namespace) is not None
        with self._lock:
            if bound:
                self._seen.add(namespace)
                self._unbound.pop(namespace, None)
            else:
                self._unbound[namespace] = time.monotonic()
        return bound

    def doubt(self, project_id: str | None, fault: Waiting) -> Waiting:
        """What to say of a fault met in a project's namespace; a namespace or a right that is gone is made anew next time."""
        if project_id is None or fault.reason not in ("NotFound", "Forbidden", "NamespaceTerminating"):
            return fault
        name = namespace_of(project_id)
        with self._lock:
            self._ready.discard(name)
            self._seen.discard(name)
        return self._soon(name, fault)

    def _claim(self, name: str, project_id: str) -> None:
        # Tried first, so that what is in the way of it costs one request an attempt.
        labels = {**MANAGED, MANAGED_BY: US, PROJECT: project_id, **self._labels}
        if make(self._cluster, NAMESPACES, {"metadata": {"name": name, "labels": labels}}):
            log.info("namespace %s was made", name)
            return
        found = self._cluster.get(NAMESPACES, name)
        check_namespace(found, project_id)
        if found["metadata"]["labels"].get(PROJECT) is None:
            self._cluster.apply(NAMESPACES, {"metadata": {"name": name, "labels": {**MANAGED, PROJECT: project_id}}})
            log.info("namespace %s was taken over: it was there, and labelled as managed", name)

    def _bind(self, name: str) -> None:
        binding = role_binding(name, self._settings)
        if make(self._cluster, ROLE_BINDINGS, binding):
            self._bound[name] = time.monotonic()
        with self._lock:
            self._seen.add(name)

    def _soon(self, name: str, fault: Waiting) -> Waiting:
        """Rights that were just given take a moment to be known to every API server."""
        if fault.reason == "Forbidden" and time.monotonic() - self._bound.get(name, -_RIGHTS_COME) < _RIGHTS_COME:
            return Waiting("RightsComing", fault.message, after=0.5)
        return fault


def make(cluster: Cluster, resource: KubeResource, manifest: Object) -> bool:
    """Make an object unless it is there; what is there is left as it is. Answers whether it was made."""
    try:
        cluster.create(resource, manifest)
    except AlreadyThere:
        return False
    return True


def check_namespace(found: Object, project_id: str) -> None:
    """Refuse a namespace that is not meant for us.

    Raises:
        Waiting: NamespaceNotOurs, or NamespaceTerminating.
    """
    name, labels = found["metadata"]["name"], found["metadata"].get("labels") or {}
    if found.get("status", {}).get("phase") == "Terminating":
        raise Waiting("NamespaceTerminating", f"The namespace {name} is being deleted.", after=5.0)
    owner = labels.get(PROJECT, project_id)
    if labels.get(f"{PREFIX}managed") != "true" or owner != project_id:
        words = (
            f"The namespace {name} is there, and not labelled {PREFIX}managed=true"
            if owner == project_id
            else f"The namespace {name} belongs to the project {owner}"
        )
        raise Waiting("NamespaceNotOurs", f"{words}; it is left alone.", after=60.0)


def role_binding(namespace: str, settings: ClusterSettings) -> Object:
    """What gives the control plane its rights in a namespace: those of one fixed ClusterRole."""
    return {
        "metadata": {"name": ROLE, "namespace": namespace, "labels": {MANAGED_BY: US}},
        "roleRef": {"apiGroup": ROLE_BINDINGS.group, "kind": "ClusterRole", "name": ROLE},
        "subjects": [
            {
                "kind": "ServiceAccount",
                "name": settings.kube_service_account,
                "namespace": settings.kube_namespace,
            }
        ],
    }


def gateway_policy(namespace: str, name: str, pods: dict[str, str], settings: ClusterSettings) -> Object:
    """A NetworkPolicy that lets the gateway's namespace reach port 8001 of some pods; it adds to what others allow."""
    home = {"kubernetes.io/metadata.name": settings.kube_namespace}
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": {MANAGED_BY: US}},
        "spec": {
            "podSelector": {"matchLabels": pods},
            "policyTypes": ["Ingress"],
            "ingress": [
                {
                    "from": [{"namespaceSelector": {"matchLabels": home}}],
                    "ports": [{"protocol": "TCP", "port": 8001}],
                }
            ],
        },
    }
