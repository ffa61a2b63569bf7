"""The test kubelet runs pods as real processes, and reports what a kubelet reports."""

import sys
from pathlib import Path

import httpx
import pytest

from tests.kube.kubelet import RUNNER_IMAGE, Kubelet
from tests.kube.pods import Pods

SLEEP = ["sleep", "600"]


def test_a_runner_pod_is_ready_when_its_probe_is_and_answers_on_its_own_address(pods: Pods, kubelet: Kubelet) -> None:
    probe = {"httpGet": {"path": "/health", "port": "agui"}, "periodSeconds": 1}
    ports = [{"name": "agui", "containerPort": 8001}]
    env = [{"name": "SESSION_ID", "value": "s1"}, {"name": "AGUI_TOKEN", "value": "secret"}]
    pods.make("runner", image=RUNNER_IMAGE, readinessProbe=probe, ports=ports, env=env)
    address = pods.until_ready("runner")["podIP"]
    assert address == kubelet.address_of("runner", pods.namespace)
    answer = httpx.get(f"http://{address}:8001/health", trust_env=False)
    assert answer.json() == {"status": "healthy", "session_id": "s1"}
    assert {"Scheduled", "Pulling", "Pulled", "Started"} <= pods.events("runner")


@pytest.mark.parametrize(("code", "phase", "reason"), [(0, "Succeeded", "Completed"), (3, "Failed", "Error")])
def test_an_exit_code_is_reported(pods: Pods, code: int, phase: str, reason: str) -> None:
    pods.make("ending", "sh", "-c", f"exit {code}")
    ended = pods.until("ending", phase)["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (code, reason)


def test_init_containers_run_first_and_their_failure_is_the_pods(pods: Pods, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    first = {"name": "first", "image": "any", "command": ["sh", "-c", f"echo first > {mark}"]}
    second = {"name": "second", "image": "any", "command": ["sh", "-c", f"grep first {mark} && exit 4"]}
    pods.make("staged", *SLEEP, spec={"initContainers": [first, second]})
    statuses = pods.until("staged", "Failed")["initContainerStatuses"]
    assert [status["state"]["terminated"]["exitCode"] for status in statuses] == [0, 4]
    assert pods.state("staged", "waiting")["reason"] == "PodInitializing"


def test_variables_come_from_values_secrets_maps_and_fields(pods: Pods) -> None:
    metadata = {"name": "given", "namespace": pods.namespace}
    pods.cluster.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"KEY": "secret"}})
    pods.cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"MAP": "map"}})
    env = [
        {"name": "PLAIN", "value": "plain"},
        {"name": "BOTH", "value": "$(PLAIN)-$(MAP)"},
        {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "given", "key": "KEY"}}},
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
    ]
    pods.make("told", "sh", "-c", "echo $BOTH $SECRET $NAME", env=env, envFrom=[{"configMapRef": {"name": "given"}}])
    pods.until("told", "Succeeded")
    assert pods.log("told") == "plain-map secret told\n"


def test_volumes_are_folders_and_paths_lead_there(pods: Pods) -> None:
    metadata = {"name": "files", "namespace": pods.namespace}
    pods.cluster.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"key": "k"}})
    volumes = [
        {"name": "work", "emptyDir": {}},
        {"name": "files", "secret": {"secretName": "files"}},
        {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
    ]
    mounts = [
        {"name": "work", "mountPath": "/workspace"},
        {"name": "files", "mountPath": "/files"},
        {"name": "token", "mountPath": "/var/run/bot"},
    ]
    write = {"name": "write", "image": "any", "command": ["sh", "-c", "cat /files/key > /workspace/copy"]}
    command = ["sh", "-c", "cat copy $PLACE/copy; grep -c . /var/run/bot/token"]
    env = [{"name": "PLACE", "value": "/workspace"}]
    spec = {"volumes": volumes, "initContainers": [{**write, "volumeMounts": mounts}]}
    pods.make("reader", *command, spec=spec, env=env, volumeMounts=mounts, workingDir="/workspace")
    pods.until("reader", "Succeeded")
    assert pods.log("reader") == "kk1\n"


def test_logs_come_through_the_api_server(pods: Pods) -> None:
    pods.make("talker", "sh", "-c", "echo one; echo two; sleep 600")
    pods.until("talker", "Running")
    pods.wait_for(lambda: "two" in pods.log("talker"), "the second line")
    assert pods.log("talker", tailLines=1) == "two\n"
    pods.cluster.delete("pods", "talker", pods.namespace, gracePeriodSeconds=1)
    followed = pods.log("talker", follow="true")
    assert followed == "one\ntwo\n"


def test_a_deleted_pod_is_asked_to_end_and_then_made_to(pods: Pods, kubelet: Kubelet) -> None:
    polite = (
        "import signal, sys; signal.signal(15, lambda *_: sys.exit('bye')); print('up', flush=True); signal.pause()"
    )
    stubborn = "trap '' TERM; echo up; while true; do sleep 0.1; done"
    pods.make("polite", sys.executable, "-c", polite)
    pods.make("stubborn", "sh", "-c", stubborn)
    for name, grace in (("polite", 60), ("stubborn", 1)):
        pods.wait_for(lambda name=name: pods.until(name, "Running") and "up" in pods.log(name), f"{name} up")
        pods.cluster.delete("pods", name, pods.namespace, gracePeriodSeconds=grace)
        pods.until_gone(name)
    assert kubelet.log_file("polite", pods.namespace, "main").read_text() == "up\nbye\n"


def test_a_deadline_ends_the_pod(pods: Pods) -> None:
    pods.make("late", *SLEEP, spec={"activeDeadlineSeconds": 1, "terminationGracePeriodSeconds": 1})
    assert pods.until("late", "Failed")["reason"] == "DeadlineExceeded"


def test_a_pod_that_wants_restarts_is_refused_in_words(pods: Pods) -> None:
    pods.make("again", "false", spec={"restartPolicy": "Always"})
    assert pods.until("again", "Failed")["reason"] == "Unsupported"


def test_a_job_runs_to_its_end(pods: Pods) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "m", "image": "any", "command": ["true"]}]}}
    metadata = {"name": "job", "namespace": pods.namespace}
    pods.cluster.create({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": template}})
    done = lambda: pods.cluster.get("jobs", "job", pods.namespace)["status"].get("succeeded") == 1  # noqa: E731
    pods.wait_for(done, "the job's end")
