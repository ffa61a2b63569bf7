"""Cases 13 and 14: a person is issuer and subject, made once, kept up to date, and out when an administrator says so."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ambient_users import standing

from ambient_core import Principal, hookimpl, watch
from ambient_core.identity import oidc
from ambient_core.plugins import Source
from ambient_core.rest import credential
from tests.e2e.conftest import wait_for
from tests.identity.conftest import Asked
from tests.identity.issuer import AUDIENCE, Issuer
from tests.streams import Stream

IN_EARNEST = (max(oidc.CONFIRMED, standing.TRUSTED), credential.RECHECK, watch.HEARTBEAT)
Rows = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask often, so that tests need not wait; how long it takes in earnest is a number beside."""
    monkeypatch.setattr(oidc, "CONFIRMED", 0.0)
    monkeypatch.setattr(standing, "TRUSTED", 0.0)
    monkeypatch.setattr(credential, "RECHECK", 0.1)
    monkeypatch.setattr(watch, "HEARTBEAT", 0.2)


@pytest.fixture
def rows(api: Asked) -> Rows:
    """The users of a subject."""

    def find(subject: str) -> list[dict[str, Any]]:
        statement = "SELECT id, username, name, email, version, disabled FROM users WHERE subject = %(subject)s"
        with api.application.runtime.database.transaction() as transaction:
            cursor = transaction.raw(statement, {"subject": subject})
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    return find


def age(api: Asked, subject: str) -> None:
    """Let a user's row be older than any token: what the provider says afterwards is news."""
    statement = "UPDATE users SET updated_at = now() - interval '1 hour' WHERE subject = %(subject)s"
    with api.application.runtime.database.transaction() as transaction:
        transaction.raw(statement, {"subject": subject})


def test_case_13_fifty_first_requests_at_once_make_one_user(api: Asked, issuer: Issuer, rows: Rows) -> None:
    tokens = [issuer.token(sub="first", jti=str(number)) for number in range(50)]
    with ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(lambda token: api(token).status_code, tokens))
    assert (set(statuses), len(rows("first"))) == ({404}, 1)
    made = api(tokens[0], f"/users/{rows('first')[0]['id']}").json
    assert (made["issuer"], made["subject"], made["version"]) == (issuer.url, "first", 1)


def test_the_making_of_a_user_is_in_the_change_log_in_the_persons_own_name(
    api: Asked, issuer: Issuer, rows: Rows
) -> None:
    token = issuer.token(sub="logged")
    api(token)
    found = api(token, f"/users/{rows('logged')[0]['id']}/history").json["items"]
    assert [(c["verb"], c["actor"]) for c in found] == [("create", f"person:{rows('logged')[0]['id']}")]


def test_the_gateway_makes_the_same_user(serving: Any, api: Asked, issuer: Issuer, rows: Rows) -> None:
    token = issuer.token(sub="both")
    assert (serving(issuer, "gateway")(token).status_code, api(token).status_code) == (404, 404)
    assert len(rows("both")) == 1


def test_the_same_subject_of_another_issuer_is_somebody_else(
    serving: Any, issuer: Issuer, own_issuer: Issuer, rows: Rows
) -> None:
    facts = {"sub": "twin", "email": "twin@example.com", "preferred_username": "twin"}
    for one in (issuer, own_issuer):
        assert serving(one)(one.token(**facts)).status_code == 404
    first, second = sorted(rows("twin"), key=lambda row: len(row["username"]))
    assert (first["username"], second["username"].startswith("twin~")) == ("twin", True)


def test_what_is_known_costs_no_write(api: Asked, issuer: Issuer, rows: Rows) -> None:
    for number in range(5):
        # Each newer than the row, so that only what it says can tell that there is nothing to write.
        newer = int(time.time()) + 10 + number
        assert api(issuer.token(sub="calm", name="Calm", iat=newer)).status_code == 404
    assert [row["version"] for row in rows("calm")] == [1]


def test_name_and_address_are_refreshed_when_a_newer_token_says_so(api: Asked, issuer: Issuer, rows: Rows) -> None:
    api(issuer.token(sub="moved", name="Old", email="old@example.com"))
    age(api, "moved")
    api(issuer.token(sub="moved", name="New", email="new@example.com"))
    assert [(r["name"], r["email"], r["version"]) for r in rows("moved")] == [("New", "new@example.com", 2)]


