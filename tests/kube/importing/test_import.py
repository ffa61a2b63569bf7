"""The legacy platform read into our rows, on the real API server: as often as one likes, and without touching it."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ambient_sdk import AmbientClient
from ambient_sessions.importing.history import ExportFolder
from ambient_sessions.importing.run import Import

from ambient_core import SetupError
from tests.kube.client import Cluster
from tests.kube.importing.legacy import LegacyPlatform, rows, save

STARTED, ENDED = "2026-01-31T12:00:00Z", "2026-01-31T12:05:00Z"


class Importer:
    """Imports one project, and keeps what was said."""

    def __init__(self, made: Callable[[Callable[[str], None]], Import], project: str) -> None:
        self.said: list[str] = []
        self.project = project
        self.work = made(self.said.append)

    def __call__(self, *, dry: bool = False) -> dict[str, str]:
        """One import; answers the outcome by name."""
        self.said.clear()
        return {step.name: step.outcome for step in self.work.once(self.project, dry=dry)}


@pytest.fixture
def importer(cluster: Cluster, client: AmbientClient, legacy: LegacyPlatform, folder: Path) -> Importer:
    return Importer(lambda say: Import(Legacy(cluster), client, ExportFolder(folder), say), legacy.namespace)


class Legacy:
    """What an import asks of a cluster, by the tests' own client."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def objects(self, plural: str, labels: str | None = None) -> list[dict[str, Any]]:
        return self.cluster.list(plural, **({"labelSelector": labels} if labels else {}))


def fill(legacy: LegacyPlatform) -> None:
    """A project with a session that ended, one that continues it, and one that was never started."""
    legacy.settings(inactivityTimeoutSeconds=7200, groupAccess=[{"groupName": "dev", "role": "edit"}])
    legacy.session("first", timeout=900)
    condition = {"type": "Ready", "status": "False", "reason": "Completed", "lastTransitionTime": ENDED}
    legacy.status("first", "Completed", startTime=STARTED, completionTime=ENDED, conditions=[condition])
    legacy.session(
        "second", parent="first", inactivityTimeout=60, activeWorkflow={"gitUrl": "https://example.com/w.git"}
    )
    legacy.status("second", "Stopped", startTime=STARTED, completionTime=ENDED, stoppedReason="user")
    legacy.session("third")


def test_projects_and_sessions_come_over_whole(
    legacy: LegacyPlatform, importer: Importer, client: AmbientClient
) -> None:
    fill(legacy)
    project = legacy.namespace
    outcomes = importer()
    assert outcomes == {
        name: "create" for name in (project, f"{project}/first", f"{project}/second", f"{project}/third")
    }
    shown = client.projects.get(project).to_dict()["annotations"]
    assert (shown["ambient-code.io/owner"], shown["ambient-code.io/group-access"]) == ("legacy", "dev: edit")
    first, second, third = (rows(client, project)[name] for name in ("first", "second", "third"))
    assert (first["name"], first["prompt"], first["created_by"]) == ("Session first", "Look around and report.", "ada")
    assert (first["phase"], first["completion_time"]) == ("Completed", "2026-01-31T12:05:00+00:00")
    assert first["conditions"][0]["reason"] == "Completed"
    assert first["repos"] == [{"url": "https://example.com/site.git", "branch": "main"}]
    assert (first["inactivity_timeout"], second["inactivity_timeout"], first.get("timeout")) == (7200, 60, None)
    assert (second["parent_session_id"], third.get("phase")) == (first["id"], None)
    assert second["annotations"]["ambient-code.io/workflow"] == "https://example.com/w.git#main"
    assert all(row["mirrored"] for row in (first, second, third))
    assert "timeout 900 is not carried over: nobody enforced it" in " ".join(importer.said)


def test_a_dry_run_says_the_same_and_does_nothing(
    legacy: LegacyPlatform, importer: Importer, client: AmbientClient
) -> None:
    fill(legacy)
    planned = importer(dry=True)
    assert any(line.startswith("would create  session") for line in importer.said)
    assert importer.said[-4].startswith("projects: 1 would create; sessions: 3 would create")
    assert not [p for p in client.projects.list_all() if p.id == legacy.namespace]
    assert importer() == planned


def test_a_second_run_changes_nothing_and_neither_run_touches_the_legacy_platform(
    legacy: LegacyPlatform, importer: Importer, client: AmbientClient
) -> None:
    fill(legacy)
    versions = legacy.versions()
    importer()
    before = rows(client, legacy.namespace)
    assert set(importer().values()) == {"unchanged"}
    assert rows(client, legacy.namespace) == before
    assert importer.said[0] == "projects: 1 unchanged; sessions: 3 unchanged"
    importer.work.hand_over(legacy.namespace)
    importer.work.hand_back(legacy.namespace)
    importer()
    assert legacy.versions() == versions


def test_news_come_over_and_what_is_deleted_there_stays_here(
    legacy: LegacyPlatform, importer: Importer, client: AmbientClient, wait_for: Callable[..., Any]
) -> None:
    fill(legacy)
    importer()
    legacy.status("third", "Running", startTime=STARTED)
    legacy.cluster.patch("agenticsessions", "first", legacy.namespace, {"spec": {"displayName": "Renamed"}})
    project = legacy.namespace
    assert importer() == {
        project: "unchanged",
        f"{project}/first": "update",
        f"{project}/second": "unchanged",
        f"{project}/third": "update",
    }
    assert (rows(client, project)["first"]["name"], rows(client, project)["third"]["phase"]) == ("Renamed", "Running")
    legacy.cluster.delete("agenticsessions", "third", project)
    wait_for(lambda: legacy.cluster.find("agenticsessions", "third", project) is None, "its end")
    assert importer()[f"{project}/third"] == "gone"
    assert rows(client, project)["third"]["phase"] == "Stopped"
    assert importer()[f"{project}/third"] == "gone"


