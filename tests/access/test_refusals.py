"""What was refused is noted beside the requests, and what was done is logged: who, by which token, from where, in which operation."""

import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from ambient_core.access.rates import Rates
from ambient_core.access.refusals import OF_ONE
from ambient_core.app import Application
from ambient_core.changes import pruning
from ambient_core.config import Settings
from ambient_core.metrics import exposition
from conftest import Caller
from tests.access.people import People
from tests.e2e.conftest import wait_for

Noted = Callable[..., list[dict[str, Any]]]
FROM = {"environ_base": {"REMOTE_ADDR": "192.0.2.9"}}


@pytest.fixture
def noted(call: Any) -> Noted:
    """The refusals that have these facts, as soon as there are so many."""

    def found(count: int, **facts: Any) -> list[dict[str, Any]]:
        def read() -> list[dict[str, Any]]:
            search = " and ".join(f"{name} = {value!r}" for name, value in facts.items())
            items: list[dict[str, Any]] = call("GET", "/refusals", query_string={"search": search}).json["items"]
            return items

        wait_for(lambda: len(read()) >= count, "the refusals", 20)
        assert len(read()) == count
        return read()

    return found


@pytest.fixture
def token(call: Any, project: str) -> tuple[str, str]:
    """A service account's token that may look into a project: its id and its secret."""
    account = call("POST", "/service_accounts", json={"name": f"s{secrets.token_hex(4)}"}).json["id"]
    body = {"role_id": "project-editor", "scope": "project", "project_id": project, "service_account_id": account}
    assert call("POST", "/role_bindings", json=body).status_code == 201
    made = call("POST", "/tokens", json={"name": "t", "lifetime_days": 1, "service_account_id": account}).json["id"]
    return made, call("POST", f"/tokens/{made}/secret", json={}).json["token"]


def test_a_refusal_says_who_asked_for_what_from_where(people: People, project: str, noted: Noted) -> None:
    viewer = people.having("project:viewer", project_id=project)
    answer = viewer("DELETE", f"/projects/{project}", **FROM)
    assert answer.status_code == 403
    (found,) = noted(1, operation_id=answer.headers["X-Operation-ID"])
    assert found["actor"].startswith("person:")
    names = ("status", "code", "method", "route", "object_kind", "object_id", "address")
    expected = [403, "4", "DELETE", "/api/ambient/v1/projects/{id}", "Project", project, "192.0.2.9"]
    assert [found[name] for name in names] == expected


def test_of_a_token_that_nobody_knows_the_address_is_noted_and_the_token_is_not(
    app: Application, call: Any, noted: Noted
) -> None:
    secret = secrets.token_hex(16)
    answer = Caller(app.test_client(), secret)("GET", "/projects", environ_base={"REMOTE_ADDR": "192.0.2.10"})
    (found,) = noted(1, operation_id=answer.headers["X-Operation-ID"])
    assert (found["status"], found["address"], found.get("actor")) == (401, "192.0.2.10", None)
    assert secret not in call("GET", "/refusals").get_data(as_text=True)


def test_of_somebody_who_is_disabled_it_is_noted_who_tried(people: People, noted: Noted) -> None:
    name = people.somebody()
    assert people.admin("POST", f"/users/{name}/disable").status_code == 200
    answer = people.named(name)("GET", "/projects")
    (found,) = noted(1, operation_id=answer.headers["X-Operation-ID"])
    assert (found["status"], found["actor"]) == (401, f"person:{name}")


def test_a_404_is_noted_where_the_object_is_there_and_not_where_it_is_not(
    people: People, project: str, other: str, skill: Any, noted: Noted
) -> None:
    viewer, hidden = people.having("project:viewer", project_id=project), skill(other)
    nothing = viewer("GET", "/skills/nothing")
    kept = viewer("GET", f"/skills/{hidden}")
    assert (nothing.status_code, kept.status_code) == (404, 404)
    (found,) = noted(1, operation_id=kept.headers["X-Operation-ID"])
    assert (found["status"], found["object_kind"], found["object_id"]) == (404, "Skill", hidden)
    # Both were looked at in their order.
    noted(0, operation_id=nothing.headers["X-Operation-ID"])


def test_what_is_no_object_s_id_is_not_kept(app: Application, call: Any, noted: Noted) -> None:
    canary = f"canary-{secrets.token_hex(8)}"
    answer = Caller(app.test_client(), canary)("GET", f"/projects/{canary}")
    (found,) = noted(1, operation_id=answer.headers["X-Operation-ID"])
    assert (found["status"], found["object_kind"]) == (401, "Project")
    assert canary not in call("GET", "/refusals").get_data(as_text=True)


