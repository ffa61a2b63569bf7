"""The proxy breaks what it is told to break, and nothing else."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import urllib3

from tests.kube.client import Cluster, Refused
from tests.kube.faultproxy import FaultProxy
from tests.kube.testplane import Plane

BROKEN = urllib3.exceptions.HTTPError


@pytest.fixture
def through(plane: Plane, fault_proxy: FaultProxy) -> Iterator[Cluster]:
    """The administrator, by way of the proxy."""
    client = plane.cluster(server=fault_proxy.server)
    client.list("namespaces")
    yield client
    client.close()


class Watcher:
    """Follows the config maps of a namespace from a thread, and keeps what it sees."""

    def __init__(self, client: Cluster, namespace: str) -> None:
        self.seen: list[tuple[str, Any]] = []
        self.begun = threading.Event()
        self.thread = threading.Thread(target=self._follow, args=(client, namespace))
        self.thread.start()

    def _follow(self, client: Cluster, namespace: str) -> None:
        try:
            for kind, thing in client.watch("configmaps", namespace):
                self.seen.append((kind, thing.get("metadata", {}).get("name") or thing.get("code")))
        except BROKEN:
            self.seen.append(("BROKEN", None))


def config_map(namespace: str, name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}}


def test_calls_pass_and_are_counted(through: Cluster, fault_proxy: FaultProxy, project_namespace: str) -> None:
    through.create(config_map(project_namespace, "c"))
    through.apply(config_map(project_namespace, "c"))
    through.find("configmaps", "absent", project_namespace)
    tally = fault_proxy.tally()
    assert [tally[call] for call in (("create", "configmaps"), ("apply", "configmaps"), ("list", "pods"))] == [1, 1, 0]
    assert fault_proxy.count(verb="get|list", resource="configmaps", namespace=project_namespace) == 1
    assert fault_proxy.calls[-1].status == 404


def test_it_answers_as_often_as_it_is_told(through: Cluster, fault_proxy: FaultProxy) -> None:
    rule = fault_proxy.answer(429, times=2, retry_after=3, verb="list", resource="namespaces")
    for _ in range(2):
        with pytest.raises(Refused) as refusal:
            through.list("namespaces")
        assert (refusal.value.status, refusal.value.reason) == (429, "TooManyRequests")
    assert through.list("namespaces")
    assert rule.hit == 2


def test_a_lost_request_is_not_done_and_a_lost_answer_is(
    through: Cluster, fault_proxy: FaultProxy, cluster: Cluster, project_namespace: str
) -> None:
    fault_proxy.lose_request(times=1, verb="create")
    fault_proxy.lose_answer(times=1, verb="create")
    for name in ("unheard", "heard"):
        with pytest.raises(BROKEN):
            through.create(config_map(project_namespace, name))
    assert cluster.find("configmaps", "unheard", project_namespace) is None
    assert cluster.find("configmaps", "heard", project_namespace) is not None


def test_a_held_call_waits_for_the_tests_word(
    through: Cluster, fault_proxy: FaultProxy, cluster: Cluster, project_namespace: str
) -> None:
    hold = fault_proxy.hold(verb="create", resource="configmaps")
    writer = threading.Thread(target=through.create, args=(config_map(project_namespace, "held"),))
    writer.start()
    hold.wait()
    assert cluster.find("configmaps", "held", project_namespace) is None
    hold.release()
    writer.join(30)
    assert cluster.find("configmaps", "held", project_namespace) is not None


def test_a_frozen_watch_is_silent_until_it_thaws(
    through: Cluster, fault_proxy: FaultProxy, cluster: Cluster, project_namespace: str, wait_for: Callable
) -> None:
    watcher = Watcher(through, project_namespace)
    wait_for(lambda: ("ADDED", "kube-root-ca.crt") in watcher.seen, "the first event")
    fault_proxy.freeze(resource="configmaps")
    cluster.create(config_map(project_namespace, "late"))
    beside = cluster.watch("configmaps", project_namespace)
    assert any(thing["metadata"]["name"] == "late" for _, thing in beside)
    beside.stop()
    assert ("ADDED", "late") not in watcher.seen
    fault_proxy.thaw()
    wait_for(lambda: ("ADDED", "late") in watcher.seen, "the late event")
    fault_proxy.cut()
    watcher.thread.join(30)
    assert watcher.seen[-1] == ("BROKEN", None)


def test_an_expired_watch_says_410_and_ends(
    through: Cluster, fault_proxy: FaultProxy, project_namespace: str, wait_for: Callable
) -> None:
    watcher = Watcher(through, project_namespace)
    wait_for(lambda: watcher.seen, "the first event")
    assert fault_proxy.expire_watches(resource="configmaps") == 1
    watcher.thread.join(30)
    assert watcher.seen[-1] == ("ERROR", 410)


def test_an_api_server_that_is_away_refuses_connections_until_it_is_back(
    through: Cluster, fault_proxy: FaultProxy
) -> None:
    fault_proxy.away()
    with pytest.raises(BROKEN):
        through.list("namespaces")
    fault_proxy.back()
    assert through.list("namespaces")
