"""What an object of the legacy platform means as ours, line by line."""

from typing import Any

import pytest
from ambient_sessions.importing.legacy import is_ours, project_of, session_of


def found(spec: dict[str, Any] | None = None, status: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    given = {"name": "s", "namespace": "web", "uid": "u", "creationTimestamp": "2026-01-31T12:00:00Z", **metadata}
    return {"metadata": given, "spec": spec or {}, **({"status": status} if status is not None else {})}


def namespace(
    labels: dict[str, str] | None = None, annotations: dict[str, str] | None = None, **rest: Any
) -> dict[str, Any]:
    return {"metadata": {"name": "web", "uid": "u", "labels": labels or {}, "annotations": annotations or {}}, **rest}


def test_a_session_without_anything_takes_our_defaults() -> None:
    session = session_of(found(), None)
    assert session.session == {"project_id": "web", "name": "s", "inactivity_timeout": 86400}
    assert (session.state, session.parent, session.notes, session.origin) == ({}, None, (), "web/s/u")


@pytest.mark.parametrize(
    ("spec", "settings", "seconds"),
    [
        ({"inactivityTimeout": 60}, {"inactivityTimeoutSeconds": 7200}, 60),
        ({"inactivityTimeout": 0}, {"inactivityTimeoutSeconds": 7200}, 0),
        ({}, {"inactivityTimeoutSeconds": 7200}, 7200),
        ({}, {}, 86400),
    ],
)
def test_inactivity_is_the_sessions_then_the_projects_then_a_day(spec: Any, settings: Any, seconds: int) -> None:
    assert session_of(found(spec), {"spec": settings}).session["inactivity_timeout"] == seconds


def test_what_a_single_start_or_the_cluster_has_written_stays_there() -> None:
    annotations = {
        "ambient-code.io/desired-phase": "Running",
        "ambient-code.io/runner-token-secret": "x",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "ambient-code.io/ui/pinned": "true",
        "team": "web",
    }
    session = session_of(found(annotations=annotations, labels={"app.kubernetes.io/name": "x", "team": "web"}), None)
    assert session.session["annotations"] == {"ambient-code.io/ui/pinned": "true", "team": "web"}
    assert session.session["labels"] == {"team": "web"}


@pytest.mark.parametrize(
    ("status", "annotations", "phase"),
    [
        (None, {}, None),
        ({"phase": "Pending"}, {}, None),
        ({"phase": "Pending"}, {"ambient-code.io/desired-phase": "Running"}, "Pending"),
        ({"phase": "Pending", "startTime": "2026-01-31T12:00:00Z"}, {}, "Pending"),
        ({"phase": "Stopped"}, {}, "Stopped"),
        ({"phase": "Running"}, {"ambient-code.io/desired-phase": "Stopped"}, "Running"),
    ],
)
def test_pending_counts_only_when_somebody_has_asked_for_a_start(
    status: Any, annotations: Any, phase: str | None
) -> None:
    assert session_of(found(status=status, annotations=annotations), None).state.get("phase") == phase


def test_what_is_not_carried_over_is_named() -> None:
    spec = {
        "timeout": 900,
        "mcpServers": {"custom": {"a": {}}},
        "repos": [{"url": "https://example.com/a.git", "autoPush": True}],
    }
    notes = session_of(found(spec), None).notes
    assert [note.split(" ")[0] for note in notes] == ["timeout", "mcpServers", "autoPush"]
    assert session_of(found({"timeout": 300}), None).notes == ()


def test_a_cloned_repository_is_on_the_branch_that_is_active() -> None:
    entry = {
        "url": "https://example.com/a.git",
        "branch": "old",
        "currentActiveBranch": "new",
        "name": "a",
        "status": "Ready",
    }
    state = session_of(found(status={"phase": "Stopped", "reconciledRepos": [entry]}), None).state
    assert state["reconciled_repos"] == [{"url": entry["url"], "branch": "new", "name": "a", "status": "Ready"}]


def test_a_namespace_is_a_project_with_its_names_and_its_groups() -> None:
    annotations = {"openshift.io/display-name": "Our website", "openshift.io/requester": "x", "owner": "ada"}
    settings = {"spec": {"groupAccess": [{"groupName": "dev", "role": "edit"}], "runnerSecretsName": "keys"}}
    project = project_of(namespace({"team": "web", "ambient-code.io/managed": "true"}, annotations), settings)
    assert project.body["display_name"] == "Our website"
    assert project.body["labels"] == {"team": "web"}
    assert project.body["annotations"] == {
        "owner": "ada",
        "ambient-code.io/imported-from": "web/u",
        "ambient-code.io/owner": "legacy",
        "ambient-code.io/group-access": "dev: edit",
    }
    assert [note.split(" ")[1] for note in project.notes] == ["access", "secret"]


def test_who_made_it_is_seen_by_its_label() -> None:
    label = {"ambient-code.io/managed-by": "ambient-control-plane"}
    assert (project_of(namespace(label), None).ours, is_ours(found(labels=label))) == (True, True)
    assert (project_of(namespace(), None).ours, is_ours(found())) == (False, False)
    assert project_of(namespace(status={"phase": "Terminating"}), None).ending is True
