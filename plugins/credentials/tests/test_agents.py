"""Credentials that are lent to an agent of a project: before the project's, before everybody's, and for no other agent."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.access.people import People


@pytest.fixture
def tiers(people: People, project: str, made: Any, lend: Any) -> Iterator[list[str]]:
    """Three credentials of one provider: lent to the agent ann of the project, to the project, and to everybody."""
    lent = [made(people.admin, provider="gitlab") for _ in range(3)]
    # The nearest last, so that it is not first because it was lent first.
    for credential, place in zip(reversed(lent), ({}, {"project_id": project}, at(project)), strict=True):
        assert lend(people.admin, credential, **place).status_code == 201
    yield lent
    # Everybody's would be everybody's in the next test too.
    for credential in lent:
        assert people.admin("DELETE", f"/credentials/{credential}").status_code == 204


def at(project: str, agent: str = "ann") -> dict[str, str]:
    return {"project_id": project, "agent_id": agent}


def has(session: Any) -> list[str]:
    """The credentials of GitLab that a session sees."""
    return [item["id"] for item in session("GET", "/credentials?search=provider = 'gitlab'").json["items"]]


def test_a_session_has_its_agent_s_else_its_project_s_else_everybody_s(
    project: str, other: str, tiers: list[str], running: Any
) -> None:
    sessions = [running(project, "ann"), running(project, "bob"), running(project), running(other, "ann")]
    of_agent, of_project, everybody_s = tiers
    assert [has(session) for session in sessions] == [[of_agent], [of_project], [of_project], [everybody_s]]


def test_it_fetches_that_one_alone_and_the_log_says_which_session_fetched_which(
    people: People, project: str, other: str, tiers: list[str], running: Any
) -> None:
    sessions = [running(project, "ann"), running(project, "bob"), running(other, "ann")]
    answers = [[one("GET", f"/credentials/{tier}/token").status_code for tier in tiers] for one in sessions]
    assert answers == [[200, 404, 404], [404, 200, 404], [404, 404, 200]]
    for tier, session in zip(tiers, sessions, strict=True):
        log = people.admin("GET", f"/changes?object_id={tier}&verb=fetch_token").json["items"]
        assert [entry["actor"] for entry in log] == [f"session:{session.session}"]


def test_what_an_agent_was_lent_and_lost_leaves_the_next_tier_at_once(
    people: People, project: str, tiers: list[str], running: Any
) -> None:
    session, found = running(project, "ann"), people.admin("GET", f"/role_bindings?search=credential_id = '{tiers[0]}'")
    (loan,) = (item["id"] for item in found.json["items"] if item.get("agent_id") == "ann")
    assert people.admin("DELETE", f"/role_bindings/{loan}").status_code == 204
    assert has(session) == [tiers[1]]


def test_who_starts_an_agent_s_sessions_lends_to_that_agent_and_takes_back(
    people: People, project: str, other: str, made: Any, lend: Any, running: Any
) -> None:
    owner = people.having("project:editor", agent_id="ann", project_id=project)
    credential = made(owner, provider="gitlab")
    loan = lend(owner, credential, **at(project))
    assert loan.status_code == 201, loan.json
    assert has(running(project, "ann")) == [credential]
    wider = [lend(owner, credential, **place) for place in (at(project, "bob"), at(other), {"project_id": project})]
    assert [answer.status_code for answer in wider] == [400] * 3
    assert lend(owner, credential).status_code == 403
    assert owner("DELETE", f"/role_bindings/{loan.json['id']}").status_code == 204


def test_the_owner_of_the_project_lends_to_its_agents_and_takes_back_what_others_lent(
    people: People, project: str, made: Any, lend: Any
) -> None:
    owner = people.having("project:owner", project_id=project)
    assert lend(owner, made(owner), **at(project)).status_code == 201
    loan = lend(people.admin, made(people.admin), **at(project)).json["id"]
    assert owner("DELETE", f"/role_bindings/{loan}").status_code == 204
