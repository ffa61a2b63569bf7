"""What the contract suite cannot know of tasks: running one makes and starts a session, once per key."""

from typing import Any

import pytest


@pytest.fixture
def task(call: Any, project: str) -> dict[str, Any]:
    body = {
        "project_id": project,
        "name": "report",
        "prompt": "Report.",
        "repo_url": "https://example.com/team/app.git",
        "branch": "side",
        "skills": ["triage"],
        "llm_model": "model-x",
    }
    made = call("POST", "/tasks", json=body)
    assert made.status_code == 201
    yield made.json
    call("DELETE", f"/tasks/{made.json['id']}")


def test_a_run_is_a_started_session_with_what_the_task_says(call: Any, task: Any) -> None:
    session = call("POST", f"/tasks/{task['id']}/run")
    assert session.status_code == 201
    made = session.json
    assert (made["kind"], made["phase"], made["prompt"], made["llm_model"]) == (
        "Session",
        "Pending",
        "Report.",
        "model-x",
    )
    assert (made["skills"], made["project_id"], made["stop_on_run_finished"]) == (["triage"], task["project_id"], True)
    assert made["repos"] == [{"url": "https://example.com/team/app.git", "branch": "side"}]
    messages = call("GET", f"/sessions/{made['id']}/messages").json["items"]
    assert [(m["event_type"], m["payload"]) for m in messages] == [("user", "Report.")]


def test_the_same_key_runs_once_and_another_runs_again(call: Any, task: Any) -> None:
    runs = [
        call("POST", f"/tasks/{task['id']}/run", headers={"Idempotency-Key": k}).json["id"] for k in ("a1", "a1", "b2")
    ]
    assert (runs[0] == runs[1], len(set(runs))) == (True, 2)
    listed = call("GET", f"/tasks/{task['id']}/sessions").json
    assert ({item["id"] for item in listed["items"]}, listed["total"]) == (set(runs), 2)


def test_what_it_made_outlives_the_task(call: Any, project: str) -> None:
    task = call("POST", "/tasks", json={"project_id": project, "name": "short", "prompt": "x"}).json["id"]
    session = call("POST", f"/tasks/{task}/run").json["id"]
    assert call("DELETE", f"/tasks/{task}").status_code == 204
    assert call("GET", f"/sessions/{session}").status_code == 200
    assert call("GET", f"/tasks/{task}/sessions").status_code == 404


def test_a_task_that_is_not_there_runs_nothing(call: Any) -> None:
    before = call("GET", "/sessions").json["total"]
    assert call("POST", "/tasks/absent/run").status_code == 404
    assert call("GET", "/sessions").json["total"] == before
