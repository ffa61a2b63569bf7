"""The status that the operator writes, and what it reads from a pod."""

import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.kube.client import Manifest
from tests.kube.containers import now
from tests.kube.operatorobjects import RUNNER

FATAL = ("ImagePullBackOff", "ErrImagePull", "CrashLoopBackOff", "CreateContainerConfigError", "InvalidImageName")


@dataclass(frozen=True)
class Outcome:
    """A phase that a pod's state stands for."""

    phase: str
    reason: str = ""
    message: str = ""


def outcome(pod: Manifest) -> Outcome | None:
    """What a pod's state says of its session; None while that is open."""
    status = pod.get("status", {})
    containers = status.get("containerStatuses", [])
    runner: dict[str, Any] = next((c["state"] for c in containers if c["name"] == RUNNER), {})
    if status.get("phase") == "Succeeded":
        return Outcome("Completed", "Completed")
    if "terminated" in runner:
        return _exited(runner["terminated"])
    if status.get("phase") == "Failed":
        return Outcome("Failed", "PodFailed", status.get("message") or status.get("reason") or "The pod failed")
    if runner.get("waiting", {}).get("reason") in FATAL:
        return Outcome("Failed", runner["waiting"]["reason"], runner["waiting"].get("message", ""))
    return Outcome("Running", "ContainerRunning") if "running" in runner else None


def _exited(ended: dict[str, Any]) -> Outcome:
    code = ended["exitCode"]
    if code == 0:
        return Outcome("Completed", "Completed")
    if code == 2:
        return Outcome("Failed", "PrerequisiteFailed", ended.get("message") or "Prerequisites are missing")
    return Outcome("Failed", "RunnerExit", f"Runner exited with code {code} ({ended.get('reason', 'Error')})")


def expired(session: Manifest, seconds: float) -> bool:
    """Whether nothing has happened in a session for so long."""
    status = session.get("status", {})
    last = status.get("lastActivityTime") or status.get("startTime") or session["metadata"]["creationTimestamp"]
    return (datetime.now(UTC) - datetime.fromisoformat(last)).total_seconds() > seconds


class Status:
    """The next status of a session."""

    def __init__(self, session: Manifest) -> None:
        self.value: dict[str, Any] = copy.deepcopy(session.get("status", {}))
        self._session = session
        self._generation = session["metadata"]["generation"]
        self.drifted = self.value.get("observedGeneration") != self._generation

    def condition(self, kind: str, holds: bool | None, reason: str, message: str = "") -> None:
        """Set a condition."""
        said = {"type": kind, "status": {True: "True", False: "False", None: "Unknown"}[holds]}
        conditions = self.value.setdefault("conditions", [])
        known: dict[str, Any] = next((one for one in conditions if one["type"] == kind), {})
        since = known.get("lastTransitionTime") if known.get("status") == said["status"] else None
        self.value["conditions"] = [one for one in conditions if one["type"] != kind]
        more = {"reason": reason, "message": message, "observedGeneration": self._generation}
        self.value["conditions"].append({**said, **more, "lastTransitionTime": since or now()})

    def begin(self) -> None:
        """Its pod is made."""
        self.value |= {"phase": "Creating", "startTime": now(), "observedGeneration": self._generation}
        self.condition("Ready", False, "PodCreated", "The pod is being started")

    def refused(self, words: str) -> None:
        """Its pod cannot be made; it is tried again."""
        self.condition("PodCreated", False, "CreateFailed", words)
        self.condition("Ready", False, "PodCreationFailed", "The pod could not be made")

    def scheduled(self, pod: Manifest) -> None:
        """Tell where the pod is."""
        found = next((c for c in pod.get("status", {}).get("conditions", []) if c["type"] == "PodScheduled"), None)
        if found is not None:
            holds = found["status"] == "True"
            reason = "Scheduled" if holds else found.get("reason", "")
            self.condition("PodScheduled", holds, reason, found.get("message", ""))

    def run(self) -> None:
        """Its runner runs."""
        self.value["phase"] = "Running"
        self.condition("RunnerStarted", True, "ContainerRunning")
        self.condition("Ready", True, "Running")
        self.reconciled()

    def reconciled(self) -> None:
        """Repositories and workflow are as the specification says, for all that the operator knows."""
        spec = self._session.get("spec", {})
        repositories = spec.get("repos", [])
        self.value["observedGeneration"] = self._generation
        self.value["reconciledRepos"] = [
            {
                "url": one["url"],
                "branch": one["branch"],
                "name": _name(one["url"]),
                "status": "Ready",
                "clonedAt": now(),
            }
            for one in repositories
        ]
        self.condition("ReposReconciled", True, "Reconciled" if repositories else "NoRepos")
        if workflow := spec.get("activeWorkflow"):
            self.value["reconciledWorkflow"] = {**workflow, "status": "Active", "appliedAt": now()}
        self.condition("WorkflowReconciled", True, "Reconciled" if workflow else "NotConfigured")
        self.condition("Reconciled", True, "SpecApplied")

    def end(self, phase: str, reason: str, message: str) -> None:
        """It has ended by itself."""
        self.value |= {"phase": phase, "completionTime": now(), "observedGeneration": self._generation}
        self.condition("RunnerStarted", False, reason, message)
        self.condition("Ready", False, reason, message)

    def stopping(self) -> None:
        """Its pod is being deleted."""
        self.value["phase"] = "Stopping"
        self.condition("Ready", False, "Stopping")

    def stopped(self, reason: str) -> None:
        """Its pod is gone, as was asked for."""
        self.value |= {"phase": "Stopped", "completionTime": now(), "stoppedReason": reason}
        self.condition("Ready", False, "InactivityTimeout" if reason == "inactivity" else "UserStopped")

    def again(self, reason: str, restart: bool) -> None:
        """A pod is to be made once more."""
        self.value["phase"] = "Pending"
        if restart:
            for name in ("completionTime", "lastActivityTime", "stoppedReason"):
                self.value.pop(name, None)
        self.condition("PodCreated", False, reason)
        self.condition("Ready", False, reason)


def _name(url: str) -> str:
    return url.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git")
