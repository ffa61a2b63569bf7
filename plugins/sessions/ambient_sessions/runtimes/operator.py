"""Runtime ``operator``: an AgenticSession for each session; the operator that is there makes its pod."""

import base64
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ambient_sessions.cluster.client import Cluster, Object, Precondition, Scope
from ambient_sessions.cluster.faults import NotThere
from ambient_sessions.cluster.informer import Informer, Seen
from ambient_sessions.cluster.resources import (
    AGENTIC_SESSIONS,
    NETWORK_POLICIES,
    PODS,
    PROJECT_SETTINGS,
    SECRETS,
)
from ambient_sessions.runtimes import Happening, LaunchOrder, LogsWanted, Observed, Target, Waiting
from ambient_sessions.runtimes.custom_resource import (
    has_ended,
    is_of_an_earlier_start,
    is_ours,
    manifest,
    observed_of,
    session_of,
    start_of,
    stop_change,
    stop_is_asked,
)
from ambient_sessions.runtimes.followers import Followers
from ambient_sessions.runtimes.names import namespace_of, session_name
from ambient_sessions.runtimes.namespaces import PREFIX, PROJECT, Namespaces, gateway_policy, make
from ambient_sessions.runtimes.pod import NO_POD, PodView, view_of
from ambient_sessions.runtimes.pod_log import happenings_of, log_of
from ambient_sessions.settings import SessionsSettings

log = logging.getLogger(__name__)
RUNNER = "ambient-code-runner"
PORT = 8001
_RUNNER_PODS = {"app": RUNNER}
_LOOK_AGAIN = 10.0
_MOVING = ("preparing", "starting", "stopping")
_UNMADE = PodView("preparing", NO_POD, "There is no pod of the session now; the operator will make one.")


