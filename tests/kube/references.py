"""What a pod's specification refers to: secrets, config maps, fields of the pod, tokens."""

import base64
import re
from typing import Any

from tests.kube.client import Cluster, Manifest

_KEYED = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


class NotFound(Exception):
    """Something that is referred to is not there; the words are those of a kubelet."""


class References:
    """Resolves references of one pod.

    Args:
        cluster: where to look.
        pod: whose references.
        address: the pod's address.
    """

    def __init__(self, cluster: Cluster, pod: Manifest, address: str) -> None:
        self.cluster = cluster
        self.pod = pod
        self.address = address
        self.namespace = str(pod["metadata"]["namespace"])

    def secret(self, name: str, optional: bool = False) -> dict[str, bytes]:
        """The contents of a secret.

        Raises:
            NotFound: it is not there, and not optional.
        """
        found = self._find("secrets", "secret", name, optional)
        return {key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()}

    def config_map(self, name: str, optional: bool = False) -> dict[str, bytes]:
        """The contents of a config map.

        Raises:
            NotFound: it is not there, and not optional.
        """
        found = self._find("configmaps", "configmap", name, optional)
        binary = {key: base64.b64decode(value) for key, value in (found.get("binaryData") or {}).items()}
        return {**{key: value.encode() for key, value in (found.get("data") or {}).items()}, **binary}

    def _find(self, resource: str, word: str, name: str, optional: bool) -> Manifest:
        found = self.cluster.find(resource, name, self.namespace)
        if found is None and not optional:
            raise NotFound(f'{word} "{name}" not found')
        return found or {}

    def value(self, source: dict[str, Any]) -> str | None:
        """The value of an environment variable's ``valueFrom``.

        Raises:
            NotFound: its source is not there.
        """
        if "fieldRef" in source:
            return self.field(source["fieldRef"]["fieldPath"])
        reference = source.get("secretKeyRef") or source["configMapKeyRef"]
        what, read = ("Secret", self.secret) if "secretKeyRef" in source else ("ConfigMap", self.config_map)
        optional = bool(reference.get("optional"))
        contents = read(reference["name"], optional)
        if reference["key"] in contents:
            return contents[reference["key"]].decode()
        if optional:
            return None
        raise NotFound(f"couldn't find key {reference['key']} in {what} {self.namespace}/{reference['name']}")

    def field(self, path: str) -> str:
        """A field of the pod itself."""
        metadata, spec = self.pod["metadata"], self.pod["spec"]
        if keyed := _KEYED.fullmatch(path):
            return str(metadata.get(keyed[1], {}).get(keyed[2], ""))
        fields: dict[str, str] = {
            "metadata.name": metadata["name"],
            "metadata.namespace": metadata["namespace"],
            "metadata.uid": metadata["uid"],
            "metadata.labels": _lines(metadata.get("labels", {})),
            "metadata.annotations": _lines(metadata.get("annotations", {})),
            "spec.nodeName": spec.get("nodeName", ""),
            "spec.serviceAccountName": spec.get("serviceAccountName", ""),
            "status.hostIP": "127.0.0.1",
            "status.podIP": self.address,
            "status.podIPs": self.address,
        }
        return fields[path]

    def token(self, source: dict[str, Any]) -> bytes:
        """A token of the pod's service account, bound to the pod."""
        metadata = self.pod["metadata"]
        bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        audiences = {"audiences": [source["audience"]]} if source.get("audience") else {}
        account = self.pod["spec"].get("serviceAccountName", "default")
        seconds = int(source.get("expirationSeconds", 3600))
        return self.cluster.create_token(self.namespace, account, seconds, boundObjectRef=bound, **audiences).encode()


def _lines(given: dict[str, str]) -> str:
    return "".join(f'{key}="{value}"\n' for key, value in sorted(given.items()))
