"""Runtime ``job``: a Job of our own for each start of a session, for clusters without the operator."""

import base64
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from ambient_sessions.cluster.client import Cluster, Going, Object, Precondition, Scope
from ambient_sessions.cluster.faults import AlreadyThere, NotThere, reason_of
from ambient_sessions.cluster.informer import Seen
from ambient_sessions.cluster.resources import (
    JOBS,
    NAMESPACES,
    NETWORK_POLICIES,
    PODS,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    KubeResource,
)
from ambient_sessions.runtimes import Happening, LaunchOrder, LogsWanted, Observed, Target, Waiting
from ambient_sessions.runtimes import job_objects as objects
from ambient_sessions.runtimes.followers import Followers
from ambient_sessions.runtimes.job_view import is_half_made, is_over, newest, observed_of, start_of
from ambient_sessions.runtimes.names import namespace_of, session_name
from ambient_sessions.runtimes.namespaces import MANAGED_BY, PREFIX, PROJECT, US, Namespaces
from ambient_sessions.runtimes.pod import NO_POD, view_of
from ambient_sessions.runtimes.pod_log import happenings_of, log_of
from ambient_sessions.settings import SessionsSettings

log = logging.getLogger(__name__)
_OURS = f"{MANAGED_BY}={US},{objects.SESSION}"
_RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
_LOOK_AGAIN = 10.0
_PATIENCE = 2.0
_MOVING = ("preparing", "starting", "stopping")
_PARTS: tuple[tuple[KubeResource, Callable[[objects.Plan, Object], Object]], ...] = (
    (SECRETS, objects.secret_of),
    (SERVICE_ACCOUNTS, objects.account_of),
    (NETWORK_POLICIES, objects.policy_of),
    (SERVICES, objects.service_of),
)


