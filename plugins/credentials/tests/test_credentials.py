"""Credentials: who keeps them, to which sessions they are lent, and who fetches what is secret of them."""

from dataclasses import replace
from typing import Any

import pytest

from ambient_core.secrets.keyring import Keyring
from tests.access.people import People

TOKEN = "canary-of-a-credential"


@pytest.fixture
def owner(people: People, project: str) -> Any:
    """Somebody who owns a project."""
    return people.having("project:owner", project_id=project)


def fetch(caller: Any, credential: str) -> Any:
    return caller("GET", f"/credentials/{credential}/token")


def seen(caller: Any) -> set[str]:
    return {item["id"] for item in caller("GET", "/credentials").json["items"]}


def test_who_makes_a_credential_owns_it_and_nobody_else_sees_it(people: People, owner: Any, made: Any) -> None:
    credential = made(owner)
    assert credential in seen(owner)
    assert owner("PATCH", f"/credentials/{credential}", json={"token": "another"}).json["version"] == 2
    stranger = people.named(people.new())
    assert credential not in seen(stranger)
    assert stranger("GET", f"/credentials/{credential}").status_code == 404
    assert stranger("PATCH", f"/credentials/{credential}", json={"token": "x"}).status_code in (403, 404)
    assert owner("DELETE", f"/credentials/{credential}").status_code == 204


def test_nobody_but_a_session_fetches_the_token(people: People, owner: Any, control_plane: Any, made: Any) -> None:
    credential = made(owner)
    admin = people.having("platform:admin")
    assert [fetch(c, credential).status_code for c in (owner, admin, people.admin, control_plane)] == [403] * 4
    assert fetch(owner, credential).json["reason"] == "You may not use fetch_token of a Credential."


def test_a_session_fetches_what_is_lent_to_its_project_and_each_time_is_in_the_log(
    owner: Any, project: str, made: Any, lend: Any, running: Any, people: People
) -> None:
    credential, session = made(owner), running(project)
    assert fetch(session, credential).status_code == 404
    assert lend(owner, credential, project_id=project).status_code == 201
    answer = fetch(session, credential)
    assert (answer.status_code, answer.json) == (
        200,
        {"credential_id": credential, "provider": "github", "token": TOKEN},
    )
    assert answer.headers["Cache-Control"] == "no-store"
    assert fetch(session, credential).status_code == 200
    log = people.admin("GET", f"/changes?object_id={credential}").json["items"]
    assert [(e["verb"], e["version"]) for e in log] == [("fetch_token", 1), ("fetch_token", 1), ("create", 1)]
    assert {e["actor"] for e in log[:2]} == {f"session:{session.session}"}
    assert TOKEN not in str(log)
    fetched = people.admin("GET", f"/changes?object_id={credential}&verb=fetch_token").json["items"]
    assert fetched == log[:2]


def test_a_fetch_is_no_new_version_and_no_new_object_for_who_watches(
    owner: Any, project: str, made: Any, lend: Any, running: Any
) -> None:
    credential = made(owner)
    lend(owner, credential, project_id=project)
    fetch(running(project), credential)
    assert owner("GET", f"/credentials/{credential}").headers["ETag"] == '"1"'
    history = owner("GET", f"/credentials/{credential}/history").json["items"]
    assert [(entry["verb"], entry.get("diff")) for entry in history] == [("fetch_token", []), ("create", None)]


def test_a_session_does_not_see_who_else_uses_what_it_was_lent(
    people: People, project: str, other: str, made: Any, lend: Any, running: Any
) -> None:
    credential, mine, theirs = made(people.admin), running(project), running(other)
    for place in (project, other):
        lend(people.admin, credential, project_id=place)
    assert (fetch(theirs, credential).status_code, fetch(mine, credential).status_code) == (200, 200)
    for path in (f"/credentials/{credential}/history", "/changes?kinds=Credential", "/credentials?watch=true"):
        assert mine("GET", path).status_code == 403, path
    assert theirs.session not in mine("GET", "/changes").text


def test_a_session_of_another_project_and_one_that_has_ended_fetch_nothing(
    owner: Any, project: str, other: str, made: Any, lend: Any, running: Any, control_plane: Any
) -> None:
    credential = made(owner)
    lend(owner, credential, project_id=project)
    elsewhere, ended = running(other), running(project)
    assert fetch(elsewhere, credential).status_code == 404
    assert credential not in seen(elsewhere)
    assert fetch(ended, credential).status_code == 200
    over = {"starts": 1, "phase": "Failed"}
    assert control_plane("PATCH", f"/sessions/{ended.session}/status", json=over).status_code == 200
    assert fetch(ended, credential).status_code == 401


def test_a_session_writes_no_credential_and_lends_none(
    owner: Any, project: str, made: Any, lend: Any, running: Any
) -> None:
    credential, session = made(owner), running(project)
    lend(owner, credential, project_id=project)
    assert session("PATCH", f"/credentials/{credential}", json={"token": "x"}).status_code == 403
    assert session("POST", "/credentials", json={"name": "n", "provider": "github"}).status_code == 403
    assert lend(session, credential, project_id=project).status_code == 403


