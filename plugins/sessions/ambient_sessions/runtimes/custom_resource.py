"""An AgenticSession: what we write of it, and what it says about a start, in one table. Pure.

What we write are the fields in `manifest`, and no others: what the operator and people write beside them lives. Not among
them is ``initialPrompt``: the gateway drives every run, the first too, and a runner that ran the prompt by itself would run
it twice. ``inactivityTimeout`` is 0, and ``stopOnRunFinished`` is not set, because only we see the runs: the operator would
count a session as idle whose runs pass by our gateway.

The first line that fits:

===================================================  ==========  ====================================================
what is seen                                         stage       reason
===================================================  ==========  ====================================================
it is being deleted                                  stopping    Deleting
the end of an earlier start, and a pod that lives    as the pod  the pod's: that news came late
a start of ours that the operator never took up      (nothing)   StartLost: as if it was not asked for
it has ended, and ``desired-phase`` is Running       preparing   StartRequested: its status is of the start before
it has not ended, and ``desired-phase`` is Stopped   stopping    StopRequested
``Stopping``                                         stopping    Stopping
``Stopped``, by inactivity                           exited      Inactivity
``Stopped``                                          exited      StoppedElsewhere: by whom the row does not know
``Completed``                                        exited      Completed, exit code 0
``Failed``                                           exited      the operator's: RunnerExit, PrerequisiteFailed, ...
``Running``, and its pod has ended                   as the pod  the pod's: the operator does not look at it any more
``Creating``, and a pod has ended                    preparing   the pod's, until the operator says so: it may be an old one
``Running``, and its pod answers or is not seen      ready       Running
``Creating`` or ``Running``, and there is a pod      as the pod  the pod's, ``starting`` at most
no phase, ``Pending``, ``Creating``, ``Running``     preparing   the operator's newest condition that is not True;
                                                                 QuotaExceeded, where its words say so
===================================================  ==========  ====================================================

Which start a status belongs to: the annotation ``session-start`` is written in the same request as ``desired-phase``, and the
operator removes ``desired-phase`` when it has made the pod of that start. A status that was there when the start was asked for
is known by its ``completionTime``, which that request writes down. Clocks are never compared; and ``observedGeneration`` is
not taken as proof of anything, since the operator moves it although a push to the runner has failed.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ambient_sessions.cluster.client import Object
from ambient_sessions.cluster.faults import reason_of
from ambient_sessions.lifecycle import TERMINAL
from ambient_sessions.runtimes import LaunchOrder, Observed, Stage
from ambient_sessions.runtimes.environment import repositories, variables
from ambient_sessions.runtimes.names import session_name
from ambient_sessions.runtimes.namespaces import MANAGED_BY, PREFIX, PROJECT, US
from ambient_sessions.runtimes.pod import NO_POD, PodView

SESSION = f"{PREFIX}session-id"
START = f"{PREFIX}session-start"
BEFORE = f"{PREFIX}session-before"
DESIRED = f"{PREFIX}desired-phase"
START_REQUESTED = f"{PREFIX}start-requested-at"
STOP_REQUESTED = f"{PREFIX}stop-requested-at"
_LIVELY = ("starting", "ready")


def manifest(order: LaunchOrder, namespace: str, before: Object | None, now: datetime) -> Object:
    """What we own of the AgenticSession of a start, for server-side apply.

    Args:
        namespace: of the project.
        before: the object as it is; it must not have changed meanwhile.
        now: the time.
    """
    session = order.session
    metadata: Object = {
        "name": session_name(session["id"]),
        "namespace": namespace,
        "labels": {SESSION: session_name(session["id"]), PROJECT: session["project_id"], MANAGED_BY: US},
        "annotations": {
            SESSION: session["id"],
            START: str(session["starts"]),
            DESIRED: "Running",
            START_REQUESTED: now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
    }
    if before is not None:
        metadata["resourceVersion"] = before["metadata"]["resourceVersion"]
        metadata["annotations"][BEFORE] = str((before.get("status") or {}).get("completionTime", ""))
    return {"metadata": metadata, "spec": _specification(order)}


def _specification(order: LaunchOrder) -> Object:
    session = order.session
    specification: Object = {
        "displayName": session["name"],
        "llmSettings": {
            "model": session["llm_model"],
            "temperature": session["llm_temperature"],
            "maxTokens": session["llm_max_tokens"],
        },
        "inactivityTimeout": 0,
        "repos": [
            {"url": entry["url"], **({"branch": entry["branch"]} if entry.get("branch") else {})}
            for entry in repositories(session)
        ],
        "environmentVariables": {**variables(session), **order.variables},
    }
    if session.get("agent_id"):
        specification["environmentVariables"]["AGENT_ID"] = session["agent_id"]
    if session.get("timeout"):
        specification["timeout"] = session["timeout"]
    if session.get("created_by"):
        specification["userContext"] = {"userId": session["created_by"], "displayName": session["created_by"]}
    return specification


def stop_change(found: Object, now: datetime) -> Object:
    """The merge patch that asks for the end, if the object is still as it was read."""
    stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "metadata": {
            "resourceVersion": found["metadata"]["resourceVersion"],
            "annotations": {DESIRED: "Stopped", STOP_REQUESTED: stamp, START_REQUESTED: None},
        }
    }


def is_ours(found: Object, session_id: str) -> bool:
    """Whether an AgenticSession is this session's; the legacy backend's are not."""
    labels = found["metadata"].get("labels") or {}
    return labels.get(SESSION) == session_name(session_id) and labels.get(MANAGED_BY) == US


def session_of(found: Object) -> str:
    """The id of the session that an AgenticSession is for; empty when it is nobody's of ours."""
    return str(_annotations(found).get(SESSION, ""))


