"""API tokens: shown once, narrowed, with an end, and dead as soon as they are taken back."""

import secrets
from dataclasses import replace
from typing import Any

import pytest
from ambient_access import grants, standing, tokens, tokenstore
from ambient_access.settings import AccessSettings

from tests.access.people import People


@pytest.fixture
def owner(people: People, project: str) -> Any:
    """A real user who owns the project."""
    name = people.new()
    user = people.admin("POST", "/users", json={"username": name, "name": name}).json["id"]
    people.give("project:owner", user, project_id=project)
    return people.named(user)


def made(call: Any, **fields: Any) -> dict[str, Any]:
    answer = call("POST", "/tokens", json={"name": "test", "lifetime_days": 1, **fields})
    assert answer.status_code == 201, answer.json
    return answer.json


def secret_of(call: Any, token: dict[str, Any], **body: Any) -> str:
    answer = call("POST", f"/tokens/{token['id']}/secret", json=body)
    assert answer.status_code == 201, answer.json
    return str(answer.json["token"])


@pytest.fixture
def with_token(people: People) -> Any:
    return lambda secret: type(people.admin)(people.app.test_client(), secret)


def test_a_token_acts_for_its_owner_and_is_kept_as_a_hash(
    owner: Any, project: str, skill: Any, with_token: Any, app: Any
) -> None:
    mine = skill(project)
    token = made(owner)
    secret = secret_of(owner, token)
    assert secret.startswith("ambient_")
    assert with_token(secret)("GET", f"/skills/{mine}").status_code == 200
    shown = owner("GET", f"/tokens/{token['id']}").json
    assert secret not in str(shown)
    assert shown["last_used_at"] > token["created_at"]
    with app.runtime.database.transaction() as transaction:
        kept = transaction.raw("SELECT string_agg(s::text, '') FROM token_secrets AS s").fetchone()[0]
        log = transaction.raw("SELECT string_agg(c::text, '') FROM changes AS c").fetchone()[0]
    assert secret not in kept + log


def ask_again(owner: Any, token: dict[str, Any], app: Any) -> tuple[Any, Any, int]:
    """A secret asked for, and asked for again by who heard no answer; with how many secrets there are then."""
    key = {"Idempotency-Key": secrets.token_hex(8)}
    first, again = (owner("POST", f"/tokens/{token['id']}/secret", json={}, headers=key) for _ in range(2))
    with app.runtime.database.transaction() as transaction:
        count = transaction.raw("SELECT count(*) FROM token_secrets WHERE token_id = %(id)s", token).fetchone()[0]
    return first, again, count


def test_a_secret_whose_answer_was_lost_is_told_again_and_is_the_only_one(
    owner: Any, app: Any, with_token: Any
) -> None:
    first, again, count = ask_again(owner, made(owner), app)
    assert (again.status_code, again.data, count) == (201, first.data, 1)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert with_token(again.json["token"])("GET", "/skills").status_code == 200


