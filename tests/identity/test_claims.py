"""The rules of claims, as tables: no clock, no key, no network."""

from typing import Any

import pytest

from ambient_core.identity.claims import (
    Expected,
    Naming,
    Refused,
    check_claims,
    check_header,
    groups_of,
    look_up,
    path_of,
    person_of,
    read_object,
)

NOW = 1_000_000.0
ISSUER = "https://login.example.com"
GOOD: dict[str, Any] = {"iss": ISSUER, "aud": "ambient", "sub": "ada", "exp": NOW + 60}
ACCESS = Expected(ISSUER, frozenset({"ambient", "old"}))
ID = Expected(ISSUER, frozenset({"ambient"}), "id")
CLUSTER = Expected(ISSUER, frozenset({"ambient"}), "kubernetes")
POD = {"sub": "system:serviceaccount:ambient:control-plane", "kubernetes.io": {"namespace": "ambient"}}


def judged(claims: dict[str, Any], expected: Expected = ACCESS, typ: str | None = "at+jwt", now: float = NOW) -> str:
    try:
        check_header({"alg": "RS256", "typ": typ} if typ else {"alg": "RS256"}, expected, ("RS256",))
        check_claims({"typ": typ}, claims, expected, now)
    except Refused as refused:
        return refused.rule
    return "taken"


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({}, "taken"),
        ({"aud": ["x", "old"]}, "taken"),
        ({"aud": []}, "audience"),
        ({"aud": {"ambient": 1}}, "audience"),
        ({"iss": ISSUER.upper()}, "issuer"),
        ({"exp": NOW - 59.5}, "taken"),
        ({"exp": NOW - 60}, "expired"),
        ({"exp": float("inf")}, "exp"),
        ({"exp": False}, "exp"),
        ({"nbf": NOW + 60}, "taken"),
        ({"nbf": NOW + 61}, "not_yet_valid"),
        ({"nbf": "soon"}, "nbf"),
        ({"iat": NOW + 61}, "issued_in_the_future"),
        ({"sub": "a" * 256}, "subject"),
        ({"sub": "a\nb"}, "subject"),
        ({"sub": "\ud800"}, "subject"),
        ({"typ": "ID"}, "id_token"),
    ],
)
def test_one_claim_decides(changed: dict[str, Any], rule: str) -> None:
    assert judged({**GOOD, **changed}) == rule


@pytest.mark.parametrize(
    ("expected", "typ", "claims", "rule"),
    [
        (ACCESS, "at+jwt", {}, "taken"),
        (ACCESS, "application/at+jwt", {}, "taken"),
        (ACCESS, "AT+JWT", {}, "taken"),
        (ACCESS, "JWT", {}, "taken"),
        (ACCESS, "JWT", {"typ": "Bearer", "nonce": "n"}, "taken"),
        (ACCESS, "JWT", {"typ": "ID"}, "id_token"),
        (ACCESS, "JWT", {"typ": "Offline"}, "id_token"),
        (ACCESS, "JWT", {"nonce": "n"}, "id_token"),
        (ACCESS, "JWT", {"c_hash": "n"}, "id_token"),
        (ACCESS, None, {}, "type"),
        (ACCESS, "dpop+jwt", {}, "type"),
        (ID, "JWT", {"nonce": "n"}, "taken"),
        (ID, None, {"at_hash": "n"}, "taken"),
        (ID, "at+jwt", {}, "type"),
        (ID, "JWT", {"typ": "Bearer"}, "access_token"),
        (ID, "JWT", {"azp": "ambient"}, "taken"),
        (ID, "JWT", {"azp": "another"}, "client"),
        (ID, "JWT", {"aud": ["ambient", "x"]}, "client"),
        (CLUSTER, None, POD, "taken"),
        (CLUSTER, None, {**POD, "sub": "ada"}, "service_account"),
        (CLUSTER, None, {"sub": POD["sub"]}, "service_account"),
        (CLUSTER, "at+jwt", POD, "type"),
    ],
)
def test_a_token_of_one_kind_is_none_of_another(
    expected: Expected, typ: str | None, claims: dict[str, Any], rule: str
) -> None:
    assert judged({**GOOD, **claims}, expected, typ) == rule


@pytest.mark.parametrize(
    ("claims", "rule"),
    [({"azp": "cli"}, "taken"), ({"client_id": "cli"}, "taken"), ({"azp": "web"}, "client"), ({}, "client")],
)
def test_where_clients_are_named_only_they_may_have_asked_for_the_token(claims: dict[str, Any], rule: str) -> None:
    assert judged({**GOOD, **claims}, Expected(ISSUER, frozenset({"ambient"}), clients=frozenset({"cli"}))) == rule


@pytest.mark.parametrize(
    "text", [b"[]", b"1", b"{", b'{"a":1,"a":2}', b'{"a":{"b":1,"b":1}}', b'{"a":NaN}', b"\xff{}", b"[" * 100_000]
)
def test_what_is_no_plain_object_is_not_read(text: bytes) -> None:
    with pytest.raises(ValueError, match="not an object|twice|no number|Expect|decode|too deep"):
        read_object(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("groups", ["a"]),
        ("realm_access.roles", ["b"]),
        (["https://x.example/groups"], ["c"]),
        ("realm_access.none", None),
        ("groups.a", None),
    ],
)
def test_a_path_leads_into_the_claims(text: Any, found: Any) -> None:
    claims = {"groups": ["a"], "realm_access": {"roles": ["b"]}, "https://x.example/groups": ["c"]}
    assert look_up(claims, path_of(text)) == found


@pytest.mark.parametrize(
    ("claim", "groups"),
    [
        (None, set()),
        ("a", {"a"}),
        (["a", 1, "", None, "b", {"c": 1}], {"a", "b"}),
        ({"a": 1}, set()),
        (["g" * 256], set()),
    ],
)
def test_groups_are_what_is_a_name(claim: Any, groups: set[str]) -> None:
    assert groups_of(claim) == groups


def test_no_more_than_a_thousand_groups_are_taken() -> None:
    assert len(groups_of([f"g{number}" for number in range(5000)])) == 1000


def test_a_person_is_what_the_claims_say_and_a_role_comes_from_the_group_as_the_issuer_says_it() -> None:
    naming = Naming(
        groups=("realm_access", "roles"), prefix="corp:", roles={"ops": ("platform:admin", "x"), "no": ("y",)}
    )
    claims = {**GOOD, "preferred_username": "ada", "name": " Ada\n Lovelace ", "email": "ada@example.com", "iat": NOW}
    person = person_of({**claims, "realm_access": {"roles": ["ops", "dev"]}}, naming)
    assert (person.username, person.name, person.email, person.issued_at) == (
        "ada",
        "Ada Lovelace",
        "ada@example.com",
        NOW,
    )
    assert (person.groups, person.roles) == ({"corp:ops", "corp:dev"}, {"platform:admin", "x"})


def test_a_person_without_a_name_is_called_by_the_subject() -> None:
    person = person_of({**GOOD, "name": 7, "email": "e" * 400}, Naming())
    assert (person.username, person.name, person.email, person.groups) == ("ada", None, None, frozenset())