def start_of(found: Object) -> int:
    """Which start was asked for last; 0 when nothing says."""
    text = str(_annotations(found).get(START, ""))
    return int(text) if text.isdigit() else 0


def has_ended(found: Object) -> bool:
    """Whether nothing of it runs, nor was asked to."""
    return _phase(found) in TERMINAL and _annotations(found).get(DESIRED) != "Running"


def stop_is_asked(found: Object) -> bool:
    """Whether the operator was asked to end it and has not answered yet."""
    return _annotations(found).get(DESIRED) == "Stopped"


def observed_of(found: Object, pod: PodView | None) -> Observed:
    """What an AgenticSession says, and its pod where that is seen."""
    if is_of_an_earlier_start(found):
        if pod is not None and pod.stage in _LIVELY:
            return replace(_observed(found, pod.stage, pod.reason, pod.message, start_of(found)), alive=True)
        return _observed(found, "preparing", "StartLost", "The operator was asked to start it, and forgot.", 0)
    stage, reason, message = _told(found, pod)
    code = pod.exit_code if pod is not None and stage == "exited" else None
    if _phase(found) == "Completed":
        code = 0
    return _observed(found, stage, reason, message, start_of(found), code)


def _told(found: Object, pod: PodView | None) -> tuple[Stage, str, str]:
    phase, desired = _phase(found), _annotations(found).get(DESIRED)
    if found["metadata"].get("deletionTimestamp"):
        return "stopping", "Deleting", "The AgenticSession is being deleted."
    if phase in TERMINAL and desired == "Running":
        return "preparing", "StartRequested", "The operator was asked to start it."
    if phase in TERMINAL:
        return _end(found, phase)
    if desired == "Stopped":
        return "stopping", "StopRequested", "The operator was asked to stop it."
    if phase == "Stopping":
        return "stopping", "Stopping", "The operator is ending its pod."
    return _life(found, phase, pod)