def test_a_conflict_is_named_and_the_rest_goes_on(
    legacy: LegacyPlatform, importer: Importer, client: AmbientClient
) -> None:
    legacy.session("good")
    legacy.session("bad", repos=[{"url": "no address"}])
    outcomes = importer()
    assert (outcomes[f"{legacy.namespace}/good"], outcomes[f"{legacy.namespace}/bad"]) == ("create", "conflict")
    assert any("/bad: /session/repos/0/url" in line for line in importer.said)
    with pytest.raises(SetupError, match="1 objects of .* cannot be read"):
        importer.work.hand_over(legacy.namespace)
    assert rows(client, legacy.namespace)["good"]["mirrored"] is True


def test_a_project_of_that_name_that_was_not_imported_is_left_alone(
    legacy: LegacyPlatform, importer: Importer, client: AmbientClient
) -> None:
    legacy.session("first")
    client.projects.create(name=legacy.namespace, description="Ours.")
    assert set(importer().values()) == {"conflict"}
    assert any("is there already, and was not imported" in line for line in importer.said)
    assert client.projects.get(legacy.namespace).to_dict()["description"] == "Ours."
    assert rows(client, legacy.namespace) == {}


def test_sessions_that_our_own_control_plane_has_made_are_none_of_the_legacy_platforms(
    legacy: LegacyPlatform, importer: Importer, client: AmbientClient
) -> None:
    legacy.session("theirs")
    ours = legacy.session("ours")["metadata"]["name"]
    labels = {"ambient-code.io/managed-by": "ambient-control-plane"}
    legacy.cluster.patch("agenticsessions", ours, legacy.namespace, {"metadata": {"labels": labels}})
    assert f"{legacy.namespace}/ours" not in importer()
    assert set(rows(client, legacy.namespace)) == {"theirs"}


def test_following_mirrors_what_happens_and_outlives_an_outage(
    legacy: LegacyPlatform, importer: Importer, client: AmbientClient, wait_for: Callable[..., Any]
) -> None:
    legacy.session("first")
    stopping = threading.Event()
    thread = threading.Thread(target=importer.work.follow, args=(stopping, 0.05, legacy.namespace))
    thread.start()
    try:
        wait_for(lambda: rows(client, legacy.namespace).get("first"), "the first session")
        legacy.status("first", "Running", startTime=STARTED)
        legacy.session("later")
        wait_for(lambda: rows(client, legacy.namespace)["first"].get("phase") == "Running", "the news")
        wait_for(lambda: "later" in rows(client, legacy.namespace), "the later session")
    finally:
        stopping.set()
        thread.join()
    assert len([line for line in importer.said if line.startswith("created       session")]) == 2


def test_a_project_is_handed_over_worked_on_and_handed_back(
    legacy: LegacyPlatform, importer: Importer, client: AmbientClient, person: AmbientClient
) -> None:
    fill(legacy)
    importer()
    project = legacy.namespace
    assert importer.work.hand_over(project) == 3
    assert client.projects.get(project).to_dict()["annotations"]["ambient-code.io/owner"] == "ambient"
    legacy.status("first", "Stopped")
    assert set(importer().values()) == {"left"}
    first = rows(client, project)["first"]
    assert (first["phase"], first["mirrored"]) == ("Completed", False)
    person.sessions.patch(first["id"], name="Ours by now")
    assert importer.work.hand_back(project) == 3
    assert importer()[f"{project}/first"] == "update"
    assert (rows(client, project)["first"]["name"], rows(client, project)["first"]["phase"]) == (
        "Session first",
        "Stopped",
    )


def test_a_project_in_which_something_runs_is_not_handed_over(
    legacy: LegacyPlatform, importer: Importer, client: AmbientClient
) -> None:
    legacy.session("busy")
    legacy.status("busy", "Running", startTime=STARTED)
    with pytest.raises(SetupError, match=r"these sessions run, stop them first: Session busy \("):
        importer.work.hand_over(legacy.namespace)
    assert rows(client, legacy.namespace)["busy"]["mirrored"] is True


def test_messages_come_over_from_an_export_once(
    legacy: LegacyPlatform, importer: Importer, client: AmbientClient, folder: Path
) -> None:
    spoken = f"spoken-{legacy.namespace}"
    legacy.session(spoken)
    legacy.session("silent")
    save(folder, spoken)
    importer()
    assert any(f"{spoken}: 2 of 2 messages are new" in line for line in importer.said)
    assert any("silent: no messages are to be had" in line for line in importer.said)
    found = client.sessions.messages(rows(client, legacy.namespace)[spoken]["id"]).items
    assert [(m.event_type, m.payload) for m in found] == [("user", "Look around."), ("assistant", "All fine.")]
    importer()
    assert not any("are new" in line for line in importer.said)


def test_a_file_that_may_be_of_another_project_is_not_taken(
    legacy: LegacyPlatform, importer: Importer, cluster: Cluster, folder: Path
) -> None:
    other = f"{legacy.namespace}-other"
    labels = {"ambient-code.io/managed": "true"}
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other, "labels": labels}})
    twin = f"twin-{legacy.namespace}"
    for platform in (legacy, LegacyPlatform(cluster, other)):
        platform.session(twin)
    save(folder, twin)
    importer()
    assert any(f"{twin}: no messages are to be had" in line for line in importer.said)
    cluster.delete("namespaces", other)
