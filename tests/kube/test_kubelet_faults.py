"""The test kubelet's faults look as they do on a real node."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.kube.client import Refused
from tests.kube.kubelet import RUNNER_IMAGE, Kubelet
from tests.kube.pods import Pods
from tests.kube.testplane import Plane

SLEEP = ["sleep", "600"]


def processes_below(folder: Path) -> list[int]:
    """Containers whose home is below a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("HOME", "").startswith(str(folder)):
                found.append(process.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def test_an_image_that_is_not_there_backs_off(pods: Pods) -> None:
    pods.make("imageless", image="nowhere.example/none:1")
    pods.until_waiting("imageless", "ImagePullBackOff")
    assert pods.status("imageless")["phase"] == "Pending"
    assert pods.state("imageless", "waiting")["message"].startswith('Back-off pulling image "nowhere.example/none:1"')
    pods.wait_for(lambda: {"Failed", "BackOff"} <= pods.events("imageless"), "events")


@pytest.mark.parametrize("reason", ["ErrImagePull", "CreateContainerConfigError", "CrashLoopBackOff"])
def test_a_pod_waits_for_a_reason_until_the_test_lets_it_go(pods: Pods, kubelet: Kubelet, reason: str) -> None:
    failure = kubelet.fail(reason, pod="hindered")
    pods.make("hindered", *SLEEP)
    pods.until_waiting("hindered", reason)
    failure.remove()
    pods.until("hindered", "Running")


def test_a_pod_without_a_node_is_unschedulable(pods: Pods, kubelet: Kubelet) -> None:
    failure = kubelet.fail("Unschedulable", namespace=pods.namespace)
    pods.make("homeless", *SLEEP)
    pods.wait_for(lambda: pods.condition("homeless", "PodScheduled").get("reason") == "Unschedulable", "the condition")
    assert "FailedScheduling" in pods.events("homeless")
    failure.remove()
    pods.until("homeless", "Running")


def test_a_missing_secret_is_named_and_waited_for(pods: Pods) -> None:
    reference = {"secretKeyRef": {"name": "later", "key": "k"}}
    pods.make("waiting", *SLEEP, env=[{"name": "K", "valueFrom": reference}])
    pods.until_waiting("waiting", "CreateContainerConfigError")
    assert pods.state("waiting", "waiting")["message"] == 'secret "later" not found'
    metadata = {"name": "later", "namespace": pods.namespace}
    pods.cluster.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"k": "v"}})
    pods.until("waiting", "Running")


def test_too_much_memory_is_oomkilled(pods: Pods, kubelet: Kubelet) -> None:
    pods.make("hungry", *SLEEP)
    pods.until("hungry", "Running")
    kubelet.kill("hungry", pods.namespace)
    ended = pods.until("hungry", "Failed")["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")


def test_an_evicted_pod_fails_and_stays(pods: Pods, kubelet: Kubelet) -> None:
    pods.make("guest", *SLEEP)
    pods.until("guest", "Running")
    kubelet.evict("guest", pods.namespace)
    assert pods.until("guest", "Failed")["reason"] == "Evicted"
    assert pods.condition("guest", "DisruptionTarget")["reason"] == "TerminationByKubelet"


def test_a_pod_on_a_lost_node_stays_until_it_is_collected(pods: Pods, kubelet: Kubelet) -> None:
    pods.make("far", *SLEEP)
    pods.until_ready("far")
    kubelet.lose_node("far", pods.namespace)
    pods.wait_for(lambda: pods.condition("far", "Ready")["status"] == "Unknown", "the loss")
    assert (pods.status("far")["phase"], pods.status("far")["reason"]) == ("Running", "NodeLost")
    pods.cluster.delete("pods", "far", pods.namespace, gracePeriodSeconds=1)
    assert "deletionTimestamp" in pods.cluster.get("pods", "far", pods.namespace)["metadata"]
    kubelet.collect("far", pods.namespace)
    pods.until_gone("far")


