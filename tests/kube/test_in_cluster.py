"""As in a pod: the kubelet's two variables and the service account's folder, before a real API server."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ambient_sessions.cluster import access
from ambient_sessions.cluster.connection import Ask, Connection
from ambient_sessions.cluster.settings import ClusterSettings

from tests.kube.client import Cluster, Refused
from tests.kube.testplane import Plane

_WHO = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}


@pytest.fixture
def token(plane: Plane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the kubelet keeps this process's token."""
    server = urlsplit(plane.server)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", str(server.hostname))
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.port))
    monkeypatch.setattr(access, "ACCOUNT", tmp_path)
    (tmp_path / "ca.crt").write_bytes(plane.ca.read_bytes())
    return tmp_path / "token"


def caller(connection: Connection) -> str:
    """Who the API server says is asking."""
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    answer = connection.json(Ask("POST", path, "selfsubjectreviews", body=_WHO))
    return str(answer["status"]["userInfo"]["username"])


def is_taken(cluster: Cluster, secret: str) -> bool:
    """Whether the API server lets somebody in with a token."""
    other = Cluster(cluster.server, secret, cluster.ca)
    try:
        other.request("GET", "/api")
    except Refused as refusal:
        return refusal.status != 401
    finally:
        other.close()
    return True


def test_a_pod_asks_as_its_service_account(cluster: Cluster, project_namespace: str, token: Path) -> None:
    token.write_text(cluster.create_token(project_namespace, "default"))
    assert caller(Connection(ClusterSettings())) == f"system:serviceaccount:{project_namespace}:default"


def test_a_token_that_is_not_taken_any_more_is_read_anew_at_once(
    cluster: Cluster, project_namespace: str, token: Path, wait_for: Callable[..., Any]
) -> None:
    old = cluster.create_token(project_namespace, "default")
    token.write_text(old)
    connection = Connection(ClusterSettings())
    assert caller(connection)
    cluster.delete("serviceaccounts", "default", project_namespace)
    wait_for(lambda: not is_taken(cluster, old), "the old token's end", 60)
    wait_for(lambda: cluster.find("serviceaccounts", "default", project_namespace), "the account made anew")
    token.write_text(cluster.create_token(project_namespace, "default"))
    assert caller(connection) == f"system:serviceaccount:{project_namespace}:default"
