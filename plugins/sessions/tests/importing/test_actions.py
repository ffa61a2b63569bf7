"""What the import writes through the API, and who else may not touch it meanwhile."""

import secrets
from collections.abc import Callable
from typing import Any

import pytest

UID = "0f8b6f0e-9a55-4d1f-8f3e-3c9d7a1b2c4d"
STARTED = "2026-01-31T12:00:00Z"
Import = Callable[..., Any]


@pytest.fixture
def mirror(control_plane: Any, project: str) -> Import:
    """Imports one session; answers the response."""

    def send(name: str | None = None, state: dict[str, Any] | None = None, **session: Any) -> Any:
        origin = {"namespace": project, "name": name or f"s-{secrets.token_hex(4)}", "uid": UID}
        body = {"project_id": project, "name": "Tidy", **session}
        return control_plane("POST", "/sessions/import", json={"origin": origin, "session": body, "state": state or {}})

    return send


def test_a_session_is_mirrored_with_all_that_the_server_alone_writes(mirror: Import, call: Any, project: str) -> None:
    state = {
        "created_by": "ada",
        "phase": "Completed",
        "start_time": STARTED,
        "completion_time": "2026-01-31T12:05:00Z",
        "conditions": [{"type": "Ready", "status": "False", "reason": "Completed"}],
        "reconciled_repos": [{"url": "https://example.com/site.git", "status": "Ready"}],
    }
    made = mirror("s-1", state, prompt="Look.", labels={"team": "web"}).json
    row = call("GET", f"/sessions/{made['id']}").json
    assert (row["mirrored"], row["imported_from"], row["created_by"]) == (True, f"{project}/s-1/{UID}", "ada")
    assert (row["phase"], row["start_time"], row["prompt"]) == ("Completed", "2026-01-31T12:00:00.000000Z", "Look.")
    assert (row["conditions"], row["reconciled_repos"]) == (state["conditions"], state["reconciled_repos"])
    assert (row["kube_namespace"], row["kube_cr_name"], row["kube_cr_uid"]) == (project, "s-1", UID)
    assert "pending_message_id" not in row
    assert call("GET", f"/sessions/{row['id']}/messages").json["total"] == 0


def test_importing_it_again_changes_nothing_and_news_change_it_once(mirror: Import) -> None:
    first = mirror("s-2", {"phase": "Running", "start_time": STARTED}, prompt="Look.").json
    again = mirror("s-2", {"phase": "Running", "start_time": STARTED}, prompt="Look.").json
    assert again == first
    stopped = mirror("s-2", {"phase": "Stopped"}, labels={"team": "web"}).json
    assert (stopped["id"], stopped["version"], stopped["phase"]) == (first["id"], first["version"] + 1, "Stopped")
    assert stopped["labels"] == {"team": "web"}
    assert not {"prompt", "start_time"} & set(stopped)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"name": "Other"}),
        ("DELETE", "", None),
        ("POST", "/start", None),
        ("POST", "/stop", None),
        ("POST", "/messages", {"payload": "Go on."}),
        ("POST", "/agui/run", {}),
    ],
)
def test_a_mirrored_session_is_only_read_and_the_refusal_says_who_owns_it(
    mirror: Import, call: Any, project: str, method: str, path: str, body: Any
) -> None:
    row = mirror(state={"phase": "Running"}).json
    options = {} if body is None else {"json": body}
    answer = call(method, f"/sessions/{row['id']}{path}", **options)
    assert answer.status_code == 409
    assert f"belongs to the legacy platform, as {row['kube_cr_name']} in {project}" in answer.json["reason"]
    assert f"--hand-over {project}" in answer.json["reason"]
    assert call("GET", f"/sessions/{row['id']}").json["version"] == row["version"]


def test_the_control_plane_reports_no_status_of_a_mirrored_session(mirror: Import, control_plane: Any) -> None:
    row = mirror(state={"phase": "Running"}).json
    body = {"starts": row["starts"], "phase": "Failed"}
    assert control_plane("PATCH", f"/sessions/{row['id']}/status", json=body).status_code == 409


def test_a_mirrored_session_is_explained_by_its_owner(mirror: Import, call: Any, project: str) -> None:
    row = mirror("s-9", state={"phase": "Pending"}).json
    told = call("GET", f"/sessions/{row['id']}/explain").json
    assert f"It belongs to the legacy platform, as s-9 in {project}" in told["text"]
    assert "deadline" not in told


def test_a_copy_of_a_mirrored_session_is_ours(mirror: Import, call: Any) -> None:
    row = mirror(prompt="Look.").json
    copy = call("POST", f"/sessions/{row['id']}/clone").json
    assert (copy["mirrored"], copy.get("imported_from"), copy["parent_session_id"]) == (False, None, row["id"])
    assert call("POST", f"/sessions/{copy['id']}/start").status_code == 200


def test_a_fault_is_named_where_it_is(mirror: Import, project: str) -> None:
    wrong = mirror(llm_temperature=9, repos=[{"url": "no address"}], colour="red").json
    assert [fault["field"] for fault in wrong["errors"]] == [
        "/session/colour",
        "/session/llm_temperature",
        "/session/repos/0/url",
    ]
    assert mirror(state={"phase": "Sleeping"}).json["errors"][0]["field"] == "/state/phase"
    assert mirror("with/slash").json["errors"][0]["field"] == "/origin/name"


@pytest.mark.parametrize("path", ["import", "handover", "x/imported-messages"])
def test_nobody_but_the_control_plane_imports(call: Any, path: str) -> None:
    assert call("POST", f"/sessions/{path}", json={}).status_code == 403


