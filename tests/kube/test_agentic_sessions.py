"""Runtime `operator`: what is ours of an AgenticSession, what is other people's, and which start its news are of."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import wait_for
from tests.kube.operator import MANAGED, VERSION
from tests.kube.testplane import Plane
from tests.kube.world import KubeWorld, gone, make_world

US = "ambient-control-plane"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, plane: Plane) -> Iterator[KubeWorld]:
    made = make_world("operator", tmp_path_factory.mktemp("operator"), plane)
    assert isinstance(made, KubeWorld)
    made.steady()
    yield made
    made.end()


def resource(world: KubeWorld, session: str) -> dict[str, Any]:
    return world.cluster.get("agenticsessions", session.lower(), world.project)


def restart(world: KubeWorld, session: str) -> dict[str, Any]:
    world.ask("POST", f"/sessions/{session}/stop")
    world.until(session, "Stopped")
    world.ask("POST", f"/sessions/{session}/start")
    return world.until(session, "Running", "Failed")


def owned(found: dict[str, Any], manager: str) -> set[str]:
    """Names of the fields of a specification that somebody has applied."""
    entries = [e for e in found["metadata"]["managedFields"] if e["manager"] == manager and e["operation"] == "Apply"]
    return {name.removeprefix("f:") for entry in entries for name in entry["fieldsV1"].get("f:spec", {})}


def test_what_a_person_has_edited_lives_over_a_restart_and_what_is_ours_comes_back(world: KubeWorld) -> None:
    with world.running() as session:
        name = resource(world, session)["metadata"]["name"]
        theirs = {"mcpServers": {"disabled": ["web"]}, "stopOnRunFinished": False}
        edit = {"metadata": {"annotations": {"example.com/note": "mine"}, "labels": {"team": "a"}}}
        world.cluster.patch(
            "agenticsessions", name, world.project, {**edit, "spec": {**theirs, "displayName": "Theirs"}}
        )
        assert restart(world, session)["starts"] == 2
        found = resource(world, session)
        metadata, spec = found["metadata"], found["spec"]
        assert {key: spec[key] for key in (*theirs, "displayName")} == {**theirs, "displayName": "test"}
        assert (metadata["annotations"]["example.com/note"], metadata["labels"]["team"]) == ("mine", "a")
        assert metadata.get("finalizers") is None
        ours = {"displayName", "llmSettings", "inactivityTimeout", "repos", "environmentVariables", "userContext"}
        assert owned(found, US) == ours


def test_a_resource_of_somebody_else_s_is_left_as_it_is(world: KubeWorld) -> None:
    world.new_project()
    body = {"name": "test", "project_id": world.project}
    session = world.ask("POST", "/sessions", json=body).json()["id"]
    labels = {MANAGED: "true"}
    world.cluster.create(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.project, "labels": labels}}
    )
    with world.operator.away():
        metadata = {"name": session.lower(), "namespace": world.project}
        before = world.cluster.create({"apiVersion": VERSION, "kind": "AgenticSession", "metadata": metadata})
        world.ask("POST", f"/sessions/{session}/start")
        wait_for(lambda: "NameTaken" in str(world.row(session).get("conditions")), "the reason")
        assert world.row(session)["phase"] == "Pending"
        world.ask("POST", f"/sessions/{session}/stop")
        world.until(session, "Stopped")
        world.ask("DELETE", f"/sessions/{session}")
        wait_for(lambda: world.ask("GET", f"/sessions/{session}").status_code == 404, "the row's end")
        assert resource(world, session) == before
    world.new_project()


def test_news_of_an_earlier_start_that_come_late_change_nothing(world: KubeWorld) -> None:
    with world.running() as session:
        restart(world, session)
        before = world.runner(session)
        name = resource(world, session)["metadata"]["name"]
        with world.operator.away():
            world.operator.repeat(name, world.project, "Stopped")
            heard = world.proxy.count(agent=US)
            world.rest()
            world.steady()
            wait_for(lambda: world.proxy.count(agent=US) > heard, "another look")
            pushed = world.ask("POST", f"/sessions/{session}/messages", json={"payload": "Look."}).json()
            wait_for(lambda: world.row(session).get("run_id") == pushed["id"], "the run")
        row = world.row(session)
        assert (row["phase"], row["starts"], world.runner(session)) == ("Running", 2, before)
        world.ask("POST", f"/sessions/{session}/stop")
        assert world.reason(world.until(session, "Stopped", "Failed")) == "UserStopped"
        wait_for(lambda: world.alive(session) == [], "the runner's end")
    gone(world, session)


def test_a_stopped_session_does_not_come_back_by_an_old_status(world: KubeWorld) -> None:
    with world.running() as session:
        world.ask("POST", f"/sessions/{session}/stop")
        before = world.until(session, "Stopped")
        name = resource(world, session)["metadata"]["name"]
        world.operator.repeat(name, world.project, "Running")
        wait_for(lambda: resource(world, session)["status"]["phase"] == "Stopped", "the end of what is said to run")
        row = world.row(session)
        assert (row["phase"], row["starts"], row["completion_time"]) == ("Stopped", 1, before["completion_time"])
        assert world.alive(session) == []
