"""AgenticSession and ProjectSettings are served as the platform serves them."""

from typing import Any

import pytest

from tests.kube.client import Cluster, Refused

VERSION = "vteam.ambient-code/v1alpha1"


def session(namespace: str, **spec: Any) -> dict[str, Any]:
    metadata = {"name": "s", "namespace": namespace}
    return {"apiVersion": VERSION, "kind": "AgenticSession", "metadata": metadata, "spec": spec}


def project_settings(namespace: str, name: str = "projectsettings", **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": VERSION, "kind": "ProjectSettings", "metadata": metadata, "spec": spec}


def test_nothing_of_a_session_is_required_and_defaults_are_filled_in(cluster: Cluster, project_namespace: str) -> None:
    made = cluster.create(session(project_namespace, repos=[{"url": "https://example.com/r"}], llmSettings={}))
    assert made["spec"]["timeout"] == 300
    assert made["spec"]["repos"] == [{"url": "https://example.com/r", "branch": "main", "autoPush": False}]
    assert made["spec"]["llmSettings"] == {"model": "claude-sonnet-4-6", "temperature": 0.7, "maxTokens": 4000}
    assert "status" not in made


def test_what_the_schema_does_not_name_is_pruned(cluster: Cluster, project_namespace: str) -> None:
    servers = {"custom": {"search": {"url": "https://example.com", "own": 1}}}
    made = cluster.create(session(project_namespace, mainRepoName="r", mcpServers=servers))
    assert "mainRepoName" not in made["spec"]
    assert made["spec"]["mcpServers"] == servers


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"repos": [{"branch": "main"}]}, "spec.repos\\[0\\].url: Required value"),
        ({"inactivityTimeout": -1}, "greater than or equal to 0"),
        ({"environmentVariables": {"A": 1}}, "must be of type string"),
    ],
)
def test_a_session_that_breaks_a_rule_is_refused(
    cluster: Cluster, project_namespace: str, spec: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refused, match=said) as refusal:
        cluster.create(session(project_namespace, **spec))
    assert refusal.value.status == 422


def test_status_is_written_on_its_own_and_only_in_known_phases(cluster: Cluster, project_namespace: str) -> None:
    cluster.create(session(project_namespace))
    ignored = cluster.patch("agenticsessions", "s", project_namespace, {"status": {"phase": "Running"}})
    assert "status" not in ignored
    cluster.patch("agenticsessions", "s", project_namespace, {"status": {"phase": "Running"}}, "status")
    with pytest.raises(Refused, match='Unsupported value: "Lost"'):
        cluster.patch("agenticsessions", "s", project_namespace, {"status": {"phase": "Lost"}}, "status")


def test_there_is_one_projectsettings_for_each_namespace(cluster: Cluster, project_namespace: str) -> None:
    made = cluster.create(project_settings(project_namespace, groupAccess=[]))
    assert made["spec"]["inactivityTimeoutSeconds"] == 86400
    with pytest.raises(Refused, match="must be named 'projectsettings'"):
        cluster.create(project_settings(project_namespace, name="second", groupAccess=[]))


def test_projectsettings_need_group_access_with_known_roles(cluster: Cluster, project_namespace: str) -> None:
    with pytest.raises(Refused, match="spec.groupAccess: Required value"):
        cluster.create(project_settings(project_namespace))
    with pytest.raises(Refused, match='Unsupported value: "owner"'):
        cluster.create(project_settings(project_namespace, groupAccess=[{"groupName": "g", "role": "owner"}]))