def test_an_older_token_and_one_that_says_nothing_change_nothing(api: Asked, issuer: Issuer, rows: Rows) -> None:
    api(issuer.token(sub="kept", name="Kept", email="kept@example.com"))
    api(issuer.token(sub="kept", name="Older", iat=int(time.time()) - 50))
    age(api, "kept")
    api(issuer.token(sub="kept", email="no address"))
    assert [(r["name"], r["email"], r["version"]) for r in rows("kept")] == [("Kept", "kept@example.com", 1)]


@pytest.mark.parametrize(
    "strange",
    [{"preferred_username": "x" * 300}, {"name": ["a"]}, {"email": "a\0b@c"}, {"name": "\ud800"}, {"name": " "}],
)
def test_claims_that_cannot_be_stored_keep_nobody_out(api: Asked, issuer: Issuer, strange: dict[str, Any]) -> None:
    assert api(issuer.token(sub=f"odd-{hash(str(strange))}", **strange)).status_code == 404


def ids(rows: Rows, subject: str) -> str:
    return str(rows(subject)[0]["id"])


def test_a_disabled_user_is_out_on_every_surface_and_in_again_when_enabled(
    serving: Any, api: Asked, issuer: Issuer, rows: Rows
) -> None:
    gateway, token, admin = serving(issuer, "gateway"), issuer.token(sub="out"), issuer.token(sub="admin")
    assert (api(token).status_code, gateway(token).status_code) == (404, 404)
    disabled = api(admin, f"/users/{ids(rows, 'out')}/disable", method="POST")
    assert (disabled.status_code, disabled.json["disabled"]) == (200, True)
    refused = [api(token), gateway(token), api(issuer.token(sub="out", jti="another"))]
    assert {answer.status_code for answer in refused} == {401}
    assert {answer.json["reason"] for answer in refused} == {api("a.b.c").json["reason"]}
    assert api(admin, f"/users/{ids(rows, 'out')}/enable", method="POST").json["disabled"] is False
    assert api(token).status_code == 404


def test_a_disabled_user_is_out_with_whatever_token(serving: Any, issuer: Issuer, rows: Rows) -> None:
    """Somebody else's token, such as an API token, leads to the same person and the same refusal."""

    @hookimpl
    def ambient_authenticate(request: Any) -> Principal | None:
        given = request.headers.get("Authorization", "")
        return Principal("person", given.removeprefix("Bearer key-"), "by key") if "key-" in given else None

    module = ModuleType("keys")
    module.__dict__["ambient_authenticate"] = ambient_authenticate
    asked = serving(issuer, sources=[Source("keys", lambda: module, "1.0")])
    asked(issuer.token(sub="keyed"))
    key = f"key-{ids(rows, 'keyed')}"
    assert asked(key).status_code == 404
    asked(issuer.token(sub="admin"), f"/users/{ids(rows, 'keyed')}/disable", method="POST")
    assert asked(key).status_code == 401


def test_in_earnest_a_refusal_counts_within_five_seconds_and_within_thirty_for_a_stream() -> None:
    assert IN_EARNEST[0] <= 5
    assert sum(IN_EARNEST) <= 30


def test_disabled_is_no_field_that_a_caller_writes(api: Asked, issuer: Issuer) -> None:
    token = issuer.token(sub="writer")
    body = {"username": "w", "name": "W", "disabled": True}
    assert api(token, "/users", method="POST", json=body).status_code == 400


def test_who_was_made_before_is_that_user_when_the_person_comes(api: Asked, issuer: Issuer, rows: Rows) -> None:
    admin = issuer.token(sub="admin")
    body = {"username": "expected", "name": "Expected", "issuer": issuer.url, "subject": "expected"}
    made = api(admin, "/users", method="POST", json=body)
    assert made.status_code == 201, made.json
    assert api(admin, "/users", method="POST", json={**body, "username": "again"}).status_code == 409
    api(issuer.token(sub="expected", preferred_username="whoever", name="Known By Now"))
    assert ids(rows, "expected") == made.json["id"]
    fixed = api(admin, f"/users/{made.json['id']}", method="PATCH", json={"subject": "another"})
    assert (fixed.status_code, fixed.json["errors"][0]["field"]) == (400, "/subject")


@pytest.mark.parametrize(("given", "missing"), [("issuer", "/subject"), ("subject", "/issuer")])
def test_half_of_what_identifies_a_person_is_refused(api: Asked, issuer: Issuer, given: str, missing: str) -> None:
    body = {"username": f"half-{given}", "name": "Half", given: issuer.url}
    answer = api(issuer.token(sub="admin"), "/users", method="POST", json=body)
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, missing)