def test_without_a_keyring_a_secret_is_told_once_and_whoever_repeats_is_told_what_to_do(
    owner: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = made(owner)
    monkeypatch.setattr(app, "runtime", replace(app.runtime, keyring=None))
    first, again, count = ask_again(owner, token, app)
    assert (first.status_code, again.status_code, count) == (201, 409, 1)
    assert "ask for another secret, with a new Idempotency-Key" in again.json["reason"]


def test_a_key_that_answered_a_secret_answers_nobody_else(owner: Any, people: People, app: Any) -> None:
    token, key = made(owner), {"Idempotency-Key": secrets.token_hex(8)}
    assert owner("POST", f"/tokens/{token['id']}/secret", json={}, headers=key).status_code == 201
    other = people.named(people.new())
    assert other("POST", f"/tokens/{token['id']}/secret", json={}, headers=key).status_code in (403, 404)


def test_no_cache_on_the_way_keeps_a_secret(owner: Any) -> None:
    answer = owner("POST", f"/tokens/{made(owner)['id']}/secret", json={})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")


@pytest.mark.parametrize(
    "spoil", [lambda s: s[:-1] + ("a" if s[-1] != "a" else "b"), lambda s: s + "x", lambda _: tokens.new_secret()]
)
def test_a_token_that_was_changed_or_invented_is_refused(owner: Any, with_token: Any, spoil: Any) -> None:
    answer = with_token(spoil(secret_of(owner, made(owner))))("GET", "/skills")
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_case_11_a_token_does_nothing_outside_its_scope_and_makes_none_that_is_wider(
    owner: Any, project: str, skill: Any, with_token: Any
) -> None:
    mine = skill(project)
    narrow = with_token(secret_of(owner, made(owner, permissions=["skill:read", "token:create"])))
    assert narrow("GET", f"/skills/{mine}").status_code == 200
    for method, path in (("GET", "/sessions"), ("DELETE", f"/skills/{mine}"), ("POST", "/projects")):
        assert narrow(method, path, json={} if method == "POST" else None).status_code == 403
    for permissions in (["skill:read", "skill:delete"], ["*:*"], None):
        body = {"name": "wider", "lifetime_days": 1, "permissions": permissions}
        assert narrow("POST", "/tokens", json={k: v for k, v in body.items() if v is not None}).status_code == 403
    assert (
        narrow("POST", "/tokens", json={"name": "same", "lifetime_days": 1, "permissions": ["skill:list"]}).status_code
        == 201
    )


def test_a_token_has_no_more_than_its_maker_at_any_time(
    owner: Any, people: People, project: str, skill: Any, with_token: Any
) -> None:
    mine = skill(project)
    refused = owner("POST", "/tokens", json={"name": "x", "lifetime_days": 1, "permissions": ["role:create"]})
    assert refused.status_code == 403
    caller = with_token(secret_of(owner, made(owner)))
    assert caller("PATCH", f"/skills/{mine}", json={"description": "x"}).status_code == 200
    people.give("project:owner", people.new(), project_id=project)
    (binding,) = owner("GET", "/role_bindings?search=role_id = 'project-owner'&fields=user_id").json["items"][:1]
    mine_bindings = owner("GET", "/role_bindings").json["items"]
    own = next(item for item in mine_bindings if item.get("user_id") == owner.headers["Authorization"].split(":")[1])
    assert binding
    assert people.admin("DELETE", f"/role_bindings/{own['id']}").status_code == 204
    assert caller("PATCH", f"/skills/{mine}", json={"description": "y"}).status_code in (403, 404)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"lifetime_days": None}, "/lifetime_days"),
        ({"lifetime_days": 9999}, "/lifetime_days"),
        ({"lifetime_days": 0}, "/lifetime_days"),
        ({"permissions": ["skil:read"]}, "/permissions/0"),
        ({"service_account_id": "nowhere"}, "/service_account_id"),
    ],
)
def test_an_end_is_required_and_what_is_wrong_is_named(owner: Any, fields: dict[str, Any], field: str) -> None:
    body = {"name": "x", "lifetime_days": 1, **fields}
    answer = owner("POST", "/tokens", json={k: v for k, v in body.items() if v is not None})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, field)


