"""A plain client of a Kubernetes API server for tests: JSON over HTTP, and nothing that the code under test uses."""

import contextlib
import os
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import urllib3

Manifest = dict[str, Any]
_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_MERGE = "application/merge-patch+json"
_APPLY = "application/apply-patch+yaml"


class Refused(Exception):
    """The API server's refusal, in its words."""

    def __init__(self, status: int, answer: Any) -> None:
        told = answer if isinstance(answer, dict) else {}
        self.status = status
        self.reason = str(told.get("reason", ""))
        self.message = str(told.get("message", answer))
        super().__init__(f"{status} {self.reason}: {self.message}")


class Cluster:
    """A client of one API server; safe to use from several threads.

    Resources are named by their plural: ``cluster.get("pods", name, namespace)``.

    Args:
        server: its address.
        token: bearer token.
        ca: file of the certificate that signed the server's.
    """

    def __init__(self, server: str, token: str, ca: Path) -> None:
        self.server = server
        self.token = token
        self.ca = ca
        context = ssl.create_default_context(cafile=str(ca))
        self._pool = urllib3.PoolManager(ssl_context=context, maxsize=16, block=False, retries=False)
        self._headers = {"Authorization": f"Bearer {token}", "User-Agent": "ambient-kube-tests"}
        self._roots: dict[str, str] = {}
        self._kinds: dict[tuple[str, str], tuple[str, bool]] = {}

    def close(self) -> None:
        """Close its connections."""
        self._pool.clear()

    # What is there

    def get(self, resource: str, name: str, namespace: str | None = None) -> Manifest:
        """One object.

        Raises:
            Refused: it is not there (404), or not for us.
        """
        return dict(self.request("GET", self.path(resource, namespace, name)))

    def find(self, resource: str, name: str, namespace: str | None = None) -> Manifest | None:
        """One object, or None when there is none."""
        try:
            return self.get(resource, name, namespace)
        except Refused as refusal:
            if refusal.status == 404:
                return None
            raise

    def list(self, resource: str, namespace: str | None = None, **query: Any) -> list[Manifest]:
        """All objects, of one namespace or of all; ``labelSelector`` and the like as query."""
        return list(self.request("GET", self.path(resource, namespace), **query)["items"])

    def watch(self, resource: str, namespace: str | None = None, **query: Any) -> "Watch":
        """Type and object of each event, until the server ends the stream or somebody stops it."""
        address = f"{self.path(resource, namespace)}?{urlencode({'watch': 'true', **query})}"
        answer = self._pool.request("GET", self.server + address, headers=self._headers, preload_content=False)
        if answer.status >= 400:
            raise Refused(answer.status, orjson.loads(answer.read()))
        return Watch(answer)

    # What is changed

    def create(self, manifest: Manifest, dry_run: bool = False) -> Manifest:
        """Create an object."""
        query = {"dryRun": "All"} if dry_run else {}
        return dict(self.request("POST", self._path_of(manifest, named=False), manifest, **query))

    def apply(self, manifest: Manifest, manager: str = "ambient-kube-tests", dry_run: bool = False) -> Manifest:
        """Apply an object on the server's side, by force."""
        query = {"fieldManager": manager, "force": "true", **({"dryRun": "All"} if dry_run else {})}
        return dict(self.request("PATCH", self._path_of(manifest), manifest, kind=_APPLY, **query))

    def replace(self, manifest: Manifest, subresource: str = "") -> Manifest:
        """Put an object in place of itself."""
        path = self._path_of(manifest)
        return dict(self.request("PUT", f"{path}/{subresource}" if subresource else path, manifest))

    def patch(
        self, resource: str, name: str, namespace: str | None, change: Manifest, subresource: str = ""
    ) -> Manifest:
        """Merge a change into an object."""
        path = self.path(resource, namespace, name)
        return dict(self.request("PATCH", f"{path}/{subresource}" if subresource else path, change, kind=_MERGE))

    def annotate(self, resource: str, name: str, namespace: str | None, **annotations: str | None) -> Manifest:
        """Set annotations, or take them away with None; ``__`` stands for the slash and ``_`` for the dash."""
        change = {key.replace("__", "/").replace("_", "-"): value for key, value in annotations.items()}
        return self.patch(resource, name, namespace, {"metadata": {"annotations": change}})

    def delete(self, resource: str, name: str, namespace: str | None = None, **options: Any) -> None:
        """Delete an object; no fault when it is not there. Options are those of ``DeleteOptions``."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", **options}
        try:
            self.request("DELETE", self.path(resource, namespace, name), body)
        except Refused as refusal:
            if refusal.status not in (404, 409):
                raise

    def bind(self, pod: Manifest, node: str) -> bool:
        """Give a pod a node, as a scheduler does; False when it is gone or has one."""
        metadata, target = pod["metadata"], {"apiVersion": "v1", "kind": "Node", "name": node}
        body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": metadata["name"]}, "target": target}
        try:
            self.request("POST", f"{self.path('pods', metadata['namespace'], metadata['name'])}/binding", body)
        except Refused as refusal:
            if refusal.status in (404, 409):
                return False
            raise
        return True

    def create_token(self, namespace: str, account: str, seconds: int = 3600, **spec: Any) -> str:
        """A token of a service account, by TokenRequest."""
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": seconds, **spec},
        }
        made = self.request("POST", f"{self.path('serviceaccounts', namespace, account)}/token", body)
        return str(made["status"]["token"])

    def act_as(self, namespace: str, account: str) -> "Cluster":
        """A client with the rights of a service account, and no more."""
        return Cluster(self.server, self.create_token(namespace, account), self.ca)

    def log(self, pod: str, namespace: str, **query: Any) -> str:
        """What a pod said, through the API server."""
        address = f"{self.path('pods', namespace, pod)}/log?{urlencode(query)}"
        answer = self._pool.request("GET", self.server + address, headers=self._headers)
        if answer.status >= 400:
            raise Refused(answer.status, _read(answer.data))
        return answer.data.decode()

    # The wire

    def request(
        self, method: str, path: str, body: Manifest | None = None, kind: str = "application/json", **query: Any
    ) -> Any:
        """Send one request, and read its JSON.

        Raises:
            Refused: the answer is no success.
        """
        address = f"{self.server}{path}{'?' + urlencode(query) if query else ''}"
        headers = {**self._headers, "Content-Type": kind}
        given = orjson.dumps(body) if body is not None else None
        answer = self._pool.request(method, address, body=given, headers=headers)
        told = _read(answer.data)
        if answer.status >= 400:
            raise Refused(answer.status, told)
        return told

    def path(self, resource: str, namespace: str | None = None, name: str = "") -> str:
        """The path of a resource, or of one object of it."""
        if resource not in self._roots:
            self._discover()
        return _path(self._roots[resource], resource, namespace, name)

    def wait_for_kinds(self, *resources: str, seconds: float = 30) -> None:
        """Wait until the server serves these resources."""
        deadline = time.monotonic() + seconds
        while not set(resources) <= set(self._roots):
            assert time.monotonic() < deadline, f"The API server does not serve {resources}."
            time.sleep(0.05)
            self._discover()

    def _path_of(self, manifest: Manifest, named: bool = True) -> str:
        version, metadata = manifest["apiVersion"], manifest["metadata"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if (root, manifest["kind"]) not in self._kinds:
            self._discover()
        resource, namespaced = self._kinds[root, manifest["kind"]]
        namespace = metadata.get("namespace", "default") if namespaced else None
        return _path(root, resource, namespace, metadata["name"] if named else "")

    def _discover(self) -> None:
        # Core comes last: where a plural is served twice, as events are, it is core's.
        for start in ("/apis", "/api"):
            headers = {**self._headers, "Accept": _DISCOVERY}
            answer = self._pool.request("GET", self.server + start, headers=headers)
            if answer.status >= 400:
                raise Refused(answer.status, orjson.loads(answer.data))
            for group in reversed(orjson.loads(answer.data)["items"]):
                self._learn(start, group)

    def _learn(self, start: str, group: Manifest) -> None:
        name = group["metadata"].get("name", "")
        for version in reversed(group["versions"]):
            root = f"{start}/{name}/{version['version']}" if name else f"{start}/{version['version']}"
            for found in version.get("resources", []):
                self._roots[found["resource"]] = root
                kind = (root, found["responseKind"]["kind"])
                self._kinds[kind] = (found["resource"], found["scope"] == "Namespaced")


def _read(data: bytes) -> Any:
    return orjson.loads(data) if data[:1] == b"{" else data.decode()


def _path(root: str, resource: str, namespace: str | None, name: str) -> str:
    middle = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{middle}/{resource}{'/' + name if name else ''}"


class Watch:
    """A stream of events; another thread may stop it."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self._stopped = False

    def __iter__(self) -> Iterator[tuple[str, Manifest]]:
        rest = b""
        try:
            for chunk in self._answer.stream(65536, decode_content=True):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    event = orjson.loads(line)
                    yield event["type"], event["object"]
        except urllib3.exceptions.HTTPError:
            if not self._stopped:
                raise
        finally:
            self._answer.close()

    def stop(self) -> None:
        """End the stream now."""
        self._stopped = True
        connection = self._answer.connection
        if connection is not None and connection.sock is not None:
            # The reader may be inside of TLS; only the socket below it may be touched from here.
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(connection.sock.fileno())) as below:
                below.shutdown(socket.SHUT_RDWR)
