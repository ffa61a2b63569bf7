"""Cases 1-4, 8, 9 and 12: what is no token of ours is refused, on both surfaces, with one body for every cause."""

import json
import logging
import time
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from ambient_core.identity import token_of
from tests.identity.conftest import Asked
from tests.identity.issuer import Issuer, curve_key, encoded, keyed_by_the_public_key, other_key, signed

INVALID = 'Bearer realm="ambient", error="invalid_token"'
INVALID_REQUEST = 'Bearer realm="ambient", error="invalid_request"'
METADATA = ', resource_metadata="http://localhost/.well-known/oauth-protected-resource"'


def unsigned(issuer: Issuer, algorithm: str) -> str:
    return f"{encoded({'alg': algorithm, 'typ': 'at+jwt'})}.{encoded(issuer.claims())}."


def symmetric(issuer: Issuer, **header: Any) -> str:
    return keyed_by_the_public_key(issuer, {"alg": "HS256", "typ": "at+jwt", **header})


def with_key_of_attacker(issuer: Issuer) -> str:
    key = other_key("mine")
    return issuer.token({"kid": None, "jwk": key.as_dict(private=False)}, key)


def twice_in_claims(issuer: Issuer) -> bytes:
    text = json.dumps(issuer.claims(sub="eve"))
    return f'{text[:-1]}, "sub": "root"}}'.encode()


def past(seconds: float) -> int:
    return int(time.time() - seconds)


ATTACKS = {
    "case 1: alg none": lambda i: unsigned(i, "none"),
    "case 1: alg None in other letters": lambda i: unsigned(i, "nOnE"),
    "case 1: no alg": lambda i: f"{encoded({'typ': 'at+jwt'})}.{encoded(i.claims())}.{encoded(b'x')}",
    "case 1: signature taken away": lambda i: i.token().rpartition(".")[0] + ".",
    "case 2: HS256 with the public key": symmetric,
    "case 2: HS256 with the public key, and its kid": lambda i: symmetric(i, kid=i.current),
    "case 3: key in the header": with_key_of_attacker,
    "case 3: jku": lambda i: i.token({"jku": f"{i.url}/evil"}, other_key()),
    "case 3: x5u": lambda i: i.token({"x5u": f"{i.url}/evil"}),
    "case 3: x5c": lambda i: i.token({"x5c": [encoded(b"certificate")]}, other_key()),
    "case 4: kid is a path": lambda i: i.token({"kid": "../../etc/passwd"}),
    "case 4: kid is SQL": lambda i: i.token({"kid": "' OR 1=1"}),
    "case 4: kid of 10 KB": lambda i: i.token({"kid": "k" * 10_000}),
    "case 4: kid is no text": lambda i: i.token({"kid": ["first"]}),
    "case 8: another audience": lambda i: i.token(aud="another"),
    "case 8: audience with more letters": lambda i: i.token(aud="ambient2"),
    "case 8: no audience": lambda i: i.token(aud=None),
    "case 8: audience is a number": lambda i: i.token(aud=[1, "ambient"]),
    "case 8: issuer with a slash more": lambda i: i.token(iss=i.url + "/"),
    "case 8: another issuer": lambda i: i.token(iss="https://login.example.com"),
    "case 8: no issuer": lambda i: i.token(iss=None),
    "case 8: expired": lambda i: i.token(exp=past(61)),
    "case 8: no end": lambda i: i.token(exp=None),
    "case 8: end is a text": lambda i: i.token(exp="9999999999"),
    "case 8: end is true": lambda i: i.token(exp=True),
    "case 8: not yet valid": lambda i: i.token(nbf=past(-120)),
    "case 8: issued in the future": lambda i: i.token(iat=past(-120)),
    "case 8: no subject": lambda i: i.token(sub=None),
    "case 8: empty subject": lambda i: i.token(sub=""),
    "case 8: subject is a number": lambda i: i.token(sub=7),
    "case 9: ID token by its marks": lambda i: i.token({"typ": "JWT"}, nonce="n"),
    "case 9: ID token by its hash": lambda i: i.token({"typ": "JWT"}, at_hash="h"),
    "case 9: ID token by its claim": lambda i: i.token({"typ": "JWT"}, **{"typ": "ID"}),
    "case 9: ID token without a type": lambda i: i.token({"typ": None}),
    "case 9: refresh token": lambda i: i.token({"typ": "JWT"}, **{"typ": "Refresh"}),
    "case 9: logout token": lambda i: i.token({"typ": "logout+jwt"}),
    "another key of that name": lambda i: i.token(key=other_key()),
    "algorithm that is not configured": lambda i: signed(
        {"alg": "ES256", "kid": "first", "typ": "at+jwt"}, i.claims(), curve_key("first")
    ),
    "RSA of another padding": lambda i: i.token({"alg": "PS256"}),
    "critical header": lambda i: i.token({"crit": ["exp"], "exp": 1}),
    "claims that stand twice": lambda i: signed(
        {"alg": "RS256", "kid": "first", "typ": "at+jwt"}, twice_in_claims(i), i.keys["first"]
    ),
    "claims changed afterwards": lambda i: ".".join(
        [i.token().split(".")[0], encoded(i.claims(sub="root")), i.token().split(".")[2]]
    ),
    "claims that are a list": lambda i: signed({"alg": "RS256", "kid": "first"}, [1], i.keys["first"]),
    "claims nested deep": lambda i: signed({"alg": "RS256", "kid": "first"}, b"[" * 8000, i.keys["first"]),
    "five parts": lambda i: i.token() + ".x.y",
    "no signature at all": lambda i: "a.b.c",
    "not our alphabet": lambda i: i.token().replace(".", ".+", 1),
}