def test_case_10_a_token_that_is_revoked_or_over_is_refused_on_every_replica(
    owner: Any, with_token: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a replica remembers of a token it remembers for KEPT; nothing else stands between it and the database.
    assert grants.KEPT < 5
    monkeypatch.setattr(tokens, "KEPT", 0.0)
    revoked, over = made(owner), made(owner)
    callers = [with_token(secret_of(owner, token)) for token in (revoked, over)]
    assert [caller("GET", "/skills").status_code for caller in callers] == [200, 200]
    assert owner("DELETE", f"/tokens/{revoked['id']}").status_code == 204
    with app.runtime.database.transaction() as transaction:
        transaction.raw("UPDATE tokens SET expires_at = now() WHERE id = %(id)s", {"id": over["id"]})
    assert [caller("GET", "/skills").status_code for caller in callers] == [401, 401]


def test_an_old_secret_works_on_for_as_long_as_is_asked_for(
    owner: Any, with_token: Any, app: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(tokens, "KEPT", 0.0)
    token = made(owner)
    first = secret_of(owner, token)
    second = secret_of(owner, token, overlap=3600)
    assert [with_token(s)("GET", "/skills").status_code for s in (first, second)] == [200, 200]
    third = secret_of(owner, token)
    assert [with_token(s)("GET", "/skills").status_code for s in (first, second, third)] == [401, 401, 200]


def test_nobody_has_a_secret_made_of_another_persons_token(owner: Any, people: People) -> None:
    token = made(owner)
    keeper = people.admin("POST", "/roles", json={"name": people.new(), "permissions": ["token:*"]}).json["id"]
    for caller in (people.having(keeper), people.having("platform:admin"), people.admin):
        assert caller("GET", f"/tokens/{token['id']}").status_code == 200
        refused = caller("POST", f"/tokens/{token['id']}/secret", json={})
        assert (refused.status_code, "in that person's name" in refused.json["reason"]) == (403, True)
    # To take it back is another thing.
    assert people.having("platform:admin")("DELETE", f"/tokens/{token['id']}").status_code == 204


def test_when_a_token_was_used_is_written_once_a_minute_and_makes_no_version(
    owner: Any, with_token: Any, app: Any, monkeypatch: Any
) -> None:
    # Every request looks into the database, as those of many replicas do.
    monkeypatch.setattr(tokens, "KEPT", 0.0)
    token = made(owner)
    secret, path = secret_of(owner, token), f"/tokens/{token['id']}"

    def used(after: str) -> tuple[str, int]:
        with app.runtime.database.transaction() as transaction:
            transaction.raw(
                "UPDATE tokens SET last_used_at = last_used_at - %(past)s::interval WHERE id = %(id)s",
                {"past": after, "id": token["id"]},
            )
        before = owner("GET", path).json
        assert with_token(secret)("GET", "/skills").status_code == 200
        now = owner("GET", path).json
        return "anew" if now["last_used_at"] != before["last_used_at"] else "not", now["version"]

    assert with_token(secret)("GET", "/skills").status_code == 200
    assert [used("0 s"), used("50 s"), used("20 s"), used("0 s")] == [("not", 1), ("not", 1), ("anew", 1), ("not", 1)]
    assert len(owner("GET", f"{path}/history").json["items"]) == 1


def test_the_longest_life_is_what_the_configuration_says(owner: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(tokenstore, "access_settings", lambda: AccessSettings(token_maximum_days=7))
    made(owner, lifetime_days=7)
    answer = owner("POST", "/tokens", json={"name": "x", "lifetime_days": 8})
    assert (answer.status_code, answer.json["errors"][0]["reason"]) == (400, "must be at most 7.")
    batched = {"op": "create", "kind": "Token", "body": {"name": "x", "lifetime_days": 8}}
    assert owner("POST", "/batch", json={"operations": [batched]}).json["results"][0]["status"] == 400


def test_an_overlap_is_no_longer_than_the_configuration_says(
    owner: Any, with_token: Any, app: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(tokens, "access_settings", lambda: AccessSettings(token_maximum_overlap=60))
    token = made(owner)
    secret_of(owner, token)
    secret_of(owner, token, overlap=10**9)
    with app.runtime.database.transaction() as transaction:
        left = transaction.raw(
            "SELECT extract(epoch FROM max(valid_until) - now()) FROM token_secrets WHERE token_id = %(id)s",
            {"id": token["id"]},
        ).fetchone()[0]
    assert left <= 60


def test_a_token_cannot_be_given_away_prolonged_or_widened_afterwards(
    owner: Any, with_token: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(tokens, "KEPT", 0.0)
    token = made(owner, permissions=["skill:read"])
    path, secret = f"/tokens/{token['id']}", secret_of(owner, token)
    for fields in ({"permissions": ["*:*"]}, {"lifetime_days": 300}, {"service_account_id": "x"}, {"user_id": "x"}):
        assert owner("PATCH", path, json=fields).status_code == 400, fields
    assert owner("PATCH", path, json={"name": "other"}).status_code == 200
    restored = owner("POST", f"{path}/restore", json={"version": 1}).json
    assert (restored["permissions"], restored["expires_at"]) == (["skill:read"], token["expires_at"])
    # One that was taken back and is made anew has no secret: nothing that was shown works again.
    assert owner("DELETE", path).status_code == 204
    assert owner("POST", f"{path}/restore", json={"version": 1}).status_code == 201
    assert with_token(secret)("GET", "/skills").status_code == 401


def test_a_narrow_token_hears_of_the_log_and_refers_to_what_it_may_read(
    owner: Any, project: str, skill: Any, with_token: Any
) -> None:
    skill(project)
    assert owner("POST", "/sessions", json={"name": "s", "project_id": project}).status_code == 201
    narrow = with_token(secret_of(owner, made(owner, permissions=["skill:read"])))
    assert {change["kind"] for change in narrow("GET", "/changes").json["items"]} == {"Skill"}
    assert narrow("GET", "/changes?kinds=Session").status_code == 403
    everything = narrow("POST", "/batch", json={"operations": [{"op": "delete", "kind": "Session", "id": "x"}]})
    assert everything.json["results"][0]["status"] == 403


def test_what_a_person_has_by_a_group_is_not_its_tokens(people: People, project: str, with_token: Any) -> None:
    name, group = people.new(), people.new()
    user = people.admin("POST", "/users", json={"username": name, "name": name}).json["id"]
    body = {"role_id": "project-viewer", "scope": "project", "project_id": project, "group_name": group}
    assert people.admin("POST", "/role_bindings", json=body).status_code == 201
    member = people.named(f"{user}/{group}")
    assert member("GET", f"/projects/{project}").status_code == 200
    assert with_token(secret_of(member, made(member)))("GET", f"/projects/{project}").status_code == 404


def test_everybody_lists_their_own_and_an_administrator_all(owner: Any, people: People) -> None:
    token = made(owner)
    stranger = people.named(people.new())
    assert [item["id"] for item in owner("GET", "/tokens").json["items"]] == [token["id"]]
    assert stranger("GET", "/tokens").json["total"] == 0
    for method in ("GET", "DELETE", "PATCH"):
        assert stranger(method, f"/tokens/{token['id']}", json={} if method == "PATCH" else None).status_code == 404
    assert stranger("POST", f"/tokens/{token['id']}/secret", json={}).status_code == 404
    everybody = people.having("platform:admin")("GET", f"/tokens?search=id = '{token['id']}'")
    assert everybody.json["total"] == 1


def test_a_service_accounts_token_is_made_by_who_has_all_that_it_has(
    owner: Any, people: People, project: str, other: str, skill: Any, with_token: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(tokens, "KEPT", 0.0)
    account = owner("POST", "/service_accounts", json={"name": f"a{secrets.token_hex(4)}", "project_id": project}).json[
        "id"
    ]
    body = {"role_id": "project-viewer", "scope": "project", "project_id": project, "service_account_id": account}
    assert owner("POST", "/role_bindings", json=body).status_code == 201
    token = made(owner, service_account_id=account)
    secret = secret_of(owner, token)
    assert with_token(secret)("GET", f"/skills/{skill(project)}").status_code == 200
    # Elsewhere it has what the owner has not.
    assert people.admin("POST", "/role_bindings", json={**body, "project_id": other}).status_code == 201
    assert owner("POST", f"/tokens/{token['id']}/secret", json={}).status_code == 403
    assert (
        owner("POST", "/tokens", json={"name": "x", "lifetime_days": 1, "service_account_id": account}).status_code
        == 403
    )
    for disabled, status in ((True, 401), (False, 200)):
        patched = people.admin("PATCH", f"/service_accounts/{account}", json={"disabled": disabled})
        assert patched.status_code == 200
        assert with_token(secret)("GET", "/skills").status_code == status


def test_a_disabled_owner_is_out(owner: Any, people: People, with_token: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(tokens, "KEPT", 0.0)
    caller = with_token(secret_of(owner, made(owner)))
    user = owner.headers["Authorization"].split(":")[1]
    assert caller("GET", "/skills").status_code == 200
    assert people.admin("POST", f"/users/{user}/disable").status_code == 200
    assert caller("GET", "/skills").status_code == 401


def test_what_one_may_in_a_project_makes_no_token_of_an_account_that_owns_a_credential(
    people: People, project: str
) -> None:
    name, keeps = people.new(), ["credential:*", "role_binding:*", "token:*", "service_account:*"]
    role = people.admin("POST", "/roles", json={"name": people.new(), "permissions": keeps}).json["id"]
    people.give(role, name, project_id=project)
    account = people.admin("POST", "/service_accounts", json={"name": people.new(), "project_id": project}).json["id"]
    credential = people.admin("POST", "/credentials", json={"name": people.new(), "provider": "jira"}).json["id"]
    owns = {"role_id": "credential-owner", "scope": "credential", "credential_id": credential, "project_id": project}
    assert people.admin("POST", "/role_bindings", json={**owns, "service_account_id": account}).status_code == 201
    asked = {"name": "x", "lifetime_days": 1, "service_account_id": account}
    assert people.named(name)("POST", "/tokens", json=asked).status_code == 403
    people.give("credential:owner", name, credential_id=credential)
    assert people.named(name)("POST", "/tokens", json=asked).status_code == 201


def test_a_disabled_service_account_is_out_by_whichever_way_it_comes(people: People, monkeypatch: Any) -> None:
    monkeypatch.setattr(standing, "KEPT", 0.0)
    account = people.admin("POST", "/service_accounts", json={"name": people.new()}).json["id"]
    # As an identity provider knows it: without a token of ours.
    caller = people.named(account, "service")
    for disabled, status in ((False, 200), (True, 401), (False, 200)):
        assert people.admin("PATCH", f"/service_accounts/{account}", json={"disabled": disabled}).status_code == 200
        assert caller("GET", "/skills").status_code == status