def test_an_operation_of_a_batch_is_noted_by_itself(
    people: People, project: str, other: str, skill: Any, noted: Noted
) -> None:
    editor, hidden = people.having("project:editor", project_id=project), skill(other)
    operations = [{"op": "patch", "kind": "Skill", "id": hidden, "body": {}}, "nonsense"]
    answer = editor("POST", "/batch", json={"operations": operations})
    assert [result["status"] for result in answer.json["results"]] == [404, 400]
    (found,) = noted(1, operation_id=answer.headers["X-Operation-ID"])
    assert (found["route"], found["object_kind"], found["object_id"]) == ("/api/ambient/v1/batch", "Skill", hidden)


def test_the_token_s_id_is_in_refusals_and_in_the_change_log(
    app: Application, call: Any, project: str, other: str, token: tuple[str, str], noted: Noted
) -> None:
    identifier, secret = token
    machine = Caller(app.test_client(), secret)
    body = {"name": f"s{secrets.token_hex(4)}", "project_id": project}
    made = machine("POST", "/skills", json=body, **FROM)
    refused = machine("POST", "/skills", json={**body, "project_id": other}, **FROM)
    assert (made.status_code, refused.status_code) == (201, 403)
    (found,) = noted(1, operation_id=refused.headers["X-Operation-ID"])
    assert found["token_id"] == identifier
    (change,) = call("GET", f"/changes?object_id={made.json['id']}").json["items"]
    facts = (change["token_id"], change["address"], change["operation_id"])
    assert facts == (identifier, "192.0.2.9", made.headers["X-Operation-ID"])
    assert secret not in call("GET", "/changes").get_data(as_text=True)


def test_where_others_come_from_is_shown_to_who_may_see_everything_alone(
    people: People, project: str, skill: Any
) -> None:
    made, viewer = skill(project), people.having("project:viewer", project_id=project)
    (change,) = viewer("GET", f"/changes?object_id={made}").json["items"]
    assert "operation_id" in change
    assert not {"address", "token_id"} & set(change)
    assert viewer("GET", "/refusals").status_code == 403
    assert people.having("platform:admin")("GET", "/refusals").status_code == 200


def dropped() -> float:
    found = re.search(rb'ambient_refusals_dropped_total{reason="caller"} (\S+)', exposition())
    return float(found[1]) if found else 0.0


def test_one_who_is_refused_again_and_again_is_noted_now_and_then(app: Application, noted: Noted) -> None:
    address, before = "192.0.2.11", dropped()
    stranger = Caller(app.test_client(), secrets.token_hex(16))
    for _ in range(OF_ONE + 5):
        assert stranger("GET", "/projects", environ_base={"REMOTE_ADDR": address}).status_code == 401
    noted(OF_ONE, address=address)
    assert dropped() - before == 5


def test_too_many_requests_are_noted(app: Application, settings: Settings, noted: Noted) -> None:
    before = app.runtime
    app.runtime = replace(before, rates=Rates(replace(settings, address_rate_limit=1)))
    try:
        stranger = Caller(app.test_client(), None)
        answers = [stranger("GET", "/version", environ_base={"REMOTE_ADDR": "192.0.2.12"}) for _ in range(2)]
    finally:
        app.runtime = before
    assert answers[1].status_code == 429
    assert noted(1, address="192.0.2.12")[0]["route"] == "/api/ambient/v1/version"


def test_no_refusal_waits_for_its_note(app: Application, database_url: str, noted: Noted) -> None:
    stranger = Caller(app.test_client(), secrets.token_hex(16))
    with psycopg.connect(database_url) as outside:
        outside.execute("LOCK TABLE refusals")
        answer = stranger("GET", "/projects", environ_base={"REMOTE_ADDR": "192.0.2.13"})
        assert answer.status_code == 401
    noted(1, operation_id=answer.headers["X-Operation-ID"])


def test_refusals_are_kept_for_a_time_and_so_many_at_most(
    app: Application, call: Any, settings: Settings, noted: Noted
) -> None:
    stranger, address = Caller(app.test_client(), secrets.token_hex(16)), "192.0.2.14"
    for _ in range(3):
        stranger("GET", "/projects", environ_base={"REMOTE_ADDR": address})
    kept = [found["id"] for found in noted(3, address=address)]
    database = app.runtime.database
    with database.transaction() as transaction:
        transaction.raw(
            "UPDATE refusals SET created_at = now() - interval '31 days' WHERE id = %(id)s", {"id": kept[0]}
        )
    pruning.prune(database, settings)
    assert [found["id"] for found in noted(2, address=address)] == kept[1:]
    assert pruning.prune(database, replace(settings, refusal_limit=1, prune_batch=1)).refusals >= 1
    assert [found["id"] for found in call("GET", "/refusals").json["items"]] == [kept[2]]
