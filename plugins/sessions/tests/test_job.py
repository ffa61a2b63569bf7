"""The objects of one start in runtime job, and what they say: as tables."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from ambient_sessions.runtimes import LaunchOrder
from ambient_sessions.runtimes import job_objects as objects
from ambient_sessions.runtimes.job_view import newest, observed_of
from ambient_sessions.settings import SessionsSettings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SESSION = {"id": "01jk", "project_id": "demo", "name": "A", "starts": 2, "llm_model": "m", "llm_temperature": 0.5,
           "llm_max_tokens": 9, "timeout": 60, "repo_url": "https://ada:secret@example.com/a.git",
           "environment_variables": {"COLOUR": "green", "LD_PRELOAD": "x", "AMBIENT_API_URL": "evil"}}  # fmt: skip
SETTINGS = SessionsSettings(runner_image="runner:1", anthropic_api_key="key-of-ours")
PLAN = objects.Plan(
    LaunchOrder(SESSION, "token-of-session", "http://api", (("A.md", "a"),)), "demo", SETTINGS, "runner-token"
)
OWNER = {"metadata": {"uid": "u"}}


def job(
    start: int = 2, *, suspended: bool = False, deleted: bool = False, finished: tuple[str, str] | None = None
) -> Any:
    metadata = {"name": f"j{start}", "namespace": "demo", "uid": f"u{start}", "labels": {objects.START: str(start)}}
    if deleted:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    conditions = [{"type": finished[0], "status": "True", "reason": finished[1]}] if finished else []
    return {"metadata": metadata, "spec": {"suspend": suspended}, "status": {"conditions": conditions}}


def pod(start: int = 2, phase: str = "Running", made: str = "1", **state: Any) -> Any:
    status = {
        "phase": phase,
        "containerStatuses": [{"name": objects.RUNNER, "state": state or {"running": {}}, "ready": True}],
    }
    return {
        "metadata": {"name": f"p{start}", "labels": {objects.START: str(start)}, "creationTimestamp": made},
        "status": status,
    }


CRASHED = pod(phase="Failed", terminated={"exitCode": 3})
CASES: dict[str, tuple[list[Any], list[Any], tuple[int, bool, str, str]]] = {
    "nothing": ([], [], (0, False, "absent", "NoJob")),
    "a pod is left": ([], [pod()], (2, True, "stopping", "Deleting")),
    "a dead pod is left": ([], [CRASHED], (0, False, "absent", "NoJob")),
    "half made": ([job(suspended=True)], [], (0, False, "preparing", "HalfMade")),
    "half made, the one before has ended": ([job(1, finished=("Failed", "x")), job(suspended=True)], [pod(1, "Failed")],
                                            (1, False, "exited", "PodFailed")),
    "half made, the one before runs": ([job(1), job(suspended=True)], [pod(1)], (1, True, "ready", "Running")),
    "half made, and deleted": ([job(suspended=True, deleted=True)], [], (2, True, "stopping", "Deleting")),
    "no pod yet": ([job()], [], (2, True, "preparing", "NoPod")),
    "answers": ([job()], [pod()], (2, True, "ready", "Running")),
    "an older pod is going": ([job(1, deleted=True), job()], [pod(1), pod()], (2, True, "ready", "Running")),
    "crashed": ([job()], [CRASHED], (2, False, "exited", "RunnerExit")),
    "completed": ([job(finished=("Complete", "x"))], [pod(phase="Succeeded", terminated={"exitCode": 0})],
                  (2, False, "exited", "Completed")),
    "completed, its pod is gone": ([job(finished=("Complete", "x"))], [], (2, False, "exited", "Completed")),
    "failed, its pod is gone": ([job(finished=("Failed", "BackoffLimitExceeded"))], [], (2, False, "lost", "PodGone")),
    "over its deadline": ([job(finished=("Failed", "DeadlineExceeded"))], [pod()], (2, True, "exited", "DeadlineExceeded")),
    "is to end": ([job(deleted=True)], [pod()], (2, True, "stopping", "Deleting")),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_jobs_and_pods_say(case: str) -> None:
    jobs, pods, expected = CASES[case]
    seen = observed_of(*newest(jobs, pods))
    assert (seen.starts, seen.alive, seen.stage, seen.reason) == expected
    assert seen.message


def test_a_job_is_made_suspended_and_never_tries_twice() -> None:
    made = objects.job_of(PLAN)["spec"]
    assert (made["suspend"], made["backoffLimit"], made["template"]["spec"]["restartPolicy"]) == (True, 0, "Never")
    assert made["activeDeadlineSeconds"] > SESSION["timeout"] + SETTINGS.start_deadline


def test_secrets_are_in_the_secret_and_nowhere_else() -> None:
    everything = json.dumps([part(PLAN, OWNER) for part in (objects.account_of, objects.service_of, objects.policy_of)])
    everything += json.dumps(objects.job_of(PLAN))
    kept = objects.secret_of(PLAN, OWNER)["stringData"]
    for word in ("key-of-ours", "token-of-session", "runner-token", "green", "secret@"):
        assert word not in everything, word
        assert word in str(kept), word


def test_what_prepares_the_workspace_may_fetch_what_the_session_was_lent() -> None:
    pod = objects.job_of(PLAN)["spec"]["template"]["spec"]
    told = json.loads(objects.secret_of(PLAN, OWNER)["stringData"]["prepare.json"])
    folder = pod["initContainers"][0]["volumeMounts"][-1]["mountPath"]
    assert told["credentials"] == {"api_url": "http://api", "token_file": f"{folder}/token"}
    volume = next(volume for volume in pod["volumes"] if volume["name"] == "prepare")
    assert {item["key"] for item in volume["secret"]["items"]} == {"prepare.json", "token"}


def test_a_runner_of_the_predecessor_finds_the_token_the_api_and_the_ids_of_what_was_lent() -> None:
    lent = replace(PLAN, order=replace(PLAN.order, variables={"CREDENTIAL_IDS": '{"github": "7"}'}))
    pod = objects.job_of(lent)["spec"]["template"]["spec"]
    runner = pod["containers"][0]
    plain = {variable["name"]: variable.get("value") for variable in runner["env"]}
    assert (plain["CREDENTIAL_IDS"], plain["BACKEND_API_URL"]) == ('{"github": "7"}', "http://api")
    (mount,) = (m for m in runner["volumeMounts"] if m["mountPath"] == "/var/run/secrets/ambient/bot-token")
    volume = next(volume for volume in pod["volumes"] if volume["name"] == mount["name"])
    assert {item["path"] for item in volume["secret"]["items"]} == {mount["subPath"]}


def test_a_session_s_variables_never_replace_the_platform_s() -> None:
    kept = objects.secret_of(PLAN, OWNER)["stringData"]
    assert "env.LD_PRELOAD" not in kept
    assert PLAN.environment()["AMBIENT_API_URL"] == "http://api"


def test_a_runner_is_told_its_agent() -> None:
    session = {**SESSION, "agent_id": "reviewer", "environment_variables": {"AGENT_ID": "mine"}}
    plan = replace(PLAN, order=replace(PLAN.order, session=session))
    assert (plan.environment()["AGENT_ID"], "AGENT_ID" in PLAN.environment()) == ("reviewer", False)


def test_everything_is_owned_by_the_job() -> None:
    for part in (objects.secret_of, objects.account_of, objects.service_of, objects.policy_of):
        assert [owner["uid"] for owner in part(PLAN, OWNER)["metadata"]["ownerReferences"]] == ["u"]


def test_the_gateway_comes_in_and_the_clouds_metadata_stays_out() -> None:
    made = objects.policy_of(PLAN, OWNER)["spec"]
    assert made["policyTypes"] == ["Ingress", "Egress"]
    assert made["ingress"][0]["from"] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ambient-system"}}}
    ]
    assert {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}} in made["egress"][2]["to"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, ("500m", "512Mi", "2", "4Gi")),
        ({"cpu": 1, "memory": "1Gi"}, ("1", "1Gi", "1", "1Gi")),
        ({"requests": {"cpu": "250m"}, "limits": {"memory": "8Gi"}}, ("250m", "512Mi", "2", "8Gi")),
        ({"requests": "all", "gpu": 8}, ("500m", "512Mi", "2", "4Gi")),
    ],
)
def test_resources_are_the_session_s_where_it_says(wanted: Any, expected: tuple[str, ...]) -> None:
    made = objects.resources_of(wanted, SETTINGS)
    assert (*made["requests"].values(), *made["limits"].values()) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [("", ["python", "-m", "ambient_runner"]), ("serve --now", ["serve", "--now"]), ("-", None)],
)
def test_what_the_image_runs_can_be_said(command: str, expected: Any) -> None:
    plan = replace(PLAN, settings=replace(SETTINGS, runner_command=command))
    runner = objects.job_of(plan)["spec"]["template"]["spec"]["containers"][0]
    assert runner.get("command") == expected
