"""An AgenticSession says which start it is about, and no late news of an earlier one passes for it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from ambient_sessions.runtimes import LaunchOrder
from ambient_sessions.runtimes.custom_resource import has_ended, is_ours, manifest, observed_of, stop_change
from ambient_sessions.runtimes.pod import NO_POD, PodView

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PREFIX = "ambient-code.io/"
SESSION = {"id": "01jk", "project_id": "demo", "name": "A", "starts": 2, "llm_model": "m", "llm_temperature": 0.5,
           "llm_max_tokens": 9, "prompt": "Do it.", "created_by": "ada", "repo_url": "https://example.com/a.git"}  # fmt: skip


def resource(phase: str = "", *, desired: str | None = None, before: str = "", start: int = 2, **status: Any) -> Any:
    annotations = {f"{PREFIX}session-start": str(start)}
    if desired:
        annotations[f"{PREFIX}desired-phase"] = desired
    if before:
        annotations[f"{PREFIX}session-before"] = before
    labels = {f"{PREFIX}session-id": "01jk", f"{PREFIX}managed-by": "ambient-control-plane"}
    metadata = {"name": "01jk", "namespace": "demo", "uid": "u", "annotations": annotations, "labels": labels,
                "resourceVersion": "7"}  # fmt: skip
    return {"metadata": metadata, "status": {"phase": phase, **status}}


def deleted(found: Any) -> Any:
    found["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return found


def unmet(reason: str, at: str = "1", kind: str = "PodCreated", words: str = "its words") -> Any:
    return {"type": kind, "status": "False", "reason": reason, "message": words, "lastTransitionTime": at}


REFUSED = 'pods "01jk-runner" is forbidden: exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2'


CRASHED = PodView("exited", "RunnerExit", "The runner ended with status 3.", 3, ended=True)
CLONING = PodView("preparing", "Cloning", "The workspace is being prepared.")
READY = PodView("ready", "Running", "The runner answers.")
NONE = PodView("preparing", NO_POD, "There is no pod.")
CASES: dict[str, tuple[Any, PodView | None, str, str, bool]] = {
    "nobody has looked": (resource(), None, "preparing", "Pending", True),
    "no secret": (resource("Pending", conditions=[unmet("RunnerSecretMissing")]), None, "preparing", "RunnerSecretMissing", True),
    "the pod comes": (resource("Creating"), CLONING, "preparing", "Cloning", True),
    "no pod yet": (resource("Creating", conditions=[unmet("CreateFailed")]), NONE, "preparing", "CreateFailed", True),
    "a quota refuses the pod": (resource("Pending", conditions=[unmet("CreateFailed", words=REFUSED),
                                unmet("PodCreationFailed", kind="Ready")]), NONE, "preparing", "QuotaExceeded", True),
    "a quota refuses it again": (resource("Pending", desired="Running", before="T1", conditions=[
                                 unmet("CreateFailed", words=REFUSED), unmet("UserStopped", kind="RunnerStarted"),
                                 unmet("PodCreationFailed", kind="Ready")]), NONE, "preparing", "QuotaExceeded", True),
    "it answers, not said": (resource("Creating"), READY, "starting", "Starting", True),
    "a pod has ended, not said": (resource("Creating"), CRASHED, "preparing", "RunnerExit", True),
    "it answers": (resource("Running"), READY, "ready", "Running", True),
    "pods are not seen": (resource("Running"), None, "ready", "Running", True),
    "its pod has crashed": (resource("Running"), CRASHED, "exited", "RunnerExit", True),
    "its pod is gone": (resource("Running"), NONE, "preparing", NO_POD, True),
    "stop is asked": (resource("Running", desired="Stopped"), READY, "stopping", "StopRequested", True),
    "it stops": (resource("Stopping"), READY, "stopping", "Stopping", True),
    "it was stopped": (resource("Stopped", stoppedReason="user"), None, "exited", "StoppedElsewhere", False),
    "it was idle": (resource("Stopped", stoppedReason="inactivity"), None, "exited", "Inactivity", False),
    "it completed": (resource("Completed"), None, "exited", "Completed", False),
    "it failed": (resource("Failed", conditions=[unmet("RunnerExit")]), None, "exited", "RunnerExit", False),
    "it failed, and nobody says why": (resource("Failed"), None, "exited", "Failed", False),
    "it is deleted": (deleted(resource("Running")), READY, "stopping", "Deleting", True),
    "the start before has ended": (resource("Failed", desired="Running", before="T1", completionTime="T1"), None,
                                   "preparing", "StartRequested", True),
    "late news of the start before": (resource("Stopped", before="T1", completionTime="T1"), READY, "ready", "Running", True),
    "this start has ended": (resource("Completed", before="T1", completionTime="T2"), None, "exited", "Completed", False),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_an_agentic_session_says(case: str) -> None:
    found, pod, stage, reason, alive = CASES[case]
    seen = observed_of(found, pod)
    assert (seen.stage, seen.reason, seen.alive, seen.starts) == (stage, reason, alive, 2)
    assert seen.message


def test_a_start_that_the_operator_forgot_counts_as_not_asked_for() -> None:
    for pod in (None, NONE, CRASHED):
        seen = observed_of(resource("Stopped", before="T1", completionTime="T1"), pod)
        assert (seen.starts, seen.alive, seen.stage, seen.reason) == (0, False, "preparing", "StartLost")


def test_the_newest_unmet_condition_is_the_reason() -> None:
    conditions = [
        unmet("Old", "1"),
        unmet("New", "2"),
        unmet("Older", "0"),
        {"type": "X", "status": "True", "reason": "Y"},
    ]
    assert observed_of(resource("Pending", conditions=conditions), None).reason == "New"


def test_exit_codes_come_through() -> None:
    assert observed_of(resource("Completed"), None).exit_code == 0
    assert observed_of(resource("Running"), CRASHED).exit_code == 3


def test_conditions_are_passed_on_and_ready_stays_ours() -> None:
    conditions = [unmet("CreateFailed"), {"type": "Ready", "status": "False", "reason": "Pending"}]
    assert [c["type"] for c in observed_of(resource("Pending", conditions=conditions), None).conditions] == [
        "PodCreated"
    ]


def test_we_own_no_prompt_and_no_time_out_that_only_we_can_tell() -> None:
    made = manifest(LaunchOrder(SESSION, "token", "http://api", ()), "demo", None, NOW)
    assert "initialPrompt" not in made["spec"]
    assert "stopOnRunFinished" not in made["spec"]
    assert made["spec"]["inactivityTimeout"] == 0
    assert "token" not in str(made)


def test_variables_of_plugins_are_stronger_than_the_session_s_own() -> None:
    session = {**SESSION, "environment_variables": {"COLOUR": "green", "CREDENTIAL_IDS": "mine"}}
    made = manifest(LaunchOrder(session, "t", "http://api", (), {"CREDENTIAL_IDS": "{}"}), "demo", None, NOW)
    assert made["spec"]["environmentVariables"] == {"COLOUR": "green", "CREDENTIAL_IDS": "{}"}


def test_a_runner_is_told_its_agent_whatever_the_session_s_own_variables_say() -> None:
    session = {**SESSION, "agent_id": "reviewer", "environment_variables": {"AGENT_ID": "mine"}}
    made = manifest(LaunchOrder(session, "t", "http://api", ()), "demo", None, NOW)
    assert made["spec"]["environmentVariables"] == {"AGENT_ID": "reviewer"}


def test_a_start_and_its_number_are_one_request_about_the_object_that_was_read() -> None:
    before = resource("Stopped", start=1, completionTime="T1")
    metadata = manifest(LaunchOrder(SESSION, "t", "http://api", ()), "demo", before, NOW)["metadata"]
    assert metadata["resourceVersion"] == "7"
    wanted = {"session-start": "2", "desired-phase": "Running", "session-before": "T1"}
    assert {name: metadata["annotations"][PREFIX + name] for name in wanted} == wanted


def test_a_stop_is_about_the_object_that_was_read() -> None:
    change = stop_change(resource("Running"), NOW)["metadata"]
    assert (change["resourceVersion"], change["annotations"][f"{PREFIX}desired-phase"]) == ("7", "Stopped")


def test_what_carries_no_label_of_ours_is_somebody_else_s() -> None:
    found = resource("Running")
    assert is_ours(found, "01jk")
    assert not is_ours(found, "01jm")
    del found["metadata"]["labels"][f"{PREFIX}managed-by"]
    assert not is_ours(found, "01jk")


def test_an_ended_one_that_shall_start_again_has_not_ended() -> None:
    assert has_ended(resource("Stopped"))
    assert not has_ended(resource("Stopped", desired="Running"))
