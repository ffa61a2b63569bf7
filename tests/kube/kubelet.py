"""A small kubelet for tests: one node, and pods as real local processes on loopback addresses of their own."""

import contextlib
import secrets
import sys
import threading
import time
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import urllib3

from tests.kube.client import Cluster, Manifest, Refused
from tests.kube.containers import now
from tests.kube.failures import Failure
from tests.kube.kubeletserver import KubeletServer
from tests.kube.podworker import PodWorker
from tests.kube.quickpods import QuickPods
from tests.kube.reaper import Reaper

RUNNER = [sys.executable, "-m", "ambient_runner"]
RUNNER_IMAGE = "ambient-runner:test"


class Kubelet:
    """Schedules every pod to its node, and runs it.

    Images are patterns with commands: ``kubelet.image("*runner*", ["python", "wild.py"])``; the last that fits counts.
    A container whose image has no command and that brings none cannot be pulled.

    Args:
        cluster: the administrator's client.
        folder: for volumes and logs.
        certificate: certificate and key for its HTTPS server, from which the API server reads logs.
        quick: no processes: pods are ready at once, and one small server answers for all of them.
    """

    def __init__(self, cluster: Cluster, folder: Path, certificate: tuple[Path, Path], quick: bool = False) -> None:
        self.cluster = cluster
        self.folder = folder
        self.node = f"node-{secrets.token_hex(4)}"
        self.reaper = Reaper()
        address = urlsplit(cluster.server)
        self.api_address = (str(address.hostname), int(address.port or 443))
        self._images: list[tuple[str, list[str]]] = [("*runner*", RUNNER)]
        self._failures: list[Failure] = []
        self._workers: dict[str, PodWorker] = {}
        self._quick = QuickPods(cluster, self.node, self._new_address()) if quick else None
        self._server = KubeletServer(self._log_of, certificate)
        self._stopping = threading.Event()
        self._watching = threading.Thread(target=self._watch, name="kubelet", daemon=True)
        self._watch_stream: Any = None

    # Its life

    def start(self) -> "Kubelet":
        """Register the node, and take care of pods."""
        self._server.start()
        if self._quick is not None:
            self._quick.start()
        addresses = [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": self.node}]
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": now()}
        amounts = {"cpu": "64", "memory": "256Gi", "pods": "10000"}
        status = {
            "addresses": addresses[:1],
            "conditions": [{**ready, "lastTransitionTime": now()}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self._server.port}},
            "capacity": amounts,
            "allocatable": amounts,
        }
        self.cluster.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.node}})
        self.cluster.patch("nodes", self.node, None, {"status": status}, "status")
        self._watching.start()
        return self

    def stop(self) -> None:
        """End every process, take the pods' objects away, and the node."""
        self._stopping.set()
        if self._watch_stream is not None:
            self._watch_stream.stop()
        self._watching.join()
        for worker in list(self._workers.values()):
            worker.tell(worker.abandon)
        for worker in list(self._workers.values()):
            worker.join()
        if self._quick is not None:
            self._quick.stop()
        for pod in self.cluster.list("pods", fieldSelector=f"spec.nodeName={self.node}"):
            metadata = pod["metadata"]
            self.cluster.delete("pods", metadata["name"], metadata["namespace"], gracePeriodSeconds=0)
        self.cluster.delete("nodes", self.node)
        self._server.stop()
        self.reaper.stop()

    def __enter__(self) -> "Kubelet":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # What a test may ask for

    def image(self, pattern: str, command: list[str]) -> None:
        """Say what images of this name run."""
        self._images.append((pattern, command))

    def fail(self, reason: str, message: str = "", image: str = "*", pod: str = "*", namespace: str = "*") -> Failure:
        """Keep the pods that fit from starting for this reason (failures.py), until ``remove()``.

        ``Unschedulable`` keeps them from getting a node.
        """
        failure = Failure(reason, message, image, pod, namespace)
        self._failures.append(failure)
        return failure

    def kill(self, pod: str, namespace: str, reason: str = "OOMKilled", code: int = 137, container: str = "") -> None:
        """End a container (the first, unless it is named) with this exit code and reason."""
        worker = self._worker(pod, namespace)
        worker.tell(worker.end_container, container, code, reason)

    def evict(self, pod: str, namespace: str, message: str = "The node was low on resource: memory.") -> None:
        """Fail a pod as one that the node has no room for."""
        worker = self._worker(pod, namespace)
        worker.tell(worker.evict, message)

    def lose_node(self, pod: str, namespace: str) -> None:
        """Hear nothing more of a pod: it stays, readiness unknown, and a deletion is not confirmed."""
        worker = self._worker(pod, namespace)
        worker.tell(worker.lose)

    def collect(self, pod: str, namespace: str) -> None:
        """Give a lost pod up: its object and its processes go."""
        worker = self._worker(pod, namespace)
        worker.tell(worker.collect)

    def address_of(self, pod: str, namespace: str) -> str:
        """The address of a pod's own."""
        return self._worker(pod, namespace).address

    def log_file(self, pod: str, namespace: str, container: str) -> Path:
        """Where a container's words are kept, the pod's end outlived."""
        return self.folder / "logs" / namespace / pod / f"{container}.log"

    # What workers ask for

    def entrypoint(self, image: str) -> list[str] | None:
        """The command of an image; None when there is no such image."""
        fitting = (command for pattern, command in reversed(self._images) if fnmatchcase(image, pattern))
        return next(fitting, None)

    def failure(self, images: list[str], pod: str, namespace: str, scheduling: bool = False) -> Failure | None:
        """Why a pod must not get a node, or a container must not start, now."""
        asked = (failure for failure in self._failures if scheduling == (failure.reason == "Unschedulable"))
        return next((one for one in asked if any(one.fits(image, pod, namespace) for image in images)), None)

    def record(self, pod: Manifest, kind: str, reason: str, message: str, container: str = "") -> None:
        """Write an event about a pod."""
        metadata = pod["metadata"]
        about = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "namespace": metadata["namespace"]}
        place = {"fieldPath": f"spec.containers{{{container}}}"} if container else {}
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{metadata['name']}.{secrets.token_hex(6)}", "namespace": metadata["namespace"]},
            "involvedObject": {**about, "uid": metadata["uid"], **place},
            "type": kind,
            "reason": reason,
            "message": message,
            "source": {"component": "kubelet", "host": self.node},
            "firstTimestamp": now(),
            "lastTimestamp": now(),
            "count": 1,
        }
        # A namespace that is going takes no events, and none is worth a second try.
        with contextlib.suppress(Refused, urllib3.exceptions.HTTPError):
            self.cluster.create(event)

    def forget(self, worker: PodWorker) -> None:
        """A pod's life here has ended."""
        self._workers.pop(worker.uid, None)

    # The watch

    def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                answer = self.cluster.request("GET", "/api/v1/pods")
                for pod in answer["items"]:
                    self._see("ADDED", pod)
                version = answer["metadata"]["resourceVersion"]
                self._watch_stream = self.cluster.watch("pods", resourceVersion=version, timeoutSeconds=300)
                if self._stopping.is_set():
                    break
                for kind, pod in self._watch_stream:
                    self._see(kind, pod)
            except (urllib3.exceptions.HTTPError, Refused):
                time.sleep(0.1)

    def _see(self, kind: str, pod: Manifest) -> None:
        """Level-triggered: what is there now decides."""
        metadata, node = pod.get("metadata", {}), pod.get("spec", {}).get("nodeName")
        if self._quick is not None:
            self._quick.see(kind, pod)
            return
        worker, deleting = self._workers.get(metadata.get("uid")), metadata.get("deletionTimestamp")
        if worker is None:
            if kind in ("ADDED", "MODIFIED") and node is None and not deleting:
                worker = PodWorker(self, pod, self._new_address())
                self._workers[worker.uid] = worker
                worker.start()
        elif kind == "DELETED":
            worker.tell(worker.abandon)
        elif deleting:
            worker.tell(worker.delete, float(metadata.get("deletionGracePeriodSeconds") or 0))

    def _worker(self, pod: str, namespace: str, seconds: float = 30) -> PodWorker:
        deadline = time.monotonic() + seconds
        while True:
            for worker in list(self._workers.values()):
                if (worker.name, worker.namespace) == (pod, namespace):
                    return worker
            assert time.monotonic() < deadline, f"No pod {namespace}/{pod} on {self.node} within {seconds} seconds."
            time.sleep(0.05)

    def _log_of(self, namespace: str, pod: str, container: str) -> Any:
        for worker in list(self._workers.values()):
            if (worker.name, worker.namespace) == (pod, namespace):
                return worker.logs.get(container)
        return None

    @staticmethod
    def _new_address() -> str:
        # Not by `random`: its seed is the same in every process of a test run, and so would the addresses be.
        return f"127.{1 + secrets.randbelow(254)}.{secrets.randbelow(256)}.{2 + secrets.randbelow(253)}"
