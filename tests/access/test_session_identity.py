"""What a session's own token does: its messages, its runner's words on itself, its project's skills, and nothing else."""

from typing import Any

import pytest

from tests.access.people import People


class Runner:
    """A session that runs, and calls by its token."""

    def __init__(self, people: People, control_plane: Any, project: str) -> None:
        self.people, self.plane = people, control_plane
        self.id = str(people.admin("POST", "/sessions", json={"name": "runs", "project_id": project}).json["id"])
        self.start()
        self.call = self.caller(self.token())

    def start(self) -> None:
        assert self.people.admin("POST", f"/sessions/{self.id}/start").status_code == 200

    def token(self) -> str:
        answer = self.plane("POST", f"/sessions/{self.id}/token")
        assert answer.status_code == 201, answer.json
        return str(answer.json["token"])

    def caller(self, token: str) -> Any:
        return type(self.people.admin)(self.people.app.test_client(), token)

    def says(self, **status: Any) -> Any:
        return self.call("PATCH", f"/sessions/{self.id}/status", json={"starts": 1, **status})

    def end(self, phase: str, starts: int = 1) -> None:
        body = {"starts": starts, "phase": phase}
        assert self.plane("PATCH", f"/sessions/{self.id}/status", json=body).status_code == 200


@pytest.fixture
def runner(people: People, control_plane: Any, project: str) -> Runner:
    return Runner(people, control_plane, project)


def test_it_reads_itself_and_its_projects_skills_and_writes_its_messages(
    runner: Runner, project: str, other: str, skill: Any
) -> None:
    mine, foreign = skill(project), skill(other)
    assert runner.call("GET", f"/sessions/{runner.id}").json["phase"] == "Pending"
    assert [item["id"] for item in runner.call("GET", "/skills").json["items"]] == [mine]
    assert [runner.call("GET", f"/skills/{i}").status_code for i in (mine, foreign)] == [200, 404]
    path = f"/sessions/{runner.id}/messages"
    assert runner.call("POST", path, json={"event_type": "assistant", "payload": "Done."}).status_code == 201
    # What a person says it does not say.
    assert runner.call("POST", path, json={"payload": "Do it."}).status_code == 403
    assert [message["event_type"] for message in runner.call("GET", path).json["items"]] == ["assistant"]


def test_of_its_status_it_writes_what_a_runner_knows_and_no_more(runner: Runner) -> None:
    repositories = [{"url": "https://example.com/a.git", "status": "Ready"}]
    said = runner.says(sdk_session_id="claude-7", sdk_restart_count=2, reconciled_repos=repositories)
    assert said.status_code == 200, said.json
    kept = runner.people.admin("GET", f"/sessions/{runner.id}").json
    assert (kept["sdk_session_id"], kept["sdk_restart_count"]) == ("claude-7", 2)
    assert kept["reconciled_repos"] == repositories
    for field, value in (
        ("phase", "Running"),
        ("kube_namespace", "kube-system"),
        ("kube_cr_name", "other"),
        ("conditions", []),
        ("start_time", "2026-01-01T00:00:00Z"),
        ("observed_version", 9),
    ):
        refused = runner.says(sdk_session_id="mine", **{field: value})
        assert (refused.status_code, field in refused.json["reason"]) == (403, True)
    assert runner.people.admin("GET", f"/sessions/{runner.id}").json == kept
    late = runner.call("PATCH", f"/sessions/{runner.id}/status", json={"starts": 7, "sdk_session_id": "x"})
    assert late.status_code == 409


def test_another_session_of_its_project_is_not_there(
    runner: Runner, people: People, control_plane: Any, project: str
) -> None:
    neighbour = Runner(people, control_plane, project)
    for method, tail, body in (
        ("GET", "", None),
        ("GET", "/messages", None),
        ("GET", "/history", None),
        ("GET", "/agui/events", None),
        ("POST", "/messages", {"event_type": "assistant", "payload": "x"}),
        ("PATCH", "/status", {"starts": 1, "sdk_session_id": "x"}),
    ):
        found, absent = (
            runner.call(method, f"/sessions/{i}{tail}", json=body) for i in (neighbour.id, "01aaaaaaaaaaaaaaaaaaaaaaaa")
        )
        assert (found.status_code, absent.status_code) == (404, 404), tail
        assert found.json["reason"].replace(neighbour.id, "") == absent.json["reason"].replace(
            "01aaaaaaaaaaaaaaaaaaaaaaaa", ""
        )


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/sessions/{id}/token", {}),
        ("POST", "/sessions", {"name": "another", "project_id": "{project}"}),
        ("POST", "/sessions/{id}/clone", None),
        ("POST", "/sessions/{id}/start", None),
        ("POST", "/sessions/{id}/stop", None),
        ("PATCH", "/sessions/{id}", {"prompt": "x"}),
        ("DELETE", "/sessions/{id}", None),
        ("POST", "/sessions/{id}/agui/run", {}),
        ("GET", "/sessions", None),
        ("GET", "/sessions/{id}/logs", None),
        ("GET", "/changes?kinds=Session", None),
        ("POST", "/tokens", {"name": "t", "lifetime_days": 1}),
        ("GET", "/tokens", None),
        ("POST", "/service_accounts", {"name": "mine"}),
        ("POST", "/role_bindings", {"role_id": "project-owner", "scope": "project", "project_id": "{project}"}),
        ("GET", "/role_bindings", None),
        ("GET", "/roles", None),
        ("GET", "/users", None),
        ("GET", "/projects/{project}", None),
        ("PATCH", "/projects/{project}", {"prompt": "x"}),
        ("GET", "/tasks", None),
        ("POST", "/skills", {"name": "own", "project_id": "{project}"}),
        ("GET", "/plugins", None),
        ("GET", "/access/review?verb=get&kind=Skill", None),
        ("POST", "/controlplane/states", {"states": []}),
    ],
)
def test_all_else_is_refused(runner: Runner, project: str, method: str, path: str, body: Any) -> None:
    here = {"{id}": runner.id, "{project}": project}
    for name, value in here.items():
        path = path.replace(name, value)
    given = {k: here.get(v, v) if isinstance(v, str) else v for k, v in body.items()} if body is not None else None
    assert runner.call(method, path, json=given).status_code == 403, path


