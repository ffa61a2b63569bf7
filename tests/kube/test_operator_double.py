"""The double of the operator takes an AgenticSession through its phases as the operator does."""

import base64
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kube.client import Cluster
from tests.kube.kubelet import Kubelet
from tests.kube.operator import PREFIX, VERSION, Operator
from tests.kube.operatorobjects import RUNNER, RUNNER_SECRETS


class Sessions:
    """AgenticSessions of one project, and what becomes of them."""

    def __init__(self, cluster: Cluster, namespace: str, wait_for: Callable[..., Any]) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.wait_for = wait_for

    def make(self, name: str = "s", **spec: Any) -> None:
        metadata = {"name": name, "namespace": self.namespace}
        self.cluster.create({"apiVersion": VERSION, "kind": "AgenticSession", "metadata": metadata, "spec": spec})

    def ask(self, phase: str, name: str = "s") -> None:
        change = {"metadata": {"annotations": {f"{PREFIX}desired-phase": phase}}}
        self.cluster.patch("agenticsessions", name, self.namespace, change)

    def session(self, name: str = "s") -> dict[str, Any]:
        return self.cluster.get("agenticsessions", name, self.namespace)

    def status(self, name: str = "s") -> dict[str, Any]:
        return dict(self.session(name).get("status", {}))

    def annotations(self, name: str = "s") -> dict[str, str]:
        return dict(self.session(name)["metadata"].get("annotations", {}))

    def until(self, phase: str, name: str = "s") -> dict[str, Any]:
        self.wait_for(lambda: self.status(name).get("phase") == phase, f"{name} {phase}")
        return self.status(name)

    def reason(self, kind: str = "Ready", name: str = "s") -> str:
        conditions = self.status(name).get("conditions", [])
        return next((str(c["reason"]) for c in conditions if c["type"] == kind), "")

    def pod(self, name: str = "s") -> dict[str, Any] | None:
        return self.cluster.find("pods", f"{name}-runner", self.namespace)

    def runner(self, kind: str) -> dict[str, Any]:
        statuses = (self.pod() or {}).get("status", {}).get("containerStatuses", [])
        return next((dict(s["state"].get(kind, {})) for s in statuses if s["name"] == RUNNER), {})


@pytest.fixture
def sessions(cluster: Cluster, project_namespace: str, operator: Operator, wait_for: Callable[..., Any]) -> Sessions:
    metadata = {"name": RUNNER_SECRETS, "namespace": project_namespace}
    cluster.create(
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"ANTHROPIC_API_KEY": ""}}
    )
    return Sessions(cluster, project_namespace, wait_for)


def test_a_session_runs_with_a_runner_that_asks_for_its_token(sessions: Sessions) -> None:
    sessions.make(llmSettings={}, environmentVariables={"AGUI_TOKEN": "mine"})
    status = sessions.until("Running")
    assert status["observedGeneration"] == 1
    assert {"SecretsReady", "PodCreated", "RunnerStarted", "Ready"} <= {c["type"] for c in status["conditions"]}
    address = (sessions.pod() or {})["status"]["podIP"]
    secret = sessions.cluster.get("secrets", sessions.annotations()[f"{PREFIX}runner-token-secret"], sessions.namespace)
    token = base64.b64decode(secret["data"]["agui-token"]).decode()
    url = f"http://{address}:8001/capabilities"

    def answers(given: str) -> int:
        try:
            return httpx.get(url, headers={"X-Ambient-Session-Token": given}, trust_env=False).status_code
        except httpx.TransportError:
            return 0

    sessions.wait_for(lambda: answers(token) == 200, "the runner's answer")
    assert answers("mine") == 401
    assert sessions.cluster.get("services", "session-s", sessions.namespace)["spec"]["ports"][0]["port"] == 8001


def test_repositories_are_there_before_the_runner_starts(sessions: Sessions, kubelet: Kubelet, tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path / "r"), "-c", "user.name=n", "-c", "user.email=n@example.com"]
    subprocess.run(["git", "init", "--quiet", "-b", "main", tmp_path / "r"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "first"], check=True)
    kubelet.image("ambient-runner:*", ["sh", "-c", "git -C $WORKSPACE_PATH/repos/r log --format=%s; sleep 600"])
    sessions.make(repos=[{"url": f"file://{tmp_path}/r"}])
    assert sessions.until("Running")["reconciledRepos"][0]["status"] == "Ready"
    said = partial(sessions.cluster.log, "s-runner", sessions.namespace, container=RUNNER)
    sessions.wait_for(lambda: said() == "first\n", "the runner's words")


@pytest.mark.parametrize(
    ("code", "phase", "reason"),
    [(0, "Completed", "Completed"), (2, "Failed", "PrerequisiteFailed"), (7, "Failed", "RunnerExit")],
)
def test_a_runner_that_ends_before_it_was_seen_running_ends_its_session(
    sessions: Sessions, operator: Operator, kubelet: Kubelet, code: int, phase: str, reason: str
) -> None:
    failure = kubelet.fail("ContainerCreating", image="ambient-runner:*")
    kubelet.image("ambient-runner:*", ["sh", "-c", f"exit {code}"])
    sessions.make()
    sessions.until("Creating")
    with operator.away():
        failure.remove()
        sessions.wait_for(lambda: sessions.runner("terminated"), "the runner's end")
    assert "completionTime" in sessions.until(phase)
    assert sessions.reason() == reason
    sessions.wait_for(lambda: sessions.pod() is None, "the pod's end")


