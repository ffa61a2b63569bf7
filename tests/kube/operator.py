"""A double of the platform's operator: AgenticSessions become pods, and what becomes of these is told in the status.

It behaves as the operator was read to behave, weaknesses included: a stop is heard only in Pending and Running, and forgotten
when it comes while the pod is being made; a runner that exits while its session is Running goes unnoticed as long as its pod
is there; a lost pod is made again. It leaves out what needs more than a cluster: S3, Vertex, Langfuse, MLflow, calls to the
runner when repositories change (whose failure the operator does not tell), schedules, and the refreshing of tokens.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import urllib3

from tests.kube import operatorobjects as objects
from tests.kube.client import Cluster, Manifest, Refused
from tests.kube.operatorstatus import Status, expired, outcome
from tests.kube.workqueue import Key, WorkQueue

PREFIX = "ambient-code.io/"
DESIRED = f"{PREFIX}desired-phase"
STARTED = (DESIRED, f"{PREFIX}start-requested-at", f"{PREFIX}force-execute-prompt")
STOPPED = (DESIRED, f"{PREFIX}stop-requested-at", f"{PREFIX}stop-reason")
MANAGED = f"{PREFIX}managed"
VERSION = "vteam.ambient-code/v1alpha1"
SHORT, LONG = 2.0, 30.0


class Operator:
    """The operator.

    Args:
        cluster: a client with its rights.
        runner_image: of the runner.
        sync_image: of the init container and the sidecar.
        pace: what its waiting times are multiplied with.
        workers: how many sessions it takes care of at once.
    """

    def __init__(
        self,
        cluster: Cluster,
        runner_image: str = "ambient-runner:test",
        sync_image: str = "state-sync:test",
        pace: float = 0.1,
        workers: int = 4,
    ) -> None:
        self.cluster = cluster
        self.images = (runner_image, sync_image)
        self.pace = pace
        self.workers = workers
        self.delay = 0.0
        self.default_inactivity = 24 * 3600
        self.written: dict[Key, list[dict[str, Any]]] = {}
        self._managed: set[str] = set()
        self._seen: dict[str, object] = {}
        self._streams: dict[str, Any] = {}
        self._stopping = threading.Event()
        self._stopping.set()
        self._threads: list[threading.Thread] = []
        self._queue = WorkQueue(self._reconcile, workers)

    # Its life

    def start(self) -> "Operator":
        """Take care of what is there, and of what comes."""
        self._stopping = threading.Event()
        self._seen.clear()
        self._queue = WorkQueue(self._reconcile, self.workers)
        watched = {"namespaces": self._namespace, "projectsettings": self._settings}
        watched |= {"agenticsessions": self._session, "pods": self._pod}
        self._threads = [
            threading.Thread(target=self._watch, args=pair, name=f"operator {pair[0]}", daemon=True)
            for pair in watched.items()
        ]
        for thread in self._threads:
            thread.start()
        self._queue.start()
        return self

    def stop(self) -> None:
        """Be away; nothing is lost, for all that it knows is in the cluster."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        for stream in list(self._streams.values()):
            stream.stop()
        for thread in self._threads:
            thread.join()
        self._queue.stop()

    # What a test may ask for

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Be away for a while."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def slow(self, seconds: float) -> None:
        """Think this long before each deed."""
        self.delay = seconds

    def repeat(self, name: str, namespace: str, phase: str) -> None:
        """Write the last status of this phase once more: late, or doubled, and whatever has happened since."""
        status = next(one for one in reversed(self.written[namespace, name]) if one.get("phase") == phase)
        self.cluster.patch("agenticsessions", name, namespace, {"status": status}, "status")

    # What it hears of

    def _watch(self, resource: str, heard: Callable[[str, Manifest], None]) -> None:
        while not self._stopping.is_set():
            try:
                answer = self.cluster.request("GET", self.cluster.path(resource))
                for item in answer["items"]:
                    heard("ADDED", item)
                version = answer["metadata"]["resourceVersion"]
                stream = self.cluster.watch(resource, resourceVersion=version, timeoutSeconds=300)
                self._streams[resource] = stream
                if self._stopping.is_set():
                    stream.stop()
                for kind, item in stream:
                    if kind != "ERROR":
                        heard(kind, item)
            except (urllib3.exceptions.HTTPError, Refused):
                self._stopping.wait(0.1)

    def _namespace(self, kind: str, namespace: Manifest) -> None:
        name = namespace["metadata"]["name"]
        ours = namespace["metadata"].get("labels", {}).get(MANAGED) == "true"
        if not ours or kind == "DELETED" or "deletionTimestamp" in namespace["metadata"]:
            self._managed.discard(name)
        elif name not in self._managed:
            self._managed.add(name)
            metadata = {"name": "projectsettings", "namespace": name}
            self._make(
                {"apiVersion": VERSION, "kind": "ProjectSettings", "metadata": metadata, "spec": {"groupAccess": []}}
            )
            for session in self.cluster.list("agenticsessions", name):
                self._queue.add((name, session["metadata"]["name"]))

    def _settings(self, kind: str, settings: Manifest) -> None:
        if kind == "DELETED" or not self._news(settings, settings["metadata"]["generation"]):
            return
        namespace = settings["metadata"]["namespace"]
        groups = settings["spec"].get("groupAccess", [])
        self._make(objects.limit_range(namespace))
        for group in groups:
            self._make(objects.group_binding(namespace, group["groupName"], group["role"]))
        status = {"groupBindingsCreated": len(groups), "limitRangeReady": True}
        with contextlib.suppress(Refused):
            self.cluster.patch("projectsettings", "projectsettings", namespace, {"status": status}, "status")

    def _session(self, kind: str, session: Manifest) -> None:
        metadata = session["metadata"]
        told = (metadata["generation"], metadata.get("annotations"), session.get("status", {}).get("phase"))
        if kind != "DELETED" and self._news(session, told):
            self._queue.add((metadata["namespace"], metadata["name"]))

    def _pod(self, kind: str, pod: Manifest) -> None:
        metadata, status = pod["metadata"], pod.get("status", {})
        name = metadata["name"]
        ended = [s["name"] for s in status.get("containerStatuses", []) if "terminated" in s["state"]]
        running = [s["name"] for s in status.get("containerStatuses", []) if "running" in s["state"]]
        if name.endswith("-runner") and self._news(pod, (kind == "DELETED", status.get("phase"), ended, running)):
            self._queue.add((metadata["namespace"], name.removesuffix("-runner")))

    def _news(self, thing: Manifest, told: object) -> bool:
        uid = thing["metadata"]["uid"]
        known = self._seen.get(uid)
        self._seen[uid] = told
        return known != told

    # What it does

    def _reconcile(self, key: Key) -> float | None:
        namespace, name = key
        if namespace not in self._managed or self._stopping.wait(self.delay):
            return None
        try:
            session = self.cluster.find("agenticsessions", name, namespace)
            if session is None or "deletionTimestamp" in session["metadata"]:
                return None
            later = self._step(session)
            return None if later is None else later * self.pace
        except (Refused, urllib3.exceptions.HTTPError):
            return 5.0 * self.pace

    def _step(self, session: Manifest) -> float | None:
        phase = session.get("status", {}).get("phase", "")
        metadata = session["metadata"]
        desired = metadata.get("annotations", {}).get(DESIRED, "")
        pod = self.cluster.find("pods", f"{metadata['name']}-runner", metadata["namespace"])
        step: Callable[[Manifest, str, Manifest | None], float | None] = {
            "": self._pending,
            "Pending": self._pending,
            "Creating": self._creating,
            "Running": self._running,
            "Stopping": self._finishing,
        }.get(phase, self._ended)
        return step(session, desired, pod)

    def _pending(self, session: Manifest, desired: str, pod: Manifest | None) -> float | None:
        if desired == "Stopped":
            return self._stopped(session)
        if pod is not None and "deletionTimestamp" in pod["metadata"]:
            return SHORT
        namespace, status = session["metadata"]["namespace"], Status(session)
        if self.cluster.find("secrets", objects.RUNNER_SECRETS, namespace) is None:
            message = f"Secret '{objects.RUNNER_SECRETS}' is missing in namespace {namespace}"
            status.condition("SecretsReady", False, "RunnerSecretMissing", message)
            status.end("Failed", "RunnerSecretMissing", message)
            self._write(session, status)
            self._clear(session, STARTED)
            return None
        status.condition("SecretsReady", True, "AllRequiredSecretsFound")
        self._provide_token(session)
        try:
            made = self._make(objects.pod(session, *self.images))
        except Refused as refusal:
            status.refused(refusal.message)
            self._write(session, status)
            raise
        if (there := made or pod) is None:
            return SHORT
        self._make(objects.service(session, there))
        self._make(objects.network_policy(session))
        status.condition("PodCreated", True, "PodCreated" if made else "PodExists")
        status.begin()
        self._write(session, status)
        self._clear(session, STARTED)
        return SHORT

    def _provide_token(self, session: Manifest) -> None:
        metadata = session["metadata"]
        name, namespace = metadata["name"], metadata["namespace"]
        for part in objects.account(session):
            self._make(part)
        token = self.cluster.create_token(namespace, f"ambient-session-{name}")
        restarted = bool(session.get("status", {}).get("startTime"))
        secret = objects.token_secret(session, token, objects.fresh_token())
        if not self._make(secret) and restarted:
            change = {"stringData": secret["stringData"]}
            self.cluster.patch("secrets", secret["metadata"]["name"], namespace, change)
        named = {f"{PREFIX}runner-token-secret": secret["metadata"]["name"]}
        named[f"{PREFIX}runner-sa"] = f"ambient-session-{name}"
        self.cluster.patch("agenticsessions", name, namespace, {"metadata": {"annotations": named}})

    def _creating(self, session: Manifest, desired: str, pod: Manifest | None) -> float | None:
        if pod is None:
            return self._stopped(session) if desired == "Stopped" else self._again(session, "PodMissing")
        status = Status(session)
        status.scheduled(pod)
        found = outcome(pod)
        if found is None:
            return SHORT
        if found.phase == "Running":
            status.run()
        else:
            status.end(found.phase, found.reason, found.message)
        self._write(session, status)
        if found.phase != "Running":
            self._remove(session)
        return LONG

    def _running(self, session: Manifest, desired: str, pod: Manifest | None) -> float | None:
        metadata, status = session["metadata"], Status(session)
        if pod is None:
            return self._again(session, "PodMissing")
        if desired == "Stopped":
            status.stopping()
            self._write(session, status)
            self._remove(session)
            return SHORT
        if status.drifted:
            status.reconciled()
            self._write(session, status)
        limit = session.get("spec", {}).get("inactivityTimeout")
        if limit is None:
            settings = self.cluster.find("projectsettings", "projectsettings", metadata["namespace"]) or {}
            limit = settings.get("spec", {}).get("inactivityTimeoutSeconds", self.default_inactivity)
        if limit and expired(session, limit):
            wish = {DESIRED: "Stopped", f"{PREFIX}stop-reason": "inactivity"}
            change = {"metadata": {"annotations": wish, "resourceVersion": metadata["resourceVersion"]}}
            self.cluster.patch("agenticsessions", metadata["name"], metadata["namespace"], change)
        return LONG

    def _finishing(self, session: Manifest, desired: str, pod: Manifest | None) -> float | None:
        if pod is None:
            return self._stopped(session)
        if "deletionTimestamp" not in pod["metadata"]:
            self._remove(session)
        return SHORT

    def _ended(self, session: Manifest, desired: str, pod: Manifest | None) -> float | None:
        if desired == "Running":
            return self._again(session, "Restarting", restart=True)
        return None

    def _again(self, session: Manifest, reason: str, restart: bool = False) -> float | None:
        status = Status(session)
        status.again(reason, restart)
        self._write(session, status)
        return 0.0

    def _stopped(self, session: Manifest) -> float | None:
        reason = session["metadata"].get("annotations", {}).get(f"{PREFIX}stop-reason")
        status = Status(session)
        status.stopped("inactivity" if reason == "inactivity" else "user")
        self._write(session, status)
        self._clear(session, STOPPED)
        return None

    # To the API server

    def _write(self, session: Manifest, status: Status) -> None:
        """Replace the status, whatever has been written to the session since it was read."""
        metadata = session["metadata"]
        current = self.cluster.get("agenticsessions", metadata["name"], metadata["namespace"])
        if current["metadata"]["uid"] != metadata["uid"]:
            return
        self.cluster.replace({**current, "status": status.value}, "status")
        self.written.setdefault((metadata["namespace"], metadata["name"]), []).append(status.value)

    def _clear(self, session: Manifest, annotations: tuple[str, ...]) -> None:
        metadata = session["metadata"]
        change = {"metadata": {"annotations": dict.fromkeys(annotations)}}
        self.cluster.patch("agenticsessions", metadata["name"], metadata["namespace"], change)

    def _remove(self, session: Manifest) -> None:
        metadata = session["metadata"]
        for resource, name in (("pods", f"{metadata['name']}-runner"), ("services", f"session-{metadata['name']}")):
            self.cluster.delete(resource, name, metadata["namespace"])

    def _make(self, manifest: Manifest) -> Manifest | None:
        """Create; None when it is there already, or its namespace is going."""
        try:
            return self.cluster.create(manifest)
        except Refused as refusal:
            if refusal.status == 409 or "because it is being terminated" in refusal.message:
                return None
            raise