def test_what_it_hears_of_the_log_is_its_projects_skills(runner: Runner, project: str, other: str, skill: Any) -> None:
    mine = skill(project)
    skill(other)
    found = runner.call("GET", "/changes").json["items"]
    assert {(change["kind"], change["object_id"]) for change in found} == {("Skill", mine)}


def test_a_batch_gives_it_nothing_more(runner: Runner) -> None:
    operations = [
        {"op": "patch", "kind": "Session", "id": runner.id, "body": {"prompt": "x"}},
        {"op": "action", "kind": "Session", "id": runner.id, "action": "start"},
        {"op": "action", "kind": "Session", "id": runner.id, "action": "issue_token"},
        {"op": "create", "kind": "Token", "body": {"name": "t", "lifetime_days": 1}},
    ]
    results = runner.call("POST", "/batch", json={"operations": operations}).json["results"]
    assert [result["status"] for result in results] == [403, 403, 400, 403]


@pytest.mark.parametrize("phase", ["Completed", "Failed", "Stopped"])
def test_it_is_dead_when_the_session_has_ended_and_stays_so_after_a_new_start(runner: Runner, phase: str) -> None:
    assert runner.people.admin("POST", f"/sessions/{runner.id}/stop").status_code == 200
    assert runner.call("GET", f"/sessions/{runner.id}").status_code == 200, "while it ends it may still report"
    runner.end(phase)
    assert runner.call("GET", f"/sessions/{runner.id}").status_code == 401
    assert runner.plane("POST", f"/sessions/{runner.id}/token").status_code == 409
    runner.start()
    assert runner.call("GET", f"/sessions/{runner.id}").status_code == 401
    assert runner.caller(runner.token())("GET", f"/sessions/{runner.id}").status_code == 200


def test_it_is_dead_with_its_session_and_its_project(runner: Runner, people: People, project: str) -> None:
    assert people.admin("DELETE", f"/projects/{project}").status_code == 204
    assert runner.call("GET", "/skills").status_code == 401


def test_nobody_but_the_control_plane_has_one_made_or_writes_a_status(
    runner: Runner, people: People, project: str
) -> None:
    for caller in (people.having("platform:admin"), people.having("project:owner", project_id=project), people.admin):
        assert caller("POST", f"/sessions/{runner.id}/token").status_code == 403
        status = caller("PATCH", f"/sessions/{runner.id}/status", json={"starts": 1, "phase": "Running"})
        assert status.status_code == 403


def test_the_control_plane_has_a_role_of_its_own_and_what_that_does_not_allow_is_refused(
    people: People, control_plane: Any, project: str, skill: Any
) -> None:
    mine, name = skill(project), people.new()
    made = control_plane("POST", "/projects", json={"name": name})
    # It takes projects over from elsewhere, and owns none.
    assert made.status_code == 201
    assert people.admin("GET", f"/role_bindings?project_id={name}").json["total"] == 0
    assert control_plane("GET", f"/skills/{mine}").status_code == 200
    for method, path, body in (
        ("PATCH", f"/skills/{mine}", {"description": "x"}),
        ("DELETE", f"/projects/{name}", None),
        ("POST", "/sessions", {"name": "own", "project_id": project}),
        ("POST", "/role_bindings", {"role_id": "project-owner", "scope": "project", "project_id": project}),
        ("POST", "/users", {"username": name, "name": name}),
    ):
        assert control_plane(method, path, json=body).status_code == 403, path
    review = "/access/review?verb=issue_token&kind=Session&principal=service:control-plane"
    (link,) = people.admin("GET", review).json["chain"]
    assert (link["role"], link["permission"]) == ("platform:control-plane", "session:issue_token")
    # Nor does anybody get that role who does not have everything.
    admin = people.having("platform:admin")
    role = {"role_id": "platform-control-plane", "scope": "global", "user_id": people.known(name)}
    assert people.having("project:owner", project_id=project)("POST", "/role_bindings", json=role).status_code == 403
    assert admin("POST", "/role_bindings?dry_run=true", json=role).status_code == 201