def test_of_one_provider_the_project_s_is_before_everybody_s_and_the_first_before_the_next(
    people: People, owner: Any, project: str, made: Any, lend: Any, running: Any
) -> None:
    everybody_s, first, second = (made(people.admin) for _ in range(3))
    jira = made(people.admin, provider="jira")
    session = running(project)
    lend(people.admin, everybody_s)
    assert seen(session) == {everybody_s}
    for credential in (first, second, jira):
        lend(people.admin, credential, project_id=project)
    assert seen(session) == {first, jira}
    assert fetch(session, everybody_s).status_code == 404


def test_what_is_taken_back_is_gone_at_once(
    people: People, owner: Any, project: str, made: Any, lend: Any, running: Any
) -> None:
    credential, session = made(people.admin), running(project)
    loan = lend(people.admin, credential, project_id=project).json["id"]
    assert fetch(session, credential).status_code == 200
    # The owner of the project does not own the credential, and does not want it here.
    assert owner("DELETE", f"/role_bindings/{loan}").status_code == 204
    assert fetch(session, credential).status_code == 404


def test_nobody_lends_what_they_do_not_own_or_to_sessions_that_are_not_theirs(
    people: People, owner: Any, project: str, other: str, made: Any, lend: Any
) -> None:
    credential = made(owner)
    viewer = people.named(name := people.new())
    people.give("credential:viewer", name, credential_id=credential)
    people.give("project:owner", name, project_id=project)
    assert viewer("GET", f"/credentials/{credential}").status_code == 200
    assert lend(viewer, credential, project_id=project).status_code == 403
    assert lend(owner, credential, project_id=other).status_code == 400
    seeing = people.named(name := people.new())
    people.give("project:viewer", name, project_id=project)
    assert lend(seeing, made(seeing), project_id=project).status_code == 403
    assert lend(owner, credential).status_code == 403


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"role_id": "credential-owner"}, "/role_id"),
        ({"role_id": "project-owner"}, "/role_id"),
        ({"agent_id": "a b"}, "/agent_id"),
        ({"agent_id": "a", "project_id": None}, "/project_id"),
        ({"credential_id": "nowhere"}, "/credential_id"),
        ({"session_id": "s"}, "/session_id"),
    ],
)
def test_a_loan_that_cannot_be_is_refused_and_says_why(
    owner: Any, project: str, made: Any, changed: dict[str, str], field: str
) -> None:
    body = {
        "role_id": "credential-viewer",
        "scope": "credential",
        "credential_id": made(owner),
        "project_id": project,
        **changed,
    }
    answer = owner("POST", "/role_bindings", json=body)
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, field)


def test_with_a_credential_its_bindings_go(people: People, owner: Any, project: str, made: Any, lend: Any) -> None:
    credential = made(owner)
    lend(owner, credential, project_id=project)
    search = f"/role_bindings?search=credential_id = '{credential}'"
    assert people.admin("GET", search).json["total"] == 2
    assert owner("DELETE", f"/credentials/{credential}").status_code == 204
    assert people.admin("GET", search).json["total"] == 0


def test_one_without_a_token_says_so(owner: Any, project: str, made: Any, lend: Any, running: Any) -> None:
    credential = made(owner, token=None)
    lend(owner, credential, project_id=project)
    answer = fetch(running(project), credential)
    assert (answer.status_code, "has no token" in answer.json["reason"]) == (409, True)


def test_a_key_that_this_server_lacks_is_a_fault_of_ours_and_in_the_log(
    people: People, owner: Any, project: str, made: Any, lend: Any, running: Any, monkeypatch: Any, caplog: Any
) -> None:
    credential, session = made(owner), running(project)
    lend(owner, credential, project_id=project)
    monkeypatch.setattr(people.app, "runtime", replace(people.app.runtime, keyring=Keyring({9: b"9" * 32})))
    answer = fetch(session, credential)
    assert (answer.status_code, "sealed with key 1" in answer.json["reason"]) == (500, True)
    assert "sealed with key 1, which this server's keyring lacks" in caplog.text
    assert people.admin("GET", f"/changes?object_id={credential}&verb=fetch_token").json["items"] == []


def bindings(caller: Any) -> set[str]:
    return {item["id"] for item in caller("GET", "/role_bindings").json["items"]}


def test_an_owner_sees_who_has_the_credential_and_no_other_binding(
    people: People, owner: Any, project: str, made: Any, lend: Any
) -> None:
    credential, keeper = made(people.admin), people.named(name := people.new())
    mine = people.give("credential:owner", name, credential_id=credential)
    loan = lend(people.admin, credential, project_id=project).json["id"]
    lend(people.admin, made(people.admin), project_id=project)
    assert bindings(keeper) == {mine, loan}
    assert keeper("GET", f"/role_bindings/{loan}").json["project_id"] == project
    assert keeper("DELETE", f"/role_bindings/{loan}").status_code == 204
    assert bindings(keeper) == {mine}


def test_who_only_sees_a_credential_does_not_see_who_has_it(people: People, project: str, made: Any, lend: Any) -> None:
    credential, viewer = made(people.admin), people.named(name := people.new())
    mine = people.give("credential:viewer", name, credential_id=credential)
    loan = lend(people.admin, credential, project_id=project).json["id"]
    assert bindings(viewer) == {mine}
    assert viewer("GET", f"/role_bindings/{loan}").status_code == 404
