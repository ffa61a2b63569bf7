"""The plane is a real Kubernetes: it admits, refuses, collects and authorizes as one."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.kube.client import Cluster, Refused
from tests.kube.testplane import Plane


def pod(name: str, namespace: str, **spec: Any) -> dict[str, Any]:
    """The smallest pod."""
    container = {"name": "main", "image": "busybox", "command": ["true"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"restartPolicy": "Never", "containers": [container], **spec},
    }


def test_it_says_which_kubernetes_it_is(cluster: Cluster) -> None:
    assert cluster.request("GET", "/version")["gitVersion"] == "v1.36.3"


def test_a_namespace_that_enforces_restricted_refuses_a_careless_pod(cluster: Cluster, project_namespace: str) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.patch("namespaces", project_namespace, None, {"metadata": {"labels": labels}})
    with pytest.raises(Refused, match='violates PodSecurity "restricted') as refusal:
        cluster.create(pod("careless", project_namespace))
    assert refusal.value.status == 403


def test_a_service_account_may_do_what_its_role_says_and_no_more(cluster: Cluster, project_namespace: str) -> None:
    rights = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"}
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
    cluster.create({**rights, "metadata": {"name": "r", "namespace": project_namespace}, "rules": [rule]})
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": project_namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    binding = {"metadata": {"name": "r", "namespace": project_namespace}, "roleRef": role, "subjects": [subject]}
    cluster.create({**rights, "kind": "RoleBinding", **binding})
    account = cluster.act_as(project_namespace, "default")
    assert account.list("pods", project_namespace) == []
    with pytest.raises(Refused, match="cannot list resource .secrets"):
        account.list("secrets", project_namespace)
    account.close()


def test_what_an_object_owns_goes_with_it(cluster: Cluster, project_namespace: str, wait_for: Callable) -> None:
    kind = {"apiVersion": "vteam.ambient-code/v1alpha1", "kind": "AgenticSession"}
    owner = cluster.create({**kind, "metadata": {"name": "owner", "namespace": project_namespace}})
    owned = pod("owned", project_namespace)
    owned["metadata"]["ownerReferences"] = [{**kind, "name": "owner", "uid": owner["metadata"]["uid"]}]
    cluster.create(owned)
    cluster.delete("agenticsessions", "owner", project_namespace)
    wait_for(lambda: cluster.find("pods", "owned", project_namespace) is None, "the owned pod's end")


def test_a_namespace_goes_with_all_that_is_in_it(cluster: Cluster, project_namespace: str, wait_for: Callable) -> None:
    cluster.create(pod("inside", project_namespace))
    cluster.delete("namespaces", project_namespace)
    wait_for(lambda: cluster.find("namespaces", project_namespace) is None, "the namespace's end")


def test_a_kubeconfig_for_a_token_lets_in_its_bearer_only(
    plane: Plane, cluster: Cluster, project_namespace: str
) -> None:
    text = plane.kubeconfig(token=cluster.create_token(project_namespace, "default")).read_text()
    assert plane.token not in text
    stranger = plane.cluster(token="nobody's")
    with pytest.raises(Refused) as refusal:
        stranger.list("namespaces")
    assert refusal.value.status == 401
    stranger.close()
