"""A real Kubernetes for tests: API server, kubelet, operator, and a wire that breaks on request.

Every test below this folder is marked ``slow`` and ``kube`` and runs in one of two xdist groups, since each process that
runs such tests has a control plane of its own (550 MB). The groups take about as long as each other. Fixtures:

``plane``             the control plane (whole session): ``.server``, ``.ca``, ``.kubeconfig(token=, server=)``,
                      ``.cluster(token)``
``cluster``           the administrator's client (client.py): ``get``, ``find``, ``list``, ``create``, ``apply``,
                      ``patch``, ``annotate``, ``delete``, ``watch``, ``create_token``, ``act_as``, ``log``
``project_name``      a fresh name for a project; its namespace, whoever makes it, is deleted afterwards
``project_namespace`` a fresh namespace that the operator takes care of (labelled as managed)
``fault_proxy``       a proxy before the API server (faultproxy.py): give clients ``plane.kubeconfig(server=
                      fault_proxy.server)``; then ``answer(429, retry_after=2, verb="patch")``, ``lose_answer``,
                      ``hold``, ``freeze``, ``expire_watches``, ``cut``, ``away``, ``back``; ``count``, ``tally``
``kubelet``           a node that runs every pod as real processes (kubelet.py), for one test: ``image(pattern, command)``,
                      ``fail(reason, image=, pod=)``, ``kill``, ``evict``, ``lose_node``, ``collect``, ``log_file``
``pods``              pods in ``project_namespace`` on that node: ``make``, ``status``, ``until``, ``events``, ``log`` (pods.py)
``operator``          a double of the platform's operator (operator.py), with ``kubelet``'s images for its pods: ``away()``,
                      ``slow(seconds)``, ``repeat(name, namespace, phase)`` writes an old status late
                      (Benchmarks take ``Kubelet(cluster, folder, plane.certificate, quick=True)``: no processes, and
                      ``Plane(folder).start()`` and ``Operator(cluster).start()`` work without pytest as well.)
``wait_for``          ``wait_for(condition, what, seconds=30)``: polls until the condition holds, answers its value
"""

import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import wait_for as _wait_for
from tests.kube.client import Cluster
from tests.kube.faultproxy import FaultProxy
from tests.kube.kubelet import Kubelet
from tests.kube.operator import Operator
from tests.kube.pods import Pods
from tests.kube.testplane import Plane

MANAGED = {"ambient-code.io/managed": "true"}
_HERE = Path(__file__).parent
_LIVES = ("test_conformance", "test_starts_killed")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies below this folder."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.kube)
            if item.get_closest_marker("timeout") is None:
                # After an outage the back-off of all who share the world has to pass first.
                item.add_marker(pytest.mark.timeout(420))
            if item.get_closest_marker("xdist_group") is None:
                item.add_marker(pytest.mark.xdist_group("lives" if item.path.stem in _LIVES else "kube"))


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """The control plane of this test process."""
    started = Plane(tmp_path_factory.mktemp("plane")).start()
    yield started
    assert started.stop() == 0


@pytest.fixture(scope="session")
def cluster(plane: Plane) -> Iterator[Cluster]:
    """The administrator."""
    client = plane.cluster()
    yield client
    client.close()


@pytest.fixture
def project_name(cluster: Cluster) -> Iterator[str]:
    """A name that nobody has used."""
    name = f"p{secrets.token_hex(4)}"
    yield name
    cluster.delete("namespaces", name)


@pytest.fixture
def project_namespace(cluster: Cluster, project_name: str, wait_for: Callable[..., Any]) -> str:
    """A namespace of the platform's, with the service account that every pod needs."""
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": project_name, "labels": MANAGED}})
    wait_for(lambda: cluster.find("serviceaccounts", "default", project_name), "the default service account")
    return project_name


@pytest.fixture
def fault_proxy(plane: Plane) -> Iterator[FaultProxy]:
    """A wire to break."""
    proxy = FaultProxy(plane.server, plane.ca, plane.certificate).start()
    yield proxy
    proxy.stop()


@pytest.fixture
def kubelet(plane: Plane, cluster: Cluster, tmp_path: Path) -> Iterator[Kubelet]:
    """A node for the pods of one test."""
    with Kubelet(cluster, tmp_path / "kubelet", plane.certificate) as started:
        yield started


@pytest.fixture
def operator(plane: Plane, kubelet: Kubelet) -> Iterator[Operator]:
    """The platform's operator, for one test."""
    client = plane.cluster()
    kubelet.image("state-sync:*", [sys.executable, "-P", str(_HERE / "statesync.py")])
    started = Operator(client).start()
    yield started
    started.stop()
    client.close()


@pytest.fixture
def pods(cluster: Cluster, project_namespace: str, kubelet: Kubelet, wait_for: Callable[..., Any]) -> Pods:
    """Pods of one namespace, on the test's node."""
    return Pods(cluster, project_namespace, wait_for)


@pytest.fixture
def wait_for() -> Callable[..., Any]:
    """Polls until something holds."""
    return _wait_for