def _life(found: Object, phase: str, pod: PodView | None) -> tuple[Stage, str, str]:
    if pod is None or (pod.reason == NO_POD and phase != "Running"):
        return ("ready", "Running", "The runner answers.") if phase == "Running" else _unready(found, phase)
    if pod.stage == "ready" and phase != "Running":
        return "starting", "Starting", "The runner answers, and the operator has not said so yet."
    if phase == "Creating" and pod.stage in ("exited", "lost", "stopping"):
        # The operator tells of its end itself; until then this may be the pod of the start before.
        return "preparing", pod.reason, pod.message
    if phase in ("Creating", "Running"):
        return pod.stage, pod.reason, pod.message
    return _unready(found, phase)


def _end(found: Object, phase: str) -> tuple[Stage, str, str]:
    if phase == "Completed":
        return "exited", "Completed", "The runner ended with status 0."
    if phase == "Failed":
        _, reason, message = _unready(found, phase)
        return "exited", reason, message
    if (found.get("status") or {}).get("stoppedReason") == "inactivity":
        return "exited", "Inactivity", "The operator stopped it, because no run was seen for too long."
    return "exited", "StoppedElsewhere", "The AgenticSession was stopped, and not by us."


def _unready(found: Object, phase: str) -> tuple[Stage, str, str]:
    """The operator's newest condition that is not met."""
    unmet = [c for c in (found.get("status") or {}).get("conditions") or [] if c.get("status") == "False"]
    newest: Mapping[str, Any] = max(
        unmet, key=lambda c: (str(c.get("lastTransitionTime", "")), c.get("type") != "Ready"), default={}
    )
    reason = newest.get("reason") or (phase if phase in ("Failed", "Creating") else "Pending")
    message = newest.get("message") or f"The operator says: {phase or 'nothing yet'}."
    # It is the operator whom the server refuses a pod; it passes the words on, and calls each refusal the same.
    return "preparing", reason_of(message, reason), message


def is_of_an_earlier_start(found: Object) -> bool:
    """Whether it says that it has ended, and means the start before: this one was forgotten, or that news came late.

    A pod that lives all the same is this start's: the operator forgets that a start was asked for when it has made the pod.
    """
    before = _annotations(found).get(BEFORE)
    status = found.get("status") or {}
    return bool(before) and has_ended(found) and status.get("completionTime") == before and not stop_is_asked(found)


def _observed(
    found: Object, stage: Stage, reason: str, message: str, starts: int, exit_code: int | None = None
) -> Observed:
    metadata = found["metadata"]
    return Observed(
        starts=starts,
        alive=not has_ended(found),
        stage=stage,
        reason=reason,
        message=message,
        exit_code=exit_code,
        repositories=tuple(_repositories(found)),
        identity={
            "kube_cr_name": metadata["name"],
            "kube_cr_uid": metadata["uid"],
            "kube_namespace": metadata["namespace"],
        },
        conditions=tuple(_conditions(found)),
    )


def _repositories(found: Object) -> list[Mapping[str, Any]]:
    entries = (found.get("status") or {}).get("reconciledRepos") or []
    wanted = {"url": "url", "name": "name", "status": "status", "currentActiveBranch": "branch"}
    return [{ours: entry[theirs] for theirs, ours in wanted.items() if entry.get(theirs)} for entry in entries]


def _conditions(found: Object) -> list[Mapping[str, Any]]:
    entries = (found.get("status") or {}).get("conditions") or []
    wanted = {"type": "type", "status": "status", "reason": "reason", "message": "message"}
    wanted["lastTransitionTime"] = "last_transition_time"
    # `Ready` is a condition of ours.
    kept = [entry for entry in entries if entry.get("type") != "Ready"]
    return [{ours: entry[theirs] for theirs, ours in wanted.items() if entry.get(theirs)} for entry in kept]


def _phase(found: Object) -> str:
    return str((found.get("status") or {}).get("phase") or "")


def _annotations(found: Object) -> Mapping[str, str]:
    return found["metadata"].get("annotations") or {}
