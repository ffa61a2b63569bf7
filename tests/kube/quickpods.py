"""Pods without processes, for benchmarks: ready at once, gone at once, one small server behind all of them."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import urllib3

from tests.kube.client import Cluster, Manifest, Refused
from tests.kube.containers import State, now
from tests.kube.podstatus import PodStatus

PORT = 8001
HANDS = 4


class QuickPods:
    """Takes pods to Running, and away, with as few requests as there can be.

    Args:
        cluster: the administrator's client.
        node: the pods' node.
        address: the one address of all the pods.
    """

    def __init__(self, cluster: Cluster, node: str, address: str) -> None:
        self.cluster = cluster
        self.node = node
        self.address = address
        self._hands = ThreadPoolExecutor(HANDS, "quick-pod")
        self._stopping = threading.Event()
        self._seen: set[tuple[str, bool]] = set()
        self._server = _Server((address, PORT), _Runner)
        self._serving = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="quick-runner", daemon=True
        )

    def start(self) -> None:
        """Answer for the pods."""
        self._serving.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._hands.shutdown(cancel_futures=True)
        self._server.shutdown()
        self._server.server_close()
        self._serving.join()

    def see(self, kind: str, pod: Manifest) -> None:
        """Do what a pod needs, once."""
        if kind not in ("ADDED", "MODIFIED"):
            return
        deleting = "deletionTimestamp" in pod["metadata"]
        key = (pod["metadata"]["uid"], deleting)
        if key in self._seen or pod["spec"].get("nodeName") not in (None, self.node):
            return
        self._seen.add(key)
        self._hands.submit(self._do, self._delete if deleting else self._run, pod)

    def _do(self, work: Callable[[Manifest], None], pod: Manifest) -> None:
        """Do it, as often as the API server cannot take it."""
        while not self._stopping.is_set():
            try:
                work(pod)
                return
            except (Refused, urllib3.exceptions.HTTPError) as fault:
                if isinstance(fault, Refused) and fault.status in (404, 409):
                    return
                self._stopping.wait(0.2)

    def _run(self, pod: Manifest) -> None:
        metadata, spec = pod["metadata"], pod["spec"]
        self.cluster.bind(pod, self.node)
        init = [State(c["name"], c["image"], started=now(), ended=now()) for c in spec.get("initContainers", [])]
        main = [State(c["name"], c["image"], started=now(), ready=True) for c in spec["containers"]]
        for state in init:
            state.reason = "Completed"
        change = {"status": PodStatus(self.address, init, main, scheduled=True).written()}
        self.cluster.patch("pods", metadata["name"], metadata["namespace"], change, "status")

    def _delete(self, pod: Manifest) -> None:
        metadata = pod["metadata"]
        own = {"preconditions": {"uid": metadata["uid"]}}
        self.cluster.delete("pods", metadata["name"], metadata["namespace"], gracePeriodSeconds=0, **own)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024


class _Runner(BaseHTTPRequestHandler):
    """The smallest AG-UI server: every run says one word."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        """Requests are not news."""

    def do_GET(self) -> None:
        self._say(json.dumps({"status": "healthy"}).encode(), "application/json")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        given: dict[str, Any] = json.loads(body or b"{}")
        if self.path != "/":
            self._say(b'{"interrupted": false}', "application/json")
            return
        ids = {"threadId": given.get("threadId", "t"), "runId": given.get("runId", "r")}
        message = {"messageId": f"m-{ids['runId']}"}
        events: list[dict[str, Any]] = [
            {"type": "RUN_STARTED", **ids},
            {"type": "TEXT_MESSAGE_START", "role": "assistant", **message},
            {"type": "TEXT_MESSAGE_CONTENT", "delta": "Done.", **message},
            {"type": "TEXT_MESSAGE_END", **message},
            {"type": "RUN_FINISHED", **ids},
        ]
        self._say(b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events), "text/event-stream")

    def _say(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
