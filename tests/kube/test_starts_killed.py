"""The control plane, killed between any two requests of a start: the next one finishes it, with one set of objects (case 62)."""

import signal
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import wait_for
from tests.kube.testplane import Plane
from tests.kube.world import KubeWorld, gone, make_world

WRITES = {
    "operator": ["namespaces", "rolebindings", "projectsettings", "secrets", "networkpolicies", "agenticsessions"],
    "job": ["namespaces", "rolebindings", "jobs", "secrets", "serviceaccounts", "networkpolicies", "services", "jobs"],
}
"""What the first start of a project writes, in this order."""
CASES = [(runtime, n) for runtime, words in WRITES.items() for n in range(len(words))]
OBJECTS = ("agenticsessions", "jobs", "pods", "services", "serviceaccounts", "secrets")
ONE_OF_EACH = {
    # The operator's: an account, a token and a service for the pod.
    "operator": {"agenticsessions": 1, "pods": 1, "services": 1, "serviceaccounts": 1, "secrets": 1},
    "job": {"jobs": 1, "pods": 1, "services": 1, "serviceaccounts": 1, "secrets": 1},
}
US = {"agent": "ambient-control-plane", "verb": "create|apply|patch"}


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory, plane: Plane) -> Iterator[dict[str, KubeWorld]]:
    made: dict[str, KubeWorld] = {}
    for runtime in WRITES:
        world = make_world(runtime, tmp_path_factory.mktemp(runtime), plane)
        assert isinstance(world, KubeWorld)
        made[runtime] = world
    yield made
    for world in made.values():
        world.end()


@pytest.mark.parametrize(("runtime", "number"), CASES)
def test_a_start_that_was_cut_off_is_finished_once(worlds: dict[str, KubeWorld], runtime: str, number: int) -> None:
    world = worlds[runtime]
    world.new_project()
    session = world.session()
    begun = world.proxy.count(**US)
    # It is done, and nobody is told.
    held = world.proxy.hold(skip=number, answers=True, **US)
    with world.control_plane() as process:
        held.wait()
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    world.proxy.heal()
    asked = [
        call.resource for call in world.proxy.calls if call.agent == US["agent"] and call.verb in US["verb"].split("|")
    ]
    assert asked[begun:] == WRITES[runtime][: number + 1]
    with world.control_plane():
        row = world.until(session, "Running", "Failed", seconds=150)
        assert (row["phase"], row["starts"]) == ("Running", 1), row["conditions"]
        found = Counter(kind for kind in OBJECTS for item in world.objects(kind) if session in item["metadata"]["name"])
        assert dict(found) == ONE_OF_EACH[runtime]
        world.ask("DELETE", f"/sessions/{session}")
        gone(world, session)


def test_the_list_of_writes_is_whole(worlds: dict[str, KubeWorld]) -> None:
    for runtime, world in worlds.items():
        world.new_project()
        begun = world.proxy.count(**US)
        with world.control_plane():
            session = world.session()
            world.until(session, "Running", seconds=150)
            assert world.proxy.count(**US) - begun == len(WRITES[runtime])
            world.ask("DELETE", f"/sessions/{session}")
            gone(world, session)


def test_what_an_interrupted_deletion_leaves_is_cleaned(worlds: dict[str, KubeWorld]) -> None:
    for world in worlds.values():
        with world.control_plane():
            session = world.session()
            world.until(session, "Running", seconds=150)
        held = world.proxy.hold(agent="ambient-control-plane", verb="delete|patch", answers=True)
        world.ask("DELETE", f"/sessions/{session}")
        with world.control_plane() as process:
            held.wait()
            process.send_signal(signal.SIGKILL)
            process.wait(30)
        world.proxy.heal()
        with world.control_plane():
            gone(world, session)
            wait_for(lambda world=world, session=session: world.alive(session) == [], "the runner's end")
