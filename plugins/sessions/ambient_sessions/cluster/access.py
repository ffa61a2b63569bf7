"""Who we are to the API server, where that is simple: a service account's token, or a kubeconfig with a token.

This is what the control plane has in a cluster. Whatever else a kubeconfig may say (certificates of clients, programs that
give tokens, proxies) is left to the package ``kubernetes``, which takes 20 MB and half a second.
"""

import base64
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_RENEWED = 60.0
_CLUSTER = {"server", "certificate-authority", "certificate-authority-data", "extensions"}
_USER = {"token", "tokenFile", "extensions"}


@dataclass(slots=True)
class Access:
    """Address, trust and token.

    Args:
        server: with scheme, without a slash at its end.
        trust: for TLS; ``None`` without it.
        token: to be sent.
        file: where the token is read from, again and again, as it is renewed there.
    """

    server: str
    trust: ssl.SSLContext | None
    token: str = ""
    file: Path | None = None
    _read: float = field(default=float("-inf"))

    def bearer(self) -> str:
        """The token of now.

        Raises:
            OSError: its file cannot be read.
        """
        if self.file is not None and time.monotonic() - self._read > _RENEWED:
            self.token, self._read = self.file.read_text().strip(), time.monotonic()
        return self.token


def in_cluster(environment: Mapping[str, str] = os.environ, account: Path | None = None) -> Access | None:
    """The access of a pod's service account; ``None`` when this is no such pod, or a proxy is to be used.

    Args:
        environment: of the process.
        account: where the kubelet puts the account's files; `ACCOUNT` unless given.
    """
    account = account or ACCOUNT
    host, port = (environment.get(f"KUBERNETES_SERVICE_{part}", "") for part in ("HOST", "PORT"))
    authority = account / "ca.crt"
    if not host or not port or _is_proxied(environment) or not authority.is_file():
        return None
    address = f"[{host}]" if ":" in host else host
    trust = ssl.create_default_context(cafile=str(authority))
    return Access(f"https://{address}:{port}", trust, file=account / "token")


def of_kubeconfig(path: Path, environment: Mapping[str, str] = os.environ) -> Access | None:
    """The access that the current context of a kubeconfig gives; ``None`` when it says more than is understood here.

    Raises:
        OSError: a file cannot be read.
    """
    import yaml  # noqa: PLC0415 - only where there is such a file

    try:
        said = yaml.safe_load(path.read_text())
        context = _named(said["contexts"], said["current-context"])["context"]
        cluster = _named(said["clusters"], context["cluster"])["cluster"]
        user = _named(said["users"], context["user"])["user"]
        simple = set(cluster) <= _CLUSTER and set(user) <= _USER and (user.get("token") or user.get("tokenFile"))
        if not simple or _is_proxied(environment) or not cluster["server"].startswith("https://"):
            return None
        trust = _trust(cluster, path.parent)
    except (yaml.YAMLError, LookupError, StopIteration, TypeError, AttributeError, ValueError):
        # The package says what is wrong with it.
        return None
    file = None if user.get("token") else path.parent / user["tokenFile"]
    return Access(cluster["server"].rstrip("/"), trust, token=user.get("token", ""), file=file)


def _trust(cluster: Mapping[str, str], folder: Path) -> ssl.SSLContext:
    if cluster.get("certificate-authority-data"):
        return ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    if cluster.get("certificate-authority"):
        return ssl.create_default_context(cafile=str(folder / cluster["certificate-authority"]))
    return ssl.create_default_context()


def _named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(entry for entry in entries if entry["name"] == name)


def _is_proxied(environment: Mapping[str, str]) -> bool:
    names = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
    return any(environment.get(name) for name in names)
