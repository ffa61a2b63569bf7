"""A session from the first request to the file that it changed, and every way in which it can end."""

import json
import os
import signal
import stat
import subprocess
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from ag_ui_validate import ValidatorOptions, create_validator

from tests.e2e.conftest import System, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("system")]


def test_a_session_completes_streams_and_writes_its_report(system: System) -> None:
    session = system.session(prompt="Look around.", stop_on_run_finished=True)
    events = system.events(session)
    row = system.until(session, "Completed")
    assert (events[0]["type"], events[-1]["type"], system.reason(row)) == ("RUN_STARTED", "RUN_FINISHED", "RunFinished")
    assert "# Report" in (system.workspace(session) / "demo-repository" / "REPORT.md").read_text()
    assert "Look around." in (system.workspace(session) / "demo-repository" / "REPORT.md").read_text()
    assert row["reconciled_repos"] == [{"url": system.repository, "name": "demo-repository", "status": "Ready"}]
    kinds = [m["event_type"] for m in system.ask("GET", f"/sessions/{session}/messages").json()["items"]]
    assert kinds[0] == "user"
    assert set(kinds[1:]) == {"assistant"}


def test_the_stream_of_a_session_is_valid_ag_ui(system: System) -> None:
    session = system.session(prompt="Look.", stop_on_run_finished=True)
    system.until(session, "Completed")
    validator = create_validator(ValidatorOptions())
    url = f"{system.gateway}/sessions/{session}/agui/events"
    validator.feed(httpx.get(url, headers=system.headers, timeout=30, trust_env=False).text)
    faults = [finding for finding in validator.finalize() if finding.severity == "error"]
    assert faults == []


def test_events_resume_after_a_cursor(system: System) -> None:
    session = system.session(prompt="Look.", stop_on_run_finished=True)
    system.until(session, "Completed")
    whole = system.events(session)
    assert system.events(session, "events?after=5") == whole[5:]
    url = f"{system.gateway}/sessions/{session}/agui/events"
    resumed = httpx.get(
        url, headers={**system.headers, "Last-Event-ID": str(len(whole) - 1)}, timeout=30, trust_env=False
    )
    assert [json.loads(line[6:]) for line in resumed.text.splitlines() if line.startswith("data: ")] == whole[-1:]
    assert httpx.get(f"{url}?after={len(whole) + 1}", headers=system.headers, trust_env=False).status_code == 400


def test_a_later_message_is_answered_by_another_run(system: System) -> None:
    session = system.session(prompt="First.")
    wait_for(lambda: system.row(session).get("run_state") == "finished", "the first run")
    pushed = system.ask("POST", f"/sessions/{session}/messages", json={"payload": "Second."}).json()
    wait_for(
        lambda: (system.row(session).get("run_id"), system.row(session).get("run_state")) == (pushed["id"], "finished"),
        "the second run",
    )
    assert "Second." in (system.workspace(session) / "demo-repository" / "REPORT.md").read_text()
    system.ask("POST", f"/sessions/{session}/stop")
    assert system.reason(system.until(session, "Stopped")) == "UserStopped"


def test_a_stopped_session_leaves_no_process_and_can_start_again(system: System) -> None:
    session = system.session()
    system.until(session, "Running")
    runner = psutil.Process(system.state(session)["pid"])
    assert system.ask("POST", f"/sessions/{session}/stop").json()["phase"] == "Stopping"
    system.until(session, "Stopped")
    assert not runner.is_running()
    assert system.ask("POST", f"/sessions/{session}/start").json()["starts"] == 2
    system.until(session, "Running")
    system.ask("DELETE", f"/sessions/{session}")
    wait_for(lambda: not (system.folder / "sessions" / session).exists(), "the clean-up")


def test_a_clone_that_fails_says_why_in_git_s_words(system: System) -> None:
    session = system.session(repo_url=None, repos=[{"url": system.repository, "branch": "nowhere"}])
    row = system.until(session, "Failed")
    assert system.reason(row) == "CloneFailed"
    assert "Remote branch nowhere not found" in row["conditions"][0]["message"]


def test_a_branch_is_respected(system: System) -> None:
    repository = system.folder / "demo-repository"
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for command in (
        ["checkout", "-qb", "side"],
        ["commit", "-q", "--allow-empty", "-m", "on the side"],
        ["checkout", "-q", "main"],
    ):
        subprocess.run(["git", *identity, *command], cwd=repository, check=True)
    session = system.session(repo_url=None, repos=[{"url": system.repository, "branch": "side", "name": "copy"}])
    system.until(session, "Running")
    shown = subprocess.run(
        ["git", "log", "-1", "--format=%s"],
        cwd=system.workspace(session) / "copy",
        check=True,
        capture_output=True,
        text=True,
    )
    assert shown.stdout == "on the side\n"
    system.ask("DELETE", f"/sessions/{session}")


def test_a_runner_that_crashes_fails_the_session_with_its_reason(system: System) -> None:
    session = system.session()
    system.until(session, "Running")
    os.kill(system.state(session)["pid"], signal.SIGKILL)
    row = system.until(session, "Failed")
    assert (system.reason(row), "SIGKILL" in row["conditions"][0]["message"]) == ("RunnerExit", True)