def test_an_image_that_cannot_be_pulled_fails_the_session(sessions: Sessions, kubelet: Kubelet) -> None:
    kubelet.fail("ImagePullBackOff", image="ambient-runner:*")
    sessions.make()
    sessions.until("Failed")
    assert sessions.reason() in ("ErrImagePull", "ImagePullBackOff")


def test_a_project_without_runner_secrets_fails_its_sessions(sessions: Sessions) -> None:
    sessions.cluster.delete("secrets", RUNNER_SECRETS, sessions.namespace)
    sessions.make()
    sessions.until("Failed")
    assert sessions.reason("SecretsReady") == "RunnerSecretMissing"


def test_stop_and_restart_come_by_annotation(sessions: Sessions) -> None:
    sessions.make()
    sessions.until("Running")
    first = (sessions.pod() or {})["metadata"]["uid"]
    sessions.ask("Stopped")
    assert sessions.until("Stopped")["stoppedReason"] == "user"
    assert sessions.pod() is None
    sessions.wait_for(lambda: f"{PREFIX}desired-phase" not in sessions.annotations(), "the annotation's end")
    sessions.ask("Running")
    assert "stoppedReason" not in sessions.until("Running")
    pod = sessions.pod() or {}
    assert pod["metadata"]["uid"] != first
    env = pod["spec"]["containers"][0]["env"]
    assert {"name": "IS_RESUME", "value": "true"} in env
    assert f"{PREFIX}desired-phase" not in sessions.annotations()


def test_a_lost_pod_is_made_again(sessions: Sessions) -> None:
    sessions.make()
    sessions.until("Running")
    first = (sessions.pod() or {})["metadata"]["uid"]
    sessions.cluster.delete("pods", "s-runner", sessions.namespace, gracePeriodSeconds=0)
    sessions.wait_for(lambda: (sessions.pod() or {"metadata": {"uid": first}})["metadata"]["uid"] != first, "a new pod")
    sessions.until("Running")


def test_a_runner_that_ends_while_running_goes_unnoticed(sessions: Sessions, kubelet: Kubelet) -> None:
    sessions.make()
    sessions.until("Running")
    kubelet.kill("s-runner", sessions.namespace, "Error", code=1, container=RUNNER)
    sessions.wait_for(lambda: sessions.runner("terminated"), "the runner's end")
    sessions.make("other")
    sessions.until("Running", "other")
    assert sessions.status()["phase"] == "Running"


def test_inactivity_stops_a_session(sessions: Sessions) -> None:
    sessions.make(inactivityTimeout=1)
    assert sessions.until("Stopped")["stoppedReason"] == "inactivity"
    assert sessions.reason() == "InactivityTimeout"


def test_a_deleted_session_takes_everything_with_it(sessions: Sessions) -> None:
    sessions.make()
    sessions.until("Running")
    sessions.cluster.delete("agenticsessions", "s", sessions.namespace)

    def left() -> list[str]:
        named = ["secrets", "serviceaccounts", "services", "pods", "rolebindings"]
        found = [one for kind in named for one in sessions.cluster.list(kind, sessions.namespace)]
        return [one["metadata"]["name"] for one in found if one["metadata"].get("ownerReferences")]

    sessions.wait_for(lambda: not left(), "the end of what it owned")


def test_an_old_status_comes_late_when_a_test_says_so(sessions: Sessions, operator: Operator) -> None:
    sessions.make()
    sessions.until("Running")
    sessions.ask("Stopped")
    sessions.until("Stopped")
    with operator.away():
        operator.repeat("s", sessions.namespace, "Running")
        assert sessions.status()["phase"] == "Running"


def test_groups_get_their_rights_and_keep_them(sessions: Sessions) -> None:
    cluster, namespace = sessions.cluster, sessions.namespace
    sessions.wait_for(lambda: cluster.find("projectsettings", "projectsettings", namespace), "default settings")

    def bindings() -> Any:
        settings = cluster.get("projectsettings", "projectsettings", namespace)
        return settings.get("status", {}).get("groupBindingsCreated")

    for groups in ([{"groupName": "team", "role": "edit"}], []):
        change = {"spec": {"groupAccess": groups}}
        cluster.patch("projectsettings", "projectsettings", namespace, change)
        sessions.wait_for(lambda n=len(groups): bindings() == n, "its status")
        assert cluster.get("rolebindings", "team-edit", namespace)["roleRef"]["name"] == "ambient-project-edit"


def test_only_labelled_namespaces_are_taken_care_of(sessions: Sessions) -> None:
    cluster, namespace = sessions.cluster, sessions.namespace
    sessions.wait_for(lambda: cluster.find("projectsettings", "projectsettings", namespace), "default settings")
    sessions.wait_for(lambda: cluster.find("limitranges", "ambient-default-limits", namespace), "limits")
    cluster.patch("namespaces", namespace, None, {"metadata": {"labels": {f"{PREFIX}managed": None}}})
    sessions.make()
    cluster.patch("namespaces", namespace, None, {"metadata": {"labels": {f"{PREFIX}managed": "true"}}})
    sessions.until("Running")
