"""What a cluster does to sessions (cases 63 and 64): each ends in waiting with a reason, or in its true end; nothing runs hot."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.conftest import wait_for
from tests.faults.pair import HAND_OVER, Pair
from tests.kube import containers, kubelet, operatorstatus, podstatus, podworker
from tests.kube.test_starts_killed import OBJECTS, ONE_OF_EACH
from tests.kube.testplane import Plane
from tests.kube.world import KubeWorld, gone, make_world

STUCK_SECONDS = 15.0
RESOURCE = {"operator": "agenticsessions", "job": "jobs"}
RUNTIMES = ["operator", "job"]


@pytest.fixture(scope="module", params=RUNTIMES)
def whole(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, plane: Plane
) -> Iterator[KubeWorld]:
    made = make_world(request.param, tmp_path_factory.mktemp(request.param), plane)
    assert isinstance(made, KubeWorld)
    yield made
    made.end()


@pytest.fixture
def world(whole: KubeWorld) -> Iterator[KubeWorld]:
    whole.steady()
    home = whole.project
    yield whole
    whole.proxy.heal()
    # A project that a test has spoilt is of no use to the next one.
    whole.project = home


def reason_comes(world: KubeWorld, session: str, *reasons: str) -> dict[str, Any]:
    """Wait until one of the session's conditions has one of these reasons."""

    def found() -> dict[str, Any] | None:
        row = world.row(session)
        return row if {c.get("reason") for c in row.get("conditions") or []} & set(reasons) else None

    return dict(wait_for(found, f"{session} {reasons}, and not {world.row(session).get('conditions')}"))


def is_cool(world: KubeWorld) -> None:
    """Less than one request a second, watches apart, for the one session that is stuck."""
    begun, at = len(world.proxy.calls), time.monotonic()
    wait_for(lambda: time.monotonic() - at >= STUCK_SECONDS, "some seconds")
    asked = [
        str(call)
        for call in world.proxy.calls[begun:]
        if call.agent == "ambient-control-plane" and call.verb != "watch" and call.namespace in ("", world.project)
    ]
    assert len(asked) < STUCK_SECONDS, asked


def ends(world: KubeWorld, session: str) -> None:
    world.ask("DELETE", f"/sessions/{session}")
    gone(world, session)


@pytest.mark.parametrize(("status", "reason"), [(500, "ServerError"), (503, "ServerError"), (429, "TooManyRequests")])
def test_refusals_are_waited_out(world: KubeWorld, status: int, reason: str) -> None:
    world.new_project()
    rule = world.proxy.answer(status, retry_after=2, agent="ambient-control-plane", verb="create|apply|patch")
    session = world.session()
    row = reason_comes(world, session, reason)
    assert row["phase"] in ("Pending", "Creating")
    is_cool(world)
    rule.remove()
    world.until(session, "Running", seconds=150)
    ends(world, session)


def test_a_conflict_is_tried_again(world: KubeWorld) -> None:
    rule = world.proxy.answer(409, times=2, agent="ambient-control-plane", verb="create|apply|patch")
    session = world.session()
    world.until(session, "Running", seconds=150)
    assert rule.hit == 2
    ends(world, session)


def test_watches_that_have_expired_are_begun_again(world: KubeWorld) -> None:
    with world.running() as session:
        assert world.proxy.expire_watches(agent="ambient-control-plane") > 0
        world.crash(session)
        assert world.until(session, "Failed")["phase"] == "Failed"


def test_half_open_watches_hide_nothing_for_long(world: KubeWorld) -> None:
    world.proxy.freeze(agent="ambient-control-plane")
    session = world.session()
    world.until(session, "Running", seconds=150)
    world.proxy.thaw()
    ends(world, session)


def test_an_api_server_that_is_away_changes_no_phase(world: KubeWorld) -> None:
    with world.running() as session:
        world.proxy.away()
        world.ask("POST", f"/sessions/{session}/stop")
        row = reason_comes(world, session, "Unreachable")
        assert row["phase"] == "Stopping"
        world.proxy.back()
        world.until(session, "Stopped")


def test_a_control_plane_that_starts_while_the_api_server_is_away_sees_to_its_rows(world: KubeWorld) -> None:
    with world.running() as session:
        world.rest()
        world.proxy.away()
        world.ask("POST", f"/sessions/{session}/stop")
        world.steady()
        assert reason_comes(world, session, "Unreachable", "NotListed")["phase"] == "Stopping"
        world.proxy.back()
        world.until(session, "Stopped", seconds=150)


