"""What a pod says about a start of a session, in one table. Pure.

======================================================  =========  =============================================
what is seen, the first that fits                       stage      reason
======================================================  =========  =============================================
the runner has ended, killed for its memory             exited     OOMKilled
the pod was evicted, or was over its deadline           exited     Evicted, DeadlineExceeded
its node is gone                                        lost       NodeLost
it was preempted, or its node was drained               exited     Preempted, Drained
preparing it has failed                                 exited     what `prepare` wrote, else PrepareFailed
the runner has ended                                    exited     Completed with 0, else RunnerExit
the pod has ended without a word of a container         exited     PodFailed
it is to end                                            stopping   Deleting
no node takes it                                        preparing  Unschedulable
a container cannot start, for an image or a setting     preparing  the kubelet's: ErrImagePull, ImagePullBackOff, ...
it is being prepared                                    preparing  Cloning
the runner runs, and does not answer yet                starting   Starting
the runner runs and answers                             ready      Running
======================================================  =========  =============================================

An image that cannot be pulled is no end: registries come back. The deadline of a start ends what lasts too long, and says
what was the matter.
"""

import json
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ambient_sessions.runtimes import Stage

NO_POD = "NoPod"
Pod = Mapping[str, Any]
_GONE = {"DeletionByTaintManager": "NodeLost", "DeletionByPodGC": "NodeLost"}
_MOVED = {"PreemptionByScheduler": "Preempted", "EvictionByEvictionAPI": "Drained", "TerminationByKubelet": "Evicted"}


@dataclass(frozen=True, slots=True)
class PodView:
    """What a pod says.

    Args:
        stage: as `Observed` has it.
        reason: one word.
        message: for people.
        exit_code: of the runner.
        address: of the pod.
        ended: whether nothing of it runs, or will.
        prepared: whether the preparing containers have done their work.
    """

    stage: Stage
    reason: str
    message: str
    exit_code: int | None = None
    address: str | None = None
    ended: bool = False
    prepared: bool = False


def view_of(pod: Pod, runner: str) -> PodView:
    """What a pod says.

    Args:
        runner: name of the runner's container.
    """
    status = pod.get("status") or {}
    view = _ending(pod, status, runner) or _coming(status, runner)
    ended = status.get("phase") in ("Succeeded", "Failed")
    return PodView(
        view.stage, view.reason, view.message, view.exit_code, status.get("podIP"), ended, _is_prepared(status)
    )


def _ending(pod: Pod, status: Pod, runner: str) -> PodView | None:
    done = _terminated(status, runner)
    if done is not None and done.get("reason") == "OOMKilled":
        return PodView("exited", "OOMKilled", "The runner used more memory than it may, and was killed.", _code(done))
    lost = _disrupted(status)
    if lost is not None:
        return lost
    failed = next(_failed(status.get("initContainerStatuses") or []), None)
    if failed is not None:
        return failed
    if done is not None:
        return _exited(done)
    if status.get("phase") == "Failed":
        return PodView("exited", status.get("reason") or "PodFailed", status.get("message") or "The pod failed.")
    if pod["metadata"].get("deletionTimestamp"):
        return PodView("stopping", "Deleting", "The pod is being deleted.")
    return None


def _disrupted(status: Pod) -> PodView | None:
    reason, words = status.get("reason"), status.get("message") or ""
    if reason in ("NodeLost", "NodeShutdown") or status.get("phase") == "Unknown":
        return PodView("lost", "NodeLost", words or "The node on which the runner was does not answer any more.")
    if reason in ("Evicted", "DeadlineExceeded"):
        return PodView("exited", reason, words or f"The pod ended: {reason}.")
    disruption = next(
        (c for c in _conditions(status) if c["type"] == "DisruptionTarget" and c["status"] == "True"), None
    )
    if disruption is None:
        return None
    why, said = disruption.get("reason", ""), disruption.get("message") or words or "The pod was removed from its node."
    if why in _GONE:
        return PodView("lost", _GONE[why], said)
    return PodView("exited", _MOVED.get(why, why or "Disrupted"), said)


def _failed(containers: list[Mapping[str, Any]]) -> Iterator[PodView]:
    for container in containers:
        done = (container.get("state") or {}).get("terminated")
        if not done or _code(done) == 0:
            continue
        word = _spoken(done)
        if word is not None and word.get("reason"):
            yield PodView("exited", str(word["reason"]), str(word.get("message", "")), _code(done))
        else:
            words = done.get("message") or f"The container {container['name']} ended with status {_code(done)}."
            yield PodView(
                "exited", done["reason"] if done.get("reason") == "OOMKilled" else "PrepareFailed", words, _code(done)
            )


def _coming(status: Pod, runner: str) -> PodView:
    unscheduled = next((c for c in _conditions(status) if c["type"] == "PodScheduled" and c["status"] == "False"), None)
    if unscheduled is not None:
        return PodView(
            "preparing", unscheduled.get("reason") or "Unschedulable", unscheduled.get("message") or "No node takes it."
        )
    preparing = status.get("initContainerStatuses") or []
    everything = [*preparing, *(status.get("containerStatuses") or [])]
    for container in everything:
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            return PodView(
                "preparing", waiting["reason"], waiting.get("message") or f"{container['name']} cannot start."
            )
    if any(_runs(container) for container in preparing):
        return PodView("preparing", "Cloning", "The workspace is being prepared.")
    own = _container(status, runner)
    if own is None or not _runs(own):
        return PodView("preparing", "ContainerCreating", "The pod is being set up.")
    if own.get("ready"):
        return PodView("ready", "Running", "The runner answers.")
    return PodView("starting", "Starting", "The runner is starting.")


def _exited(done: Mapping[str, Any]) -> PodView:
    code = _code(done)
    if code == 0:
        return PodView("exited", "Completed", "The runner ended with status 0.", 0)
    return PodView("exited", "RunnerExit", exit_words(code), code)


def exit_words(code: int) -> str:
    """An exit status for people; containers tell signals as 128 and the number."""
    number = -code if code < 0 else code - 128
    try:
        return f"The runner was ended by signal {signal.Signals(number).name}."
    except ValueError:
        return f"The runner ended with status {code}."


def _is_prepared(status: Pod) -> bool:
    states = [(c.get("state") or {}).get("terminated") for c in status.get("initContainerStatuses") or []]
    return all(done is not None and _code(done) == 0 for done in states)


def _runs(container: Mapping[str, Any]) -> bool:
    return "running" in (container.get("state") or {})


def _container(status: Pod, name: str) -> Mapping[str, Any] | None:
    return next((c for c in status.get("containerStatuses") or [] if c["name"] == name), None)


def _terminated(status: Pod, name: str) -> Mapping[str, Any] | None:
    own = _container(status, name) or {}
    return (own.get("state") or {}).get("terminated")


def _conditions(status: Pod) -> list[Mapping[str, Any]]:
    return list(status.get("conditions") or [])


def _code(done: Mapping[str, Any]) -> int:
    return int(done.get("exitCode") or 0)


def _spoken(done: Mapping[str, Any]) -> Mapping[str, Any] | None:
    try:
        word = json.loads((done.get("message") or "").strip().rpartition("\n")[2])
    except ValueError:
        return None
    return word if isinstance(word, dict) else None