class JobRuntime:
    """Runs sessions by Jobs.

    Args:
        settings: of the sessions plugin.
        cluster: that the sessions run in.
    """

    name = "job"

    def __init__(self, settings: SessionsSettings, cluster: Cluster | None = None) -> None:
        self._settings = settings
        self._cluster = cluster or Cluster(settings)
        self._namespaces = Namespaces(self._cluster, settings, lambda _namespace: None, _RESTRICTED)
        self._wake: Callable[[str], None] = lambda _session: None
        self._jobs = Followers(self._cluster, JOBS, _OURS, self._changed, _label)
        self._pods = Followers(self._cluster, PODS, _OURS, self._changed, _label)
        self._tokens: dict[str, str] = {}
        self._looked: dict[str, float] = {}
        self._reasons: dict[str, tuple[float, str, str]] = {}

    def start(self, wake: Callable[[str], None]) -> None:
        """Begin to wake; namespaces are followed from the first look at a session of theirs on."""
        self._wake = wake

    def stop(self) -> None:
        """End the watches."""
        self._jobs.stop()
        self._pods.stop()

    def observe(self, target: Target) -> Observed:
        """What the Job of the latest start and its pod say."""
        try:
            return self._observe(target)
        except Waiting as fault:
            return Observed(stage="unknown", reason=fault.reason, message=fault.message)

    def _observe(self, target: Target) -> Observed:
        namespace = self._place(target)
        if namespace is None or not self._namespaces.is_bound(namespace):
            return Observed(reason="NoJob", message="There is no Job of this session.")
        jobs, pods = self._look(namespace, target.session_id)
        job, pod = newest(jobs, pods)
        seen = observed_of(job, pod)
        if job is None:
            return seen
        if seen.reason == NO_POD:
            return self._with_reason(seen, job)
        self._reasons.pop(job["metadata"]["uid"], None)
        return self._with_endpoint(seen, job, pod, target.published) if seen.stage == "ready" else seen

    def _look(self, namespace: str, session_id: str) -> tuple[list[Object], list[Object]]:
        """Jobs and pods of a session as the watches have them; asked for anew when they should have moved by now."""
        informers = [followers.of(namespace) for followers in (self._jobs, self._pods)]
        for informer in informers:
            informer.check()
        name = session_name(session_id)
        jobs, pods = (informer.of(name) for informer in informers)
        if observed_of(*newest(jobs, pods)).stage not in _MOVING:
            self._looked.pop(name, None)
        elif time.monotonic() - self._looked.setdefault(name, time.monotonic()) >= _LOOK_AGAIN:
            self._looked[name] = time.monotonic()
            jobs, pods = self._fresh(JOBS, namespace, name), self._fresh(PODS, namespace, name)
        return jobs, pods

    def _fresh(self, resource: KubeResource, namespace: str, name: str) -> list[Object]:
        found, _ = self._cluster.list(resource, Scope(namespace, f"{MANAGED_BY}={US},{objects.SESSION}={name}"))
        informer = (self._jobs if resource is JOBS else self._pods).of(namespace)
        names = {item["metadata"]["name"] for item in found}
        for known in informer.of(name):
            if known["metadata"]["name"] not in names:
                informer.drop(namespace, known["metadata"]["name"], known["metadata"]["uid"])
        for item in found:
            informer.put(item)
        return found

    def _place(self, target: Target) -> str | None:
        if target.project_id is not None:
            return namespace_of(target.project_id)
        for namespace, informer in self._jobs.followed().items():
            if informer.of(session_name(target.session_id)):
                return namespace
        return None

    def _with_reason(self, seen: Observed, job: Object) -> Observed:
        """Why a Job makes no pod: only its events say so."""
        uid, now = job["metadata"]["uid"], time.monotonic()
        # One that was just made has a moment before its events are asked for.
        known = self._reasons.setdefault(uid, (now - _LOOK_AGAIN + _PATIENCE, seen.reason, seen.message))
        if now - known[0] >= _LOOK_AGAIN:
            told = happenings_of(self._cluster, job["metadata"]["namespace"], (job["metadata"]["name"],))
            failed = next((h for h in reversed(told) if h.reason == "FailedCreate"), None)
            words = failed.message if failed is not None else seen.message
            known = self._reasons[uid] = (now, reason_of(words, "FailedCreate" if failed else seen.reason), words)
        return replace(seen, reason=known[1], message=known[2])

    def _with_endpoint(self, seen: Observed, job: Object, pod: Object | None, published: bool) -> Observed:
        metadata = job["metadata"]
        host: str | None = f"{metadata['name']}.{metadata['namespace']}.svc"
        if self._settings.kube_endpoint == "pod":
            host = (pod or {}).get("status", {}).get("podIP")
        token = None if published else self._token(metadata["name"], metadata["namespace"], metadata["uid"])
        if host is None or (token is None and not published):
            what = "address" if host is None else "token"
            return replace(
                seen, stage="starting", reason="NoEndpoint", message=f"The runner's {what} is not known yet."
            )
        return replace(seen, endpoint={"host": host, "port": objects.PORT, "token": token})

    def _token(self, name: str, namespace: str, uid: str) -> str | None:
        if uid not in self._tokens:
            try:
                secret = self._cluster.get(SECRETS, name, namespace)
            except NotThere:
                return None
            self._tokens[uid] = base64.b64decode((secret.get("data") or {}).get("env.AGUI_TOKEN", "")).decode()
        return self._tokens[uid]

    def launch(self, order: LaunchOrder) -> None:
        """Make the Job, suspended, what it owns, and let it run; what is there of it already is used."""
        session = order.session
        if not self._settings.runner_image:
            words = "The setting runner_image of sessions is empty; runtime job needs to know the runner's image."
            raise Waiting("NoRunnerImage", words, after=60.0)
        try:
            namespace = self._namespaces.ready(session["project_id"])
            plan = objects.Plan(order, namespace, self._settings, secrets.token_urlsafe(32))
            job = self._claim(plan)
            if job is not None:
                self._complete(plan, job)
        except Waiting as fault:
            raise self._namespaces.doubt(session["project_id"], fault) from fault

    def _claim(self, plan: objects.Plan) -> Object | None:
        """The Job of this start, to be completed; ``None`` when it runs already."""
        session = plan.order.session
        mine: Object | None = None
        for job in self._fresh(JOBS, plan.namespace, session_name(session["id"])):
            if start_of(job) > session["starts"]:
                raise Waiting("Superseded", f"A later start ({start_of(job)}) was asked for.", after=5.0)
            if job["metadata"].get("deletionTimestamp"):
                raise Waiting("Deleting", "A Job of the session is being deleted.", after=1.0)
            if start_of(job) == session["starts"]:
                mine = job
            elif is_over(job):
                self._delete(job)
            else:
                raise Waiting("EarlierStartEnding", "An earlier start of the session has not ended yet.", after=1.0)
        if mine is not None:
            return mine if is_half_made(mine) else None
        try:
            return self._cluster.create(JOBS, objects.job_of(plan))
        except AlreadyThere as fault:
            words = f"There is a Job {plan.namespace}/{plan.name} that is not ours; it is left alone."
            raise Waiting("NameTaken", words, after=60.0) from fault

    def _complete(self, plan: objects.Plan, job: Object) -> None:
        for resource, manifest in _PARTS:
            self._cluster.apply(resource, manifest(plan, job))
        change = {"metadata": {"uid": job["metadata"]["uid"]}, "spec": {"suspend": False}}
        self._jobs.of(plan.namespace).put(self._cluster.patch(JOBS, plan.name, plan.namespace, change))

    def terminate(self, target: Target, *, force: bool = False) -> None:
        """Delete what runs; it stays, marked, until its pod has gone. With ``force`` no kubelet's word is waited for."""
        namespace = self._place(target)
        if namespace is None or not self._namespaces.is_bound(namespace):
            return
        known, pods = self._look(namespace, target.session_id)
        if force:
            self._force(pods)
        if known and all(is_over(job) or job["metadata"].get("deletionTimestamp") for job in known):
            return
        for job in self._own(target):
            if not is_over(job) and not job["metadata"].get("deletionTimestamp"):
                self._delete(job)

    def _force(self, pods: Iterable[Object]) -> None:
        """Take pods away that do not end; on a node that is lost nobody else does."""
        for pod in pods:
            metadata = pod["metadata"]
            if metadata.get("deletionTimestamp") and not view_of(pod, objects.RUNNER).ended:
                only = Precondition(metadata["uid"])
                self._cluster.delete(PODS, metadata["name"], metadata["namespace"], only, Going(grace=0))

    def clean(self, target: Target) -> None:
        """Delete every Job of the session; what they own goes with them."""
        for job in self._own(target):
            if not job["metadata"].get("deletionTimestamp"):
                self._delete(job)

    def _own(self, target: Target) -> list[Object]:
        namespace = self._place(target)
        if namespace is None or not self._namespaces.is_bound(namespace):
            return []
        return self._fresh(JOBS, namespace, session_name(target.session_id))

    def _delete(self, job: Object) -> None:
        metadata = job["metadata"]
        only = Precondition(metadata["uid"])
        self._cluster.delete(JOBS, metadata["name"], metadata["namespace"], only, Going("Foreground"))
        self._tokens.pop(metadata["uid"], None)
        self._reasons.pop(metadata["uid"], None)

    def sessions(self) -> Iterable[Target]:
        """The sessions that have a Job, in all namespaces of projects; one list each, where no watch has it."""
        managed, _ = self._cluster.list(NAMESPACES, Scope(labels=f"{PREFIX}managed=true,{PROJECT}"))
        found: dict[str, Target] = {}
        followed = self._jobs.followed()
        in_use: set[str] = set()
        for namespace in (item["metadata"]["name"] for item in managed):
            informer = followed.get(namespace)
            if informer is not None and informer.trouble() is None:
                jobs = informer.all()
            elif self._namespaces.is_bound(namespace):
                jobs, _ = self._cluster.list(JOBS, Scope(namespace, _OURS))
            else:
                continue
            for job in jobs:
                in_use.add(namespace)
                session = _session_of(job)
                found[session] = Target(session, job["metadata"]["labels"].get(PROJECT))
        for followers in (self._jobs, self._pods):
            followers.keep(in_use)
        return list(found.values())

    def logs(self, target: Target, wanted: LogsWanted) -> Iterator[bytes]:
        """The log of the latest start's runner, as the kubelet keeps it."""
        namespace = self._place(target)
        pod = self._latest_pod(namespace, target) if namespace is not None else None
        if namespace is None or pod is None:
            return iter(())
        return log_of(self._cluster, namespace, pod["metadata"]["name"], objects.RUNNER, wanted)

    def happenings(self, target: Target) -> Sequence[Happening]:
        """Events of the latest start's Job and pod."""
        namespace = self._place(target)
        if namespace is None:
            return ()
        try:
            if not self._namespaces.is_bound(namespace):
                return ()
            jobs, pods = self._look(namespace, target.session_id)
        except Waiting:
            return ()
        names = [found["metadata"]["name"] for found in newest(jobs, pods) if found is not None]
        return happenings_of(self._cluster, namespace, names)

    def _latest_pod(self, namespace: str, target: Target) -> Object | None:
        if not self._namespaces.is_bound(namespace):
            return None
        name = session_name(target.session_id)
        return newest((), self._fresh(PODS, namespace, name))[1]

    def _changed(self, seen: Seen) -> None:
        self._wake(_session_of(seen.object))


def _label(found: Object) -> str:
    return str((found["metadata"].get("labels") or {}).get(objects.SESSION, ""))


def _session_of(found: Object) -> str:
    return str((found["metadata"].get("annotations") or {}).get(objects.SESSION) or _label(found))