def test_a_token_that_has_expired_is_read_anew(world: KubeWorld) -> None:
    rule = world.proxy.answer(401, times=1, agent="ambient-control-plane", verb="create|apply")
    session = world.session()
    world.until(session, "Running", seconds=150)
    assert rule.hit == 1
    ends(world, session)


def test_a_namespace_that_is_somebody_else_s_is_refused(world: KubeWorld) -> None:
    world.new_project()
    world.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.project}})
    session = world.session()
    reason_comes(world, session, "NamespaceNotOurs")
    is_cool(world)
    labels = world.cluster.get("namespaces", world.project)["metadata"]["labels"]
    assert not [label for label in labels if "ambient" in label]
    world.ask("POST", f"/sessions/{session}/stop")
    world.until(session, "Stopped")


def test_a_namespace_that_is_there_and_labelled_is_taken_over(world: KubeWorld) -> None:
    world.new_project()
    labels = {"ambient-code.io/managed": "true", "team": "a"}
    world.cluster.create(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.project, "labels": labels}}
    )
    with world.running() as session:
        found = world.cluster.get("namespaces", world.project)["metadata"]["labels"]
        assert (found["ambient-code.io/project-id"], found["team"]) == (world.project, "a")
    gone(world, session)


def test_a_namespace_that_is_ending_is_waited_for(world: KubeWorld) -> None:
    world.new_project()
    keep = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "keep", "namespace": world.project}}
    keep["metadata"]["finalizers"] = ["ambient.test/keep"]  # type: ignore[index]
    metadata = {"name": world.project, "labels": {"ambient-code.io/managed": "true"}}
    world.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    world.cluster.create(keep)
    world.cluster.delete("namespaces", world.project)
    session = world.session()
    reason_comes(world, session, "NamespaceTerminating")
    is_cool(world)
    world.cluster.patch("configmaps", "keep", world.project, {"metadata": {"finalizers": None}})
    world.until(session, "Running", seconds=150)
    ends(world, session)


def test_a_quota_is_waited_for_and_named(world: KubeWorld) -> None:
    world.new_project()
    with world.running() as session:
        pass
    gone(world, session)
    quota = {"metadata": {"name": "none", "namespace": world.project}, "spec": {"hard": {"pods": "0"}}}
    world.cluster.create({"apiVersion": "v1", "kind": "ResourceQuota", **quota})
    # No controller counts quotas here; admission goes by the status.
    told = {"status": {"hard": {"pods": "0"}, "used": {"pods": "0"}}}
    world.cluster.patch("resourcequotas", "none", world.project, told, "status")
    session = world.session()
    assert "exceeded quota: none" in world.message(reason_comes(world, session, "QuotaExceeded"))
    assert world.reason(world.row(session)) == "QuotaExceeded"
    assert "exceeded quota: none" in world.ask("GET", f"/sessions/{session}/explain").json()["text"]
    is_cool(world)
    world.ask("POST", f"/sessions/{session}/stop")
    world.until(session, "Stopped")
    world.cluster.delete("resourcequotas", "none", world.project)


def test_a_limit_of_the_project_that_refuses_a_pod_is_named(world: KubeWorld) -> None:
    world.new_project()
    with world.running() as session:
        pass
    gone(world, session)
    limits = {"limits": [{"type": "Container", "min": {"cpu": "64"}}]}
    metadata = {"name": "large", "namespace": world.project}
    world.cluster.create({"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": limits})
    session = world.session()
    row = reason_comes(world, session, "CreateFailed", "FailedCreate")
    assert "minimum cpu usage per Container is 64" in world.message(row)
    world.ask("POST", f"/sessions/{session}/stop")
    assert world.reason(world.until(session, "Stopped")) == "UserStopped"


def objects_of(world: KubeWorld, session: str) -> list[str]:
    found = world.objects(RESOURCE[world.runtime])
    return [item["metadata"]["name"] for item in found if session in item["metadata"]["name"]]


def delete_by_hand(world: KubeWorld, session: str) -> None:
    for name in objects_of(world, session):
        world.cluster.delete(RESOURCE[world.runtime], name, world.project)
    wait_for(lambda: objects_of(world, session) == [], "the object's end")