class Reading:
    """Opens a stream as a person, as `Stream` wants to."""

    def __init__(self, asked: Asked, token: str) -> None:
        self.asked = asked
        self.token = token

    def __call__(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers")}
        client = self.asked.application.test_client()
        return client.open(f"/api/ambient/v1{path}", method=method, headers=headers, **options)


@pytest.fixture
def watching(api: Asked, issuer: Issuer) -> Iterator[Callable[[str], Stream]]:
    opened: list[Stream] = []

    def watch_as(subject: str) -> Stream:
        opened.append(Stream(Reading(api, issuer.token(sub=subject)), "/changes"))
        assert opened[-1].cursor
        return opened[-1]

    yield watch_as
    for stream in opened:
        stream.leave()


def test_case_14_the_stream_of_a_user_who_is_deleted_ends(
    api: Asked, issuer: Issuer, rows: Rows, watching: Callable[[str], Stream]
) -> None:
    stream, admin = watching("leaving"), issuer.token(sub="admin")
    assert api(admin, f"/users/{ids(rows, 'leaving')}", method="DELETE").status_code == 204
    assert stream.until(1, "ERROR")[0]["status"] == 401


def test_the_stream_of_a_user_who_is_disabled_ends(
    api: Asked, issuer: Issuer, rows: Rows, watching: Callable[[str], Stream]
) -> None:
    stream, admin = watching("silenced"), issuer.token(sub="admin")
    assert api(admin, f"/users/{ids(rows, 'silenced')}/disable", method="POST").status_code == 200
    assert stream.until(1, "ERROR")[0]["status"] == 401


@pytest.fixture
def running(api: Asked, issuer: Issuer) -> str:
    """A session that runs, as far as its row says."""
    admin, name = issuer.token(sub="admin"), f"p{time.monotonic_ns()}"
    assert api(admin, "/projects", method="POST", json={"name": name}).status_code == 201
    made = api(admin, "/sessions", method="POST", json={"name": "s", "project_id": name}).json["id"]
    with api.application.runtime.database.transaction() as transaction:
        transaction.raw("UPDATE sessions SET phase = 'Running' WHERE id = %(id)s", {"id": made})
    return str(made)


@pytest.mark.parametrize("where", ["api", "gateway"])
@pytest.mark.slow
def test_a_silent_agui_stream_of_a_user_who_is_disabled_is_cut(
    serving: Any, api: Asked, issuer: Issuer, rows: Rows, running: str, where: str
) -> None:
    subject, admin = f"viewer-{where}", issuer.token(sub="admin")
    opened = Reading(serving(issuer, where), issuer.token(sub=subject))(
        "GET", f"/sessions/{running}/agui/events", headers={}, buffered=False
    )
    pieces = opened.response
    assert next(pieces)
    assert api(admin, f"/users/{ids(rows, subject)}/disable", method="POST").status_code == 200
    assert [piece for piece in pieces if b"data" in piece] == []
    opened.close()


def test_without_the_users_plugin_issuer_and_subject_are_the_principal(serving: Any, issuer: Issuer) -> None:
    bare = serving(issuer, plugins_disabled="access,users")
    answer = bare(issuer.token(), "/projects", method="POST", json={"name": f"p{time.monotonic_ns()}"})
    assert answer.status_code == 201
    found = bare(issuer.token(), f"/projects/{answer.json['id']}/history").json["items"]
    assert found[0]["actor"] == f"person:{issuer.url}#ada"


def test_groups_become_roles_by_the_file_and_the_file_may_change_while_serving(
    serving: Any, issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ambient_core.identity.issuers.LOOK", 0.0)
    file = tmp_path / "issuers.toml"
    entry = f"[[issuers]]\nissuer = '{issuer.url}'\naudience = '{AUDIENCE}'\ngroups = 'realm_access.roles'\n"
    file.write_text(entry + "roles = {ops = 'platform:viewer'}\n")
    asked = serving(None, oidc_file=file)
    token = issuer.token(realm_access={"roles": ["ops", "dev"]})
    assert principal(asked, token).roles == {"platform:viewer"}
    file.write_text(entry + "roles = {ops = 'platform:admin', dev = ['x', 'y']}\n")
    wait_for(lambda: principal(asked, token).roles == {"platform:admin", "x", "y"}, "the new mapping", 5)
    assert principal(asked, token).groups == {"ops", "dev"}


def principal(asked: Asked, token: str) -> Any:
    """Who a token is."""
    from flask import g

    from ambient_core.rest.operation import Operation

    with asked.application.test_request_context(headers={"Authorization": f"Bearer {token}"}):
        operation = g.operation = Operation("test", asked.application.runtime)
        asked.application.identify(operation)
        return operation.principal