def test_a_supervisor_that_is_killed_takes_its_runner_along(system: System) -> None:
    session = system.session()
    system.until(session, "Running")
    state = system.state(session)
    os.kill(state["supervisor"], signal.SIGKILL)
    assert system.reason(system.until(session, "Failed")) == "SupervisorLost"
    wait_for(
        lambda: not psutil.pid_exists(state["pid"]) or psutil.Process(state["pid"]).status() == "zombie",
        "the runner's end",
    )


def test_time_outs_end_a_session_with_their_reason(system: System) -> None:
    late, idle = system.session(timeout=1), system.session(inactivity_timeout=1)
    assert system.reason(system.until(late, "Failed")) == "TimedOut"
    assert system.reason(system.until(idle, "Stopped")) == "Inactivity"


def test_skills_and_tasks_reach_the_workspace(system: System) -> None:
    system.ask(
        "POST",
        "/skills",
        json={"project_id": "demo", "name": "triage", "description": "Sort: things", "prompt": "Sort."},
    )
    system.ask("POST", "/skills", json={"project_id": "demo", "name": "other", "prompt": "No."})
    body = {
        "project_id": "demo",
        "name": "report",
        "prompt": "Report.",
        "repo_url": system.repository,
        "branch": "main",
        "skills": ["triage"],
    }
    task = system.ask("POST", "/tasks", json=body).json()["id"]
    headers = {"Idempotency-Key": "run-once"}
    runs = [system.ask("POST", f"/tasks/{task}/run", headers=headers).json()["id"] for _ in range(2)]
    assert runs[0] == runs[1]
    system.until(runs[0], "Completed")
    folder = system.workspace(runs[0]) / ".claude" / "skills"
    assert [entry.name for entry in folder.iterdir()] == ["triage"]
    assert (
        folder / "triage" / "SKILL.md"
    ).read_text() == "---\nname: triage\ndescription: 'Sort: things'\n---\n\nSort.\n"
    assert "triage: Sort: things" in (system.workspace(runs[0]) / "demo-repository" / "REPORT.md").read_text()
    assert [item["id"] for item in system.ask("GET", f"/tasks/{task}/sessions").json()["items"]] == [runs[0]]


def test_the_runner_gets_its_own_token_and_nothing_of_ours(system: System) -> None:
    session = system.session(environment_variables={"COLOUR": "green", "SESSION_ID": "evil", "HOME": "/evil"})
    system.until(session, "Running")
    environment = psutil.Process(system.state(session)["pid"]).environ()
    assert environment["COLOUR"] == "green"
    assert environment["AMBIENT_API_URL"] == f"http://127.0.0.1:{system.ports['port']}"
    assert environment["SESSION_ID"] == session
    assert environment["HOME"] != "/evil"
    ours = {name for name in environment if name.startswith("AMBIENT_")}
    assert ours == {"AMBIENT_API_URL", "AMBIENT_SESSION_TOKEN_FILE"}
    assert system.headers["Authorization"].split()[1] not in str(environment)
    token_file = Path(environment["AMBIENT_SESSION_TOKEN_FILE"])
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
    check_session_token(system, session, token_file.read_text())


def check_session_token(system: System, session: str, token: str) -> None:
    own = {"Authorization": f"Bearer {token}"}
    other = system.ask("POST", "/sessions", json={"name": "other", "project_id": "demo"}).json()["id"]

    def ask(method: str, path: str, **body: Any) -> int:
        return system.ask(method, path, headers=own, **body).status_code

    assert ask("GET", f"/sessions/{session}") == 200
    assert ask("GET", "/skills") == 200
    assert ask("POST", f"/sessions/{session}/messages", json={"event_type": "assistant", "payload": "x"}) == 201
    assert ask("POST", f"/sessions/{session}/messages", json={"payload": "x"}) == 403
    assert ask("GET", f"/sessions/{other}") == 404
    assert ask("POST", f"/sessions/{other}/messages", json={"event_type": "assistant", "payload": "x"}) == 404
    for method, path in (
        ("GET", "/sessions"),
        ("GET", "/projects"),
        ("POST", f"/sessions/{session}/stop"),
        ("PATCH", f"/sessions/{session}"),
    ):
        assert ask(method, path, **({"json": {}} if method == "PATCH" else {})) == 403, path
    system.ask("POST", f"/sessions/{session}/stop")
    system.until(session, "Stopped")
    assert ask("GET", f"/sessions/{session}") == 401


def test_messages_stream_as_they_are_written(system: System) -> None:
    session = system.ask("POST", "/sessions", json={"name": "s", "project_id": "demo", "prompt": "one"}).json()["id"]
    url, headers = f"{system.api}/sessions/{session}/messages", {**system.headers, "Accept": "text/event-stream"}
    with httpx.stream("GET", url, headers=headers, timeout=20, trust_env=False) as answer:
        lines = answer.iter_lines()
        first = next(json.loads(line[6:]) for line in lines if line.startswith("data: "))
        system.ask("POST", f"/sessions/{session}/messages", json={"payload": "two"})
        second = next(json.loads(line[6:]) for line in lines if line.startswith("data: "))
    assert [(m["seq"], m["payload"]) for m in (first, second)] == [(1, "one"), (2, "two")]
    with httpx.stream("GET", url, headers={**headers, "Last-Event-ID": "1"}, timeout=20, trust_env=False) as answer:
        assert next(json.loads(line[6:])["seq"] for line in answer.iter_lines() if line.startswith("data: ")) == 2
