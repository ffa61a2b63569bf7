"""What the Jobs and pods of a session say, in one table. Pure.

The newest start counts. The first line that fits:

===================================================  ==========  ====================================================
what is seen                                         stage       reason
===================================================  ==========  ====================================================
no Job, and no pod                                   absent
no Job, and a pod that still runs                    stopping    Deleting
the Job is suspended: its making was interrupted     (nothing)   HalfMade: as if it was not asked for
the Job is being deleted                             stopping    Deleting
the Job was over its deadline                        exited      DeadlineExceeded
there is a pod                                       as the pod  the pod's
the Job has completed                                exited      Completed
the Job has failed, and its pod is gone              lost        PodGone
there is no pod yet                                  preparing   NoPod, or why none can be made: QuotaExceeded, ...
===================================================  ==========  ====================================================
"""

import json
from collections.abc import Sequence

from ambient_sessions.cluster.client import Object
from ambient_sessions.runtimes import Observed, Stage
from ambient_sessions.runtimes.job_objects import REPOSITORIES, RUNNER, START
from ambient_sessions.runtimes.pod import NO_POD, PodView, view_of


def newest(jobs: Sequence[Object], pods: Sequence[Object]) -> tuple[Object | None, Object | None]:
    """The Job that counts, and its pod: of the latest start that was let run, else of the latest."""
    made = sorted(jobs, key=lambda job: (not is_half_made(job), start_of(job)))
    job = made[-1] if made else None
    own = [pod for pod in pods if job is None or start_of(pod) == start_of(job)]
    # A Job never has two that run; one that is going may still be there beside the next.
    pod = max(own, key=lambda pod: (not _is_over(pod), pod["metadata"].get("creationTimestamp", "")), default=None)
    return job, pod


def observed_of(job: Object | None, pod: Object | None) -> Observed:
    """What the Job that counts says, and its pod."""
    view = view_of(pod, RUNNER) if pod is not None else None
    if job is None:
        if pod is None or view is None or view.ended:
            return Observed(reason="NoJob", message="There is no Job of this session.")
        return Observed(start_of(pod), True, "stopping", "Deleting", "The pod is being deleted.")
    if is_half_made(job):
        return Observed(0, False, "preparing", "HalfMade", "The making of its objects was interrupted.")
    stage, reason, message, code = _told(job, view)
    return Observed(
        starts=start_of(job),
        alive=_is_alive(job, view),
        stage=stage,
        reason=reason,
        message=message,
        exit_code=code,
        repositories=_repositories(job) if view is not None and view.prepared else (),
        identity={
            "kube_cr_name": job["metadata"]["name"],
            "kube_cr_uid": job["metadata"]["uid"],
            "kube_namespace": job["metadata"]["namespace"],
        },
    )


def _told(job: Object, view: PodView | None) -> tuple[Stage, str, str, int | None]:
    failed, words = finished(job, "Failed"), "The Job ran longer than it may."
    if job["metadata"].get("deletionTimestamp"):
        return "stopping", "Deleting", "The Job and its pod are being deleted.", None
    if failed is not None and failed.get("reason") == "DeadlineExceeded":
        return "exited", "DeadlineExceeded", failed.get("message") or words, None
    if view is not None:
        return view.stage, view.reason, view.message, view.exit_code
    if finished(job, "Complete") is not None:
        return "exited", "Completed", "The runner ended with status 0.", 0
    if failed is not None:
        return "lost", "PodGone", f"The pod is gone: {failed.get('message') or 'nothing says why.'}", None
    return "preparing", NO_POD, "The Job has no pod yet.", None


def _is_alive(job: Object, view: PodView | None) -> bool:
    """A pod that has ended is the last of its Job; a Job that has not finished and has no pod makes one."""
    if view is not None:
        return not view.ended
    return finished(job, "Complete") is None and finished(job, "Failed") is None


def is_half_made(job: Object) -> bool:
    """Whether it was never let run."""
    return bool(job.get("spec", {}).get("suspend")) and not job["metadata"].get("deletionTimestamp")


def is_over(job: Object) -> bool:
    """Whether nothing of it runs, or will."""
    return is_half_made(job) or finished(job, "Complete") is not None or finished(job, "Failed") is not None


def start_of(found: Object) -> int:
    """Which start a Job or pod belongs to."""
    text = str((found["metadata"].get("labels") or {}).get(START, ""))
    return int(text) if text.isdigit() else 0


def finished(job: Object, kind: str) -> Object | None:
    """The condition by which a Job says that it has finished."""
    conditions = (job.get("status") or {}).get("conditions") or []
    return next((c for c in conditions if c.get("type") == kind and c.get("status") == "True"), None)


def _repositories(job: Object) -> tuple[Object, ...]:
    """What was to be cloned: all of it was, or the runner would not have begun."""
    return tuple(json.loads((job["metadata"].get("annotations") or {}).get(REPOSITORIES, "[]")))


def _is_over(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