def test_readiness_follows_the_runner(pods: Pods, kubelet: Kubelet) -> None:
    probe = {"tcpSocket": {"port": 8001}, "periodSeconds": 1, "failureThreshold": 1}
    server = ["sh", "-c", f"{sys.executable} -m http.server -b $AGUI_HOST 8001; sleep 600"]
    pods.make("moody", *server, readinessProbe=probe)
    pods.until_ready("moody")
    child = next(p for p in processes_below(kubelet.folder) if "http.server" in psutil.Process(p).cmdline())
    os.kill(child, signal.SIGKILL)
    pods.wait_for(lambda: pods.condition("moody", "Ready")["status"] == "False", "unreadiness")
    assert pods.status("moody")["phase"] == "Running"


@pytest.mark.parametrize("kind", ["startupProbe", "livenessProbe"])
def test_a_container_whose_probe_fails_is_killed(pods: Pods, kind: str) -> None:
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 2}
    pods.make("sick", *SLEEP, **{kind: probe})
    assert pods.until("sick", "Failed")["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 137
    assert "Unhealthy" in pods.events("sick")


def test_no_probe_is_made_before_the_startup_probe_has_passed(pods: Pods, tmp_path: Path) -> None:
    startup = {"exec": {"command": ["test", "-e", str(tmp_path / "up")]}, "periodSeconds": 1, "failureThreshold": 60}
    readiness = {"exec": {"command": ["touch", str(tmp_path / "asked")]}, "periodSeconds": 1}
    pods.make("slow", *SLEEP, startupProbe=startup, readinessProbe=readiness)
    assert pods.until("slow", "Running")["containerStatuses"][0]["started"] is False
    assert not (tmp_path / "asked").exists()
    (tmp_path / "up").touch()
    assert pods.until_ready("slow")["containerStatuses"][0]["started"] is True


@pytest.mark.parametrize("reason", ["Unschedulable", "ImagePullBackOff"])
def test_a_pending_pod_can_be_deleted(pods: Pods, kubelet: Kubelet, reason: str) -> None:
    kubelet.fail(reason, pod="pending")
    pods.make("pending", *SLEEP)
    pods.wait_for(lambda: pods.events("pending"), "the first event")
    pods.cluster.delete("pods", "pending", pods.namespace)
    pods.until_gone("pending")


def test_a_pod_without_images_runs_nothing_and_logs_nothing(pods: Pods, kubelet: Kubelet) -> None:
    kubelet.fail("ErrImagePull", pod="silent")
    pods.make("silent", *SLEEP)
    pods.until_waiting("silent", "ErrImagePull")
    with pytest.raises(Refused, match="is waiting to start"):
        pods.log("silent")
    assert processes_below(kubelet.folder) == []


def test_nothing_is_left_when_the_kubelet_is_killed(plane: Plane, pods: Pods, kubelet: Kubelet, tmp_path: Path) -> None:
    kubelet.fail("Unschedulable", pod="orphan")
    script = f"""
        import os, pathlib, signal, tests.kube.kubelet as k, tests.kube.client as c
        cluster = c.Cluster({plane.server!r}, {plane.token!r}, pathlib.Path({str(plane.ca)!r}))
        kubelet = k.Kubelet(cluster, pathlib.Path({str(tmp_path / "other")!r}), {tuple(map(str, plane.certificate))!r})
        kubelet.start()
        print("started", flush=True)
        signal.pause()
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "started\n"
        pods.make("orphan", "sh", "-c", "sleep 600 & sleep 600")
        pods.until("orphan", "Running")
        assert len(processes_below(tmp_path / "other")) == 3
        other.kill()
    pods.wait_for(lambda: not processes_below(tmp_path / "other"), "the end of its processes")


def test_quick_pods_are_ready_without_a_process(
    plane: Plane, project_namespace: str, tmp_path: Path, wait_for: Callable[..., Any]
) -> None:
    cluster = plane.cluster()
    with Kubelet(cluster, tmp_path / "quick", plane.certificate, quick=True):
        quick = Pods(cluster, project_namespace, wait_for)
        quick.make("quick", image=RUNNER_IMAGE)
        address = quick.until_ready("quick")["podIP"]
        run = httpx.post(f"http://{address}:8001/", json={"threadId": "t", "runId": "r"}, trust_env=False)
        assert '"RUN_FINISHED"' in run.text
        quick.cluster.delete("pods", "quick", project_namespace)
        quick.until_gone("quick")
    assert not (tmp_path / "quick").exists()
    cluster.close()
