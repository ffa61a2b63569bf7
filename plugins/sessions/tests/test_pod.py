"""What a pod says about a start: case 64, as a table."""

from typing import Any

import pytest
from ambient_sessions.runtimes.pod import exit_words, view_of

RUNNING = {"state": {"running": {}}}


def pod(
    phase: str = "Running", *, runner: Any = None, prepare: Any = None, deleted: bool = False, **status: Any
) -> Any:
    metadata = {"name": "p", **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleted else {})}
    containers = [{"name": "runner", **runner}] if runner else []
    preparing = [{"name": "prepare", **prepare}] if prepare else []
    found = {"phase": phase, "containerStatuses": containers, "initContainerStatuses": preparing, **status}
    return {"metadata": metadata, "status": found}


def ended(code: int, reason: str = "Error", message: str = "") -> Any:
    return {"state": {"terminated": {"exitCode": code, "reason": reason, "message": message}}}


def waiting(reason: str) -> Any:
    return {"state": {"waiting": {"reason": reason, "message": "the kubelet's words"}}}


def disrupted(reason: str) -> Any:
    return [{"type": "DisruptionTarget", "status": "True", "reason": reason, "message": "why"}]


UNSCHEDULABLE = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}]
SPOKEN = '{"reason": "CloneFailed", "message": "git could not clone"}'
CASES = {
    "nothing yet": (pod("Pending"), "preparing", "ContainerCreating"),
    "no node": (pod("Pending", conditions=UNSCHEDULABLE), "preparing", "Unschedulable"),
    "no image": (pod("Pending", runner=waiting("ErrImagePull")), "preparing", "ErrImagePull"),
    "no image for a while": (pod("Pending", runner=waiting("ImagePullBackOff")), "preparing", "ImagePullBackOff"),
    "no image to prepare": (pod("Pending", prepare=waiting("ErrImagePull")), "preparing", "ErrImagePull"),
    "no such secret": (
        pod("Pending", runner=waiting("CreateContainerConfigError")),
        "preparing",
        "CreateContainerConfigError",
    ),
    "being set up": (pod("Pending", runner=waiting("ContainerCreating")), "preparing", "ContainerCreating"),
    "cloning": (pod("Pending", prepare=RUNNING, runner=waiting("PodInitializing")), "preparing", "Cloning"),
    "starting": (pod(runner=RUNNING), "starting", "Starting"),
    "ready": (pod(runner={**RUNNING, "ready": True}), "ready", "Running"),
    "completed": (pod("Succeeded", runner=ended(0, "Completed")), "exited", "Completed"),
    "crashed": (pod("Failed", runner=ended(3)), "exited", "RunnerExit"),
    "out of memory": (pod("Failed", runner=ended(137, "OOMKilled")), "exited", "OOMKilled"),
    "clone failed": (pod("Failed", prepare=ended(1, message=SPOKEN)), "exited", "CloneFailed"),
    "prepare failed": (pod("Failed", prepare=ended(1)), "exited", "PrepareFailed"),
    "prepare out of memory": (pod("Failed", prepare=ended(137, "OOMKilled")), "exited", "OOMKilled"),
    "evicted": (pod("Failed", reason="Evicted", message="low on disk"), "exited", "Evicted"),
    "evicted while it ran": (pod("Failed", reason="Evicted", runner=ended(137)), "exited", "Evicted"),
    "over its deadline": (pod("Failed", reason="DeadlineExceeded"), "exited", "DeadlineExceeded"),
    "node lost": (pod(reason="NodeLost", runner={**RUNNING, "ready": True}), "lost", "NodeLost"),
    "node not heard of": (pod("Unknown", runner=RUNNING), "lost", "NodeLost"),
    "taken from a lost node": (pod(deleted=True, conditions=disrupted("DeletionByTaintManager")), "lost", "NodeLost"),
    "preempted": (pod(deleted=True, conditions=disrupted("PreemptionByScheduler")), "exited", "Preempted"),
    "drained": (pod(deleted=True, conditions=disrupted("EvictionByEvictionAPI")), "exited", "Drained"),
    "failed without a word": (pod("Failed"), "exited", "PodFailed"),
    "being deleted": (pod(runner={**RUNNING, "ready": True}, deleted=True), "stopping", "Deleting"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_pod_says(case: str) -> None:
    given, stage, reason = CASES[case]
    view = view_of(given, "runner")
    assert (view.stage, view.reason) == (stage, reason)
    assert view.message


def test_the_runner_s_exit_status_is_told() -> None:
    assert view_of(CASES["crashed"][0], "runner").exit_code == 3
    assert view_of(CASES["completed"][0], "runner").exit_code == 0


@pytest.mark.parametrize(("code", "words"), [(137, "SIGKILL"), (-15, "SIGTERM"), (3, "status 3"), (128, "status 128")])
def test_signals_are_named(code: int, words: str) -> None:
    assert words in exit_words(code)