class OperatorRuntime:
    """Runs sessions by AgenticSessions.

    Args:
        settings: of the sessions plugin.
        cluster: that the sessions run in.
    """

    name = "operator"

    def __init__(self, settings: SessionsSettings, cluster: Cluster | None = None) -> None:
        self._settings = settings
        self._cluster = cluster or Cluster(settings)
        self._namespaces = Namespaces(self._cluster, settings, self._furnish)
        self._wake: Callable[[str], None] = lambda _session: None
        self._sessions = Informer(self._cluster, AGENTIC_SESSIONS, Scope(), self._changed, _session, self._met)
        self._pods = Followers(self._cluster, PODS, f"app={RUNNER}", self._pod_changed, _session_name)
        self._tokens: dict[str, tuple[str, int, str]] = {}
        self._looked: dict[str, float] = {}

    def start(self, wake: Callable[[str], None]) -> None:
        """Follow the AgenticSessions of the whole cluster; those that are not ours are passed by."""
        self._wake = wake
        self._sessions.start()

    def stop(self) -> None:
        """End the watches."""
        self._sessions.stop()
        self._pods.stop()

    def observe(self, target: Target) -> Observed:
        """What the AgenticSession and its pod say."""
        try:
            return self._observe(target)
        except Waiting as fault:
            return Observed(stage="unknown", reason=fault.reason, message=fault.message)

    def _observe(self, target: Target) -> Observed:
        self._sessions.check()
        found = self._look(target)
        if found is None:
            return Observed(reason="NoCustomResource", message="There is no AgenticSession of this session.")
        if not is_ours(found, target.session_id):
            return Observed(reason="NameTaken", message=_taken(found))
        pod = self._pod(found)
        seen = observed_of(found, pod)
        return self._with_endpoint(seen, found, pod, target.published) if seen.stage == "ready" else seen

    def _look(self, target: Target) -> Object | None:
        """The AgenticSession as the watch has it; asked for anew when it should have moved by now: a watch may be half open."""
        namespace, name = self._place(target)
        seen = self._sessions.find(namespace, name) if namespace is not None else None
        if namespace is None or seen is None:
            return None
        found, recent = seen.object, time.monotonic() - seen.at < _LOOK_AGAIN
        if recent or has_ended(found) or observed_of(found, None).stage not in _MOVING:
            return found
        return self._fresh(namespace, name)

    def _fresh(self, namespace: str, name: str) -> Object | None:
        found = self._cluster.find(AGENTIC_SESSIONS, name, namespace)
        if found is None:
            self._sessions.drop(namespace, name)
        else:
            self._sessions.put(found)
        return found

    def _place(self, target: Target) -> tuple[str | None, str]:
        name = session_name(target.session_id)
        if target.project_id is not None:
            return namespace_of(target.project_id), name
        known = (o for o in self._sessions.all() if is_ours(o, target.session_id))
        return next((o["metadata"]["namespace"] for o in known), None), name

    def _pod(self, found: Object) -> PodView | None:
        """What the pod says; ``None`` when there is none, or pods cannot be seen there."""
        if has_ended(found) and not is_of_an_earlier_start(found):
            return None
        namespace = found["metadata"]["namespace"]
        informer = self._pods.of(namespace)
        if informer.trouble() is not None:
            return None
        seen = informer.find(namespace, _pod_name(found))
        pod = seen.object if seen is not None else None
        view = view_of(pod, RUNNER) if pod is not None else _UNMADE
        if self._is_doubtful(view, found):
            pod = self._cluster.find(PODS, _pod_name(found), namespace)
            if pod is not None:
                informer.put(pod)
                view = view_of(pod, RUNNER)
        if pod is None or pod["metadata"].get("deletionTimestamp") or not _owned(pod, found):
            return _UNMADE
        return view

    def _is_doubtful(self, view: PodView, found: Object) -> bool:
        """Whether a pod has to be asked for: what the watch shows may be the one before, or a watch may be half open."""
        uid, now, stage = found["metadata"]["uid"], time.monotonic(), view.stage
        if stage not in _MOVING:
            self._looked.pop(uid, None)
            return stage in ("exited", "lost")
        if now - self._looked.setdefault(uid, now) < _LOOK_AGAIN:
            return False
        self._looked[uid] = now
        return True

    def _with_endpoint(self, seen: Observed, found: Object, pod: PodView | None, published: bool) -> Observed:
        metadata = found["metadata"]
        host: str | None = f"session-{metadata['name']}.{metadata['namespace']}.svc"
        if self._settings.kube_endpoint == "pod":
            host = pod.address if pod is not None else None
        token = None if published else self._token(found)
        if host is None or (token is None and not published):
            what = "address" if host is None else "token"
            return replace(
                seen, stage="starting", reason="NoEndpoint", message=f"The runner's {what} is not known yet."
            )
        return replace(seen, endpoint={"host": host, "port": PORT, "token": token})

    def _token(self, found: Object) -> str | None:
        """What the runner wants to see; the operator makes another for each start."""
        metadata = found["metadata"]
        name, uid, start = metadata["name"], metadata["uid"], start_of(found)
        known = self._tokens.get(f"{metadata['namespace']}/{name}")
        if known is not None and known[:2] == (uid, start):
            return known[2]
        try:
            secret = self._cluster.get(SECRETS, f"ambient-runner-token-{name}", metadata["namespace"])
        except NotThere:
            return None
        token = base64.b64decode((secret.get("data") or {}).get("agui-token", "")).decode()
        self._tokens[f"{metadata['namespace']}/{name}"] = (uid, start, token)
        return token

    def launch(self, order: LaunchOrder) -> None:
        """Make or change the AgenticSession so that the operator starts it, in one request."""
        session, project = order.session, order.session["project_id"]
        try:
            namespace = self._namespaces.ready(project)
            before = self._fresh(namespace, session_name(session["id"]))
            if before is not None and not self._is_to_be_asked(before, session["id"], session["starts"]):
                return
            wanted = manifest(order, namespace, before, datetime.now(UTC))
            self._sessions.put(self._cluster.apply(AGENTIC_SESSIONS, wanted))
        except Waiting as fault:
            raise self._namespaces.doubt(project, fault) from fault

    def _is_to_be_asked(self, before: Object, session_id: str, starts: int) -> bool:
        if not is_ours(before, session_id):
            raise Waiting("NameTaken", _taken(before), after=60.0)
        if before["metadata"].get("deletionTimestamp"):
            raise Waiting("Deleting", "The AgenticSession is being deleted.", after=1.0)
        if start_of(before) > starts:
            raise Waiting("Superseded", f"A later start ({start_of(before)}) was asked for.", after=5.0)
        if start_of(before) == starts:
            return observed_of(before, None).reason == "StartLost"
        if not has_ended(before):
            raise Waiting("EarlierStartEnding", "An earlier start of the session has not ended yet.", after=1.0)
        return True

    def terminate(self, target: Target, *, force: bool = False) -> None:
        """Ask the operator to stop it; with ``force`` delete it, and its pod goes with it."""
        known = self._look(target)
        if known is not None and stop_is_asked(known) and not force:
            return
        found = self._own(target)
        if found is None or not self._lives(found):
            return
        # What says that it has ended already hears no stop.
        if force or has_ended(found):
            self._delete(found)
        elif not stop_is_asked(found):
            name, namespace = found["metadata"]["name"], found["metadata"]["namespace"]
            change = stop_change(found, datetime.now(UTC))
            self._sessions.put(self._cluster.patch(AGENTIC_SESSIONS, name, namespace, change))

    def _lives(self, found: Object) -> bool:
        """Whether something of it runs, or will, whatever its status says."""
        return not has_ended(found) or observed_of(found, self._pod(found)).alive

    def clean(self, target: Target) -> None:
        """Delete the AgenticSession; what the operator made goes with it."""
        found = self._own(target)
        if found is not None and not found["metadata"].get("deletionTimestamp"):
            self._delete(found)

    def _own(self, target: Target) -> Object | None:
        """The AgenticSession as it is now, if it is this session's."""
        namespace, name = self._place(target)
        found = self._fresh(namespace, name) if namespace is not None else None
        return found if found is not None and is_ours(found, target.session_id) else None

    def _delete(self, found: Object) -> None:
        metadata = found["metadata"]
        only = Precondition(metadata["uid"])
        self._cluster.delete(AGENTIC_SESSIONS, metadata["name"], metadata["namespace"], only)
        self._tokens.pop(f"{metadata['namespace']}/{metadata['name']}", None)
        self._looked.pop(metadata["uid"], None)

    def sessions(self) -> Iterable[Target]:
        """The sessions whose AgenticSession is there and ours."""
        self._sessions.check()
        ours = [found for found in self._sessions.all() if is_ours(found, session_of(found))]
        self._pods.keep({found["metadata"]["namespace"] for found in ours})
        return [Target(session_of(found), found["metadata"]["labels"].get(PROJECT)) for found in ours]

    def logs(self, target: Target, wanted: LogsWanted) -> Iterator[bytes]:
        """The log of the runner's container, as the kubelet keeps it."""
        namespace, name = self._place(target)
        return iter(()) if namespace is None else log_of(self._cluster, namespace, f"{name}-runner", RUNNER, wanted)

    def happenings(self, target: Target) -> Sequence[Happening]:
        """Events of the AgenticSession and of its pod."""
        namespace, name = self._place(target)
        return () if namespace is None else happenings_of(self._cluster, namespace, (name, f"{name}-runner"))

    def _furnish(self, namespace: str) -> None:
        """What the operator needs in a project's namespace, unless it is there; and the way in for our gateway."""
        make(
            self._cluster,
            PROJECT_SETTINGS,
            {"metadata": {"name": "projectsettings", "namespace": namespace}, "spec": {"groupAccess": []}},
        )
        secret = {
            "metadata": {
                "name": "ambient-runner-secrets",
                "namespace": namespace,
                "labels": {"app": "ambient-runner-secrets"},
                "annotations": {f"{PREFIX}runner-secret": "true"},
            },
            "type": "Opaque",
            "stringData": {"ANTHROPIC_API_KEY": self._settings.anthropic_api_key},
        }
        make(self._cluster, SECRETS, secret)
        # The operator's own policy lets only the legacy backend in; policies add up.
        policy = gateway_policy(namespace, "ambient-gateway-to-runners", _RUNNER_PODS, self._settings)
        make(self._cluster, NETWORK_POLICIES, policy)

    def _changed(self, seen: Seen) -> None:
        if seen.group:
            self._wake(seen.group)

    def _met(self, found: Object) -> None:
        """Have the pods of a namespace listed while the AgenticSessions still are."""
        if _session(found) and not has_ended(found):
            self._pods.of(found["metadata"]["namespace"])

    def _pod_changed(self, pod: Seen) -> None:
        seen = self._sessions.find(pod.key[0], pod.group)
        if seen is not None:
            self._changed(seen)


def _session(found: Object) -> str:
    """The id of the session that an AgenticSession is for; empty when it is not ours."""
    session = session_of(found)
    return session if is_ours(found, session) else ""


def _session_name(pod: Object) -> str:
    """The name of the AgenticSession that a pod is of."""
    return str((pod["metadata"].get("labels") or {}).get("agentic-session", ""))


def _pod_name(found: Object) -> str:
    return f"{found['metadata']['name']}-runner"


def _owned(pod: Object, found: Object) -> bool:
    owners = {owner.get("uid") for owner in pod["metadata"].get("ownerReferences") or []}
    return not owners or found["metadata"]["uid"] in owners


def _taken(found: Object) -> str:
    metadata = found["metadata"]
    return f"The AgenticSession {metadata['namespace']}/{metadata['name']} is somebody else's; it is left alone."