def hand(control_plane: Any, project: str, owner: str) -> Any:
    return control_plane("POST", "/sessions/handover", json={"project_id": project, "owner": owner})


@pytest.fixture
def own_project(call: Any) -> str:
    name = f"p{secrets.token_hex(4)}"
    call("POST", "/projects", json={"name": name})
    return name


@pytest.fixture
def mirrored(control_plane: Any, own_project: str) -> Callable[..., Any]:
    def make(name: str, **body: Any) -> Any:
        origin = {"namespace": own_project, "name": name, "uid": UID}
        session = {"project_id": own_project, "name": name, **body.pop("session", {})}
        return control_plane("POST", "/sessions/import", json={"origin": origin, "session": session, "state": body})

    return make


def test_a_project_is_handed_over_whole_and_its_sessions_start_here(
    mirrored: Any, control_plane: Any, call: Any, own_project: str
) -> None:
    ran = mirrored("ran", phase="Completed", start_time=STARTED, session={"prompt": "Look."}).json
    fresh = mirrored("fresh", session={"prompt": "Look."}).json
    assert hand(control_plane, own_project, "ambient").json == {
        "project_id": own_project,
        "owner": "ambient",
        "sessions": 2,
    }
    ran, fresh = (call("GET", f"/sessions/{row['id']}").json for row in (ran, fresh))
    assert (ran["mirrored"], ran.get("kube_cr_name"), ran.get("pending_message_id")) == (False, None, None)
    assert fresh["pending_message_id"] == call("GET", f"/sessions/{fresh['id']}/messages").json["items"][0]["id"]
    assert {call("POST", f"/sessions/{row['id']}/start").json["phase"] for row in (ran, fresh)} == {"Pending"}
    assert hand(control_plane, own_project, "ambient").json["sessions"] == 0
    refused = mirrored("ran", phase="Stopped")
    assert (refused.status_code, "was handed over" in refused.json["reason"]) == (409, True)


def test_nothing_changes_hands_while_something_runs(
    mirrored: Any, control_plane: Any, call: Any, own_project: str
) -> None:
    still = mirrored("still", phase="Stopped").json
    mirrored("busy", phase="Running")
    refused = hand(control_plane, own_project, "ambient")
    assert refused.status_code == 409
    assert "these sessions run, stop them first: busy (" in refused.json["reason"]
    assert call("GET", f"/sessions/{still['id']}").json["mirrored"] is True


def test_a_project_goes_back_and_what_was_made_here_stays_ours(
    mirrored: Any, control_plane: Any, call: Any, own_project: str
) -> None:
    theirs = mirrored("theirs", phase="Stopped", start_time=STARTED).json
    ours = call("POST", "/sessions", json={"project_id": own_project, "name": "ours"}).json
    hand(control_plane, own_project, "ambient")
    call("POST", f"/sessions/{theirs['id']}/start")
    assert hand(control_plane, own_project, "legacy").status_code == 409
    call("POST", f"/sessions/{theirs['id']}/stop")
    control_plane("PATCH", f"/sessions/{theirs['id']}/status", json={"starts": 1, "phase": "Stopped"})
    assert hand(control_plane, own_project, "legacy").json["sessions"] == 1
    assert call("PATCH", f"/sessions/{theirs['id']}", json={"name": "x"}).status_code == 409
    assert call("PATCH", f"/sessions/{ours['id']}", json={"name": "x"}).status_code == 200
    assert mirrored("theirs", phase="Completed", start_time=STARTED).json["phase"] == "Completed"


def carry(control_plane: Any, session: str, after: int, *texts: str) -> Any:
    items = [
        {"event_type": "user" if n % 2 == 0 else "assistant", "payload": text} for n, text in enumerate(texts, after)
    ]
    return control_plane("POST", f"/sessions/{session}/imported-messages", json={"after": after, "items": items})


def test_messages_are_carried_once_in_their_order(mirror: Import, control_plane: Any, call: Any) -> None:
    session = mirror(state={"phase": "Stopped"}).json["id"]
    assert carry(control_plane, session, 0, "Look.", "Done.").json == {"total": 2, "added": 2}
    assert carry(control_plane, session, 0, "Look.", "Done.", "More?").json == {"total": 3, "added": 1}
    assert carry(control_plane, session, 3, "Yes.").json == {"total": 4, "added": 1}
    assert carry(control_plane, session, 1, "Done.").json == {"total": 4, "added": 0}
    found = call("GET", f"/sessions/{session}/messages").json["items"]
    assert [(m["seq"], m["payload"]) for m in found] == [(1, "Look."), (2, "Done."), (3, "More?"), (4, "Yes.")]


def test_messages_that_do_not_fit_are_refused_and_write_nothing(mirror: Import, control_plane: Any, call: Any) -> None:
    session = mirror(state={"phase": "Stopped"}).json["id"]
    carry(control_plane, session, 0, "Look.")
    assert "has 1 messages" in carry(control_plane, session, 2, "More").json["reason"]
    rewritten = carry(control_plane, session, 0, "Other.", "Done.")
    assert (rewritten.status_code, "rewritten its history" in rewritten.json["reason"]) == (409, True)
    assert call("GET", f"/sessions/{session}/messages").json["total"] == 1


def test_a_session_of_ours_takes_no_messages_of_the_legacy_platform(
    control_plane: Any, call: Any, project: str
) -> None:
    ours = call("POST", "/sessions", json={"project_id": project, "name": "ours"}).json
    assert carry(control_plane, ours["id"], 0, "Look.").status_code == 409
