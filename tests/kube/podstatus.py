"""A pod's status as a kubelet writes it, from what is known of its containers."""

from dataclasses import dataclass, field
from typing import Any

from tests.kube.containers import State, now


@dataclass
class PodStatus:
    """All that is known of one pod; ``written()`` is what goes to the API server."""

    address: str
    init: list[State]
    main: list[State]
    started: str = field(default_factory=now)
    scheduled: bool = False
    unschedulable: str = ""
    reason: str = ""
    message: str = ""
    failed: bool = False
    lost: bool = False
    disrupted: str = ""
    _conditions: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def phase(self) -> str:
        """The phase that follows from the containers, for ``restartPolicy: Never``."""
        if self.failed or any(state.ended and state.code for state in self.init):
            return "Failed"
        if self.main and all(state.ended for state in self.main):
            return "Failed" if any(state.code for state in self.main) else "Succeeded"
        return "Running" if any(state.started for state in self.main) else "Pending"

    def written(self) -> dict[str, Any]:
        """The status, to be merged into the pod's; empty while there is nothing to say."""
        if not self.scheduled:
            return self._unscheduled()
        begun = any(state.started for state in [*self.init, *self.main])
        shown: dict[str, Any] = {"hostIP": "127.0.0.1", "hostIPs": [{"ip": "127.0.0.1"}], "startTime": self.started}
        if begun:
            shown |= {"podIP": self.address, "podIPs": [{"ip": self.address}]}
        return {
            "phase": self.phase,
            "reason": self.reason or None,
            "message": self.message or None,
            "conditions": self._written_conditions(begun),
            "initContainerStatuses": [_container(state) for state in self.init] or None,
            "containerStatuses": [_container(state) for state in self.main],
            **shown,
        }

    def _unscheduled(self) -> dict[str, Any]:
        if not self.unschedulable:
            return {}
        self._set("PodScheduled", False, "Unschedulable")
        return {"conditions": [{**self._conditions["PodScheduled"], "message": self.unschedulable}]}

    def _written_conditions(self, begun: bool) -> list[dict[str, str]]:
        ready = bool(self.main) and all(state.ready and state.passed for state in self.main)
        initialized = all(state.ended and not state.code for state in self.init)
        why = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(self.phase, "ContainersNotReady")
        self._set("PodReadyToStartContainers", begun)
        self._set("Initialized", initialized, "ContainersNotInitialized")
        self._set("Ready", ready, why)
        self._set("ContainersReady", ready, why)
        self._set("PodScheduled", True)
        if self.disrupted:
            self._set("DisruptionTarget", True)
            self._conditions["DisruptionTarget"] |= {"reason": self.disrupted, "message": self.message}
        if self.lost:
            self._conditions["Ready"] |= {"status": "Unknown", "reason": "NodeLost", "message": self.message}
        return list(self._conditions.values())

    def _set(self, name: str, holds: bool, reason: str = "") -> None:
        known = self._conditions.get(name, {})
        said = {"type": name, "status": "True" if holds else "False"}
        if not holds and reason:
            said["reason"] = reason
        changed = known.get("status") != said["status"]
        self._conditions[name] = {**said, "lastTransitionTime": now() if changed else known["lastTransitionTime"]}


def _container(state: State) -> dict[str, Any]:
    shown: dict[str, Any] = {"waiting": {"reason": state.waiting[0], "message": state.waiting[1]}}
    if state.ended:
        ending = {"exitCode": state.code, "reason": state.reason, "message": state.message}
        shown = {"terminated": {**ending, "startedAt": state.started, "finishedAt": state.ended}}
    elif state.started:
        shown = {"running": {"startedAt": state.started}}
    return {
        "name": state.name,
        "image": state.image,
        "imageID": state.image if state.started else "",
        "ready": state.ready and state.passed,
        "started": state.running and state.passed,
        "restartCount": state.restarts,
        "state": shown,
        "lastState": state.last,
    }