def test_a_good_token_is_let_in(surface: Asked, issuer: Issuer) -> None:
    assert surface(issuer.token()).status_code == 404
    assert surface(issuer.token(aud=["another", "ambient"])).status_code == 404
    assert surface(issuer.token({"typ": "JWT"}, typ="Bearer", nonce="n")).status_code == 404
    assert surface(issuer.token({"kid": None})).status_code == 404


def challenge(refused: Any) -> str:
    """What RFC 6750 says of it; on the API it goes on with where to find the way in (RFC 9728)."""
    return str(refused.headers["WWW-Authenticate"]).removesuffix(METADATA)


@pytest.mark.parametrize("case", ATTACKS)
def test_what_is_no_token_of_ours_is_refused(surface: Asked, issuer: Issuer, case: str) -> None:
    refused = surface(ATTACKS[case](issuer))
    assert (refused.status_code, challenge(refused)) == (401, INVALID)
    assert issuer.asked["/evil"] == 0


def test_every_cause_has_the_same_body_and_the_log_alone_knows_it(
    surface: Asked, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tokens = [make(issuer) for make in ATTACKS.values()]
    bodies = [surface(token).json for token in tokens]
    assert len({json.dumps({**body, "operation_id": ""}) for body in bodies}) == 1
    rules = {record.rule for record in caplog.records if hasattr(record, "rule")}
    assert {"algorithm", "carried_key", "audience", "expired", "signature", "id_token", "unknown_key"} <= rules
    assert not [token for token in tokens if len(token) > 8 and token in caplog.text]


@pytest.mark.parametrize(("age", "status"), [(30, 404), (90, 401)])
def test_a_clock_may_be_a_minute_off(surface: Asked, issuer: Issuer, age: int, status: int) -> None:
    assert surface(issuer.token(exp=past(age))).status_code == status
    assert surface(issuer.token(nbf=past(-age))).status_code == status


def test_without_a_token_there_is_a_challenge_and_no_error_code(surface: Asked) -> None:
    refused = surface(None)
    assert (refused.status_code, challenge(refused)) == (401, 'Bearer realm="ambient"')


def test_case_12_two_authorization_headers_are_refused(surface: Asked, issuer: Issuer) -> None:
    token = f"Bearer {issuer.token()}"
    headers = Headers([("Authorization", token), ("Authorization", token)])
    refused = surface.application.test_client().get("/api/ambient/v1/sessions/none/agui/events", headers=headers)
    assert (refused.status_code, challenge(refused)) == (401, INVALID_REQUEST)


@pytest.mark.parametrize("known", [True, False])
def test_case_12_a_token_in_the_address_is_refused(surface: Asked, issuer: Issuer, known: bool) -> None:
    token = issuer.token()
    refused = surface(token if known else None, f"/sessions/none/agui/events?access_token={token}")
    assert (refused.status_code, challenge(refused)) == (401, INVALID_REQUEST)
    assert token not in refused.text


def test_a_token_of_more_than_16_kb_is_refused_without_a_look(surface: Asked, issuer: Issuer) -> None:
    large = surface(issuer.token(groups=["g" * 200] * 60))
    assert large.status_code == 401
    assert surface(issuer.token(groups=["g" * 100] * 60)).status_code == 404


def test_another_scheme_is_no_credential(api: Asked, issuer: Issuer) -> None:
    headers = {"Authorization": f"Basic {issuer.token()}"}
    refused = api.application.test_client().get("/api/ambient/v1/users", headers=headers)
    assert (refused.status_code, challenge(refused)) == (401, 'Bearer realm="ambient"')


def test_the_token_of_a_request_is_taken_out_of_its_header_once() -> None:
    request = {"HTTP_AUTHORIZATION": "Bearer one"}
    assert token_of(request) == "one"
    request["HTTP_AUTHORIZATION"] = "Bearer two"
    assert token_of(request) == "one"