def test_what_was_deleted_by_hand_is_reported_and_not_made_again(world: KubeWorld) -> None:
    with world.running() as session:
        delete_by_hand(world, session)
        row = world.until(session, "Failed", "Completed", "Stopped")
        assert (row["phase"], world.reason(row), row["starts"]) == ("Failed", "RunnerLost", 1)
        is_cool(world)
        assert objects_of(world, session) == []
        # Who wants it again starts it.
        world.ask("POST", f"/sessions/{session}/start")
        assert world.until(session, "Running", seconds=150)["starts"] == 2
        world.ask("POST", f"/sessions/{session}/stop")
        world.until(session, "Stopped")
        delete_by_hand(world, session)
        is_cool(world)
        assert (objects_of(world, session), world.row(session)["phase"]) == ([], "Stopped")


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_cluster_whose_clocks_are_wrong_starts_and_ends_sessions_all_the_same(
    world: KubeWorld, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    def wrong() -> str:
        return (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")

    for module in (containers, kubelet, operatorstatus, podstatus, podworker):
        monkeypatch.setattr(module, "now", wrong)
    with world.running() as session:
        world.ask("POST", f"/sessions/{session}/stop")
        assert world.reason(world.until(session, "Stopped", "Failed")) == "UserStopped"
        world.ask("POST", f"/sessions/{session}/start")
        assert world.until(session, "Running", "Failed")["phase"] == "Running"
        world.crash(session)
        assert world.reason(world.until(session, "Failed")) == "RunnerExit"
    gone(world, session)


def told_of(world: KubeWorld, session: str) -> dict[str, str]:
    """The events of its pod that a session's explanation tells: reason and message."""
    told = world.ask("GET", f"/sessions/{session}/explain").json().get("happenings", [])
    return {h["reason"]: h["message"] for h in told if h["source"].startswith("pod ")}


ENDS: dict[str, tuple[Callable[[KubeWorld, str], None], str]] = {
    "killed for its memory": (lambda world, pod: world.kubelet.kill(pod, world.project, "OOMKilled"), "OOMKilled"),
    "evicted": (lambda world, pod: world.kubelet.evict(pod, world.project), "Evicted"),
    "on a lost node": (lambda world, pod: world.kubelet.lose_node(pod, world.project), "NodeLost"),
}


@pytest.mark.parametrize("case", ENDS)
def test_a_pod_s_end_is_told_with_its_cause(world: KubeWorld, case: str) -> None:
    fate, reason = ENDS[case]
    session = world.session()
    world.until(session, "Running", seconds=150)
    pod = world.pod(session)["metadata"]["name"]
    fate(world, pod)
    row = world.until(session, "Failed", "Stopped", "Completed", seconds=90)
    assert (row["phase"], world.reason(row)) == ("Failed", reason)
    # What is left of a Job's pod is taken away by ourselves; the operator leaves that to Kubernetes.
    if case == "on a lost node" and world.runtime == "operator":
        world.kubelet.collect(pod, world.project)
    ends(world, session)


def test_of_two_control_planes_the_stopped_one_makes_and_writes_nothing_more(world: KubeWorld) -> None:  # case 65
    world.rest()
    world.new_project()
    with Pair(world) as pair:
        fence, stopped = pair.leader()
        # Its last write is on its way when it is stopped, and comes late.
        held = world.proxy.hold(agent="ambient-control-plane", verb="create|apply", resource=RESOURCE[world.runtime])
        session = world.session()
        held.wait()
        stopped.send_signal(signal.SIGSTOP)
        at = time.monotonic()
        newer, _ = pair.leader(after=fence)
        assert time.monotonic() - at < HAND_OVER
        world.proxy.heal()
        stopped.send_signal(signal.SIGCONT)
        row = world.until(session, "Running", "Failed", seconds=150)
        assert (row["phase"], row["starts"], pair.status_by(fence), pair.status_by(newer)) == ("Running", 1, 409, 200)
        found = Counter(kind for kind in OBJECTS for item in world.objects(kind) if session in item["metadata"]["name"])
        assert dict(found) == ONE_OF_EACH[world.runtime]
        assert (pair.leader()[0], stopped.poll()) == (newer, None)
        ends(world, session)


@pytest.mark.parametrize("reason", ["Unschedulable", "CreateContainerConfigError", "ImagePullBackOff"])
def test_a_pod_that_cannot_start_says_why_and_can_be_stopped(world: KubeWorld, reason: str) -> None:
    failure = world.kubelet.fail(reason, namespace=world.project)
    session = world.session()
    row = reason_comes(world, session, reason, "ErrImagePull")
    event = "FailedScheduling" if reason == "Unschedulable" else "Failed"
    wait_for(lambda: event in told_of(world, session), f"an event {event} of the pod in the explanation")
    if row["phase"] != "Failed":
        is_cool(world)
        world.ask("POST", f"/sessions/{session}/stop")
    world.until(session, "Stopped", "Failed")
    failure.remove()
    ends(world, session)
