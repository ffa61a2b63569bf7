"""Cases 5, 6 and 7: the provider's keys change, are asked for by strangers, and cannot be fetched."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from ambient_core.errors import Unavailable
from ambient_core.identity import keysets, verification
from ambient_core.identity.claims import SKEW, Refused
from ambient_core.identity.issuers import read_issuer
from ambient_core.identity.keysets import LARGEST, REFRESH, FetchFailed, KeySet, fetcher, read_keys
from ambient_core.identity.verification import KeySets, Verifier
from tests.e2e.conftest import wait_for
from tests.identity.issuer import AUDIENCE, Issuer, other_key


class Provider:
    """What a key set fetches from, with a clock of its own."""

    def __init__(self, *identifiers: str, name: str = "https://login.example.com") -> None:
        self.keys = [self.key(identifier) for identifier in identifiers]
        self.fetches = 0
        self.down = False
        self.now = 0.0
        self.set = KeySet(self.fetch, 30.0, name, lambda: self.now)

    @staticmethod
    def key(identifier: str) -> dict[str, Any]:
        return dict(other_key(identifier).as_dict(private=False))

    def fetch(self) -> dict[str, Any]:
        self.fetches += 1
        if self.down:
            raise FetchFailed("it is down.")
        return {"keys": list(self.keys)}

    def knows(self, identifier: str | None) -> bool:
        try:
            self.set.find(identifier, "RS256")
            self.set.content()
        except Refused:
            return False
        return True


def test_case_5_a_thousand_key_ids_in_ten_seconds_cost_two_fetches_at_most() -> None:
    provider = Provider("known")
    for number in range(1000):
        provider.now += 0.01
        assert not provider.knows(f"random-{number}")
        assert provider.knows("known")
    assert provider.fetches == 1


@pytest.mark.slow
def test_case_5_on_the_wire_a_thousand_random_key_ids_disturb_nobody(serving: Any, own_issuer: Issuer) -> None:
    api = serving(own_issuer)
    good = own_issuer.token()
    assert api(good).status_code == 404
    key = other_key()
    attacks = [own_issuer.token({"kid": f"random-{number}"}, key) for number in range(1000)]
    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(lambda token: (api(token).status_code, api(good).status_code), attacks))
    assert statuses == {(401, 404)}
    assert own_issuer.fetches <= 2


def test_a_key_id_that_was_not_found_is_not_worth_another_fetch_for_a_while() -> None:
    provider = Provider("known")
    assert not provider.knows("other")
    for _ in range(10):
        provider.now += 31
        provider.knows("other")
    assert provider.fetches < 8


def test_the_memory_of_what_was_not_found_is_bounded() -> None:
    provider = Provider("known")
    for number in range(3000):
        provider.now += 31
        provider.knows(f"random-{number}")
    assert len(provider.set._misses) <= 1024


def test_case_6_a_new_key_is_taken_after_the_cooldown_at_the_latest() -> None:
    provider = Provider("old")
    assert provider.knows("old")
    provider.keys.append(provider.key("new"))
    assert not provider.knows("new")
    provider.now += 30
    assert provider.knows("new")
    assert (provider.knows("old"), provider.fetches) == (True, 2)


@pytest.mark.slow
def test_case_6_a_rotation_in_the_middle_of_traffic_gives_no_5xx(serving: Any, own_issuer: Issuer) -> None:
    api = serving(own_issuer, oidc_cooldown=1.0)
    statuses: set[int] = set()
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            statuses.add(api(own_issuer.token()).status_code)

    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(ask)
        try:
            wait_for(lambda: 404 in statuses, "the first answers", 10)
            own_issuer.rotate("second")
            wait_for(lambda: api(own_issuer.token()).status_code == 404, "the new key to be taken", 10)
            del own_issuer.keys["first"]
        finally:
            over.set()
    assert statuses <= {404, 401}


def test_many_who_come_with_a_new_key_at_once_wait_for_one_fetch() -> None:
    provider = Provider("old")
    assert provider.knows("old")
    provider.now += 31
    provider.keys.append(provider.key("new"))
    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(lambda _: provider.knows("new"), range(200)))
    assert provider.fetches == 2


def test_case_7_who_is_known_stays_so_while_the_provider_is_down(serving: Any, own_issuer: Issuer) -> None:
    api = serving(own_issuer, oidc_cooldown=1.0)
    assert api(own_issuer.token()).status_code == 404
    own_issuer.down = True
    statuses = {api(own_issuer.token(sub=f"person-{number}")).status_code for number in range(20)}
    statuses.add(api(own_issuer.token({"kid": "unknown"})).status_code)
    assert statuses == {404, 401}


def test_case_7_ten_minutes_of_an_outage_log_nobody_out_and_are_counted() -> None:
    provider = Provider("known", name="https://down.example.com")
    assert provider.knows("known")
    provider.down = True
    for _ in range(600):
        provider.now += 1
        assert provider.knows("known")
    wait_for(lambda: provider.fetches > 1, "a refresh that failed", 5)
    from ambient_core import metrics

    def counted() -> bool:
        lines = metrics.exposition().splitlines()
        return any(b"down.example.com" in line and b'outcome="failed"' in line for line in lines)

    wait_for(counted, "the figure to rise", 5)


@pytest.mark.slow
def test_without_any_key_yet_the_answer_is_503_and_soon_right_again(serving: Any, own_issuer: Issuer) -> None:
    api = serving(own_issuer, oidc_cooldown=1.0)
    with own_issuer.outage():
        answer = api(own_issuer.token())
        assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    wait_for(lambda: api(own_issuer.token()).status_code == 404, "the keys", 10)


def test_a_key_that_the_provider_takes_back_ends_what_was_verified_with_it(own_issuer: Issuer) -> None:
    provider = Provider("old", "new")
    content = provider.set.find("old", "RS256") and provider.set.content()
    provider.keys.pop(0)
    provider.now += REFRESH
    wait_for(lambda: provider.set.content() is not content, "the refresh", 5)
    assert not provider.knows("old")


@pytest.mark.slow
def test_a_token_that_was_let_in_is_refused_once_its_key_is_taken_back(
    serving: Any, own_issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, token = serving(own_issuer, oidc_cooldown=1.0), own_issuer.token()
    assert api(token).status_code == 404
    monkeypatch.setattr(keysets, "REFRESH", 0.0)
    own_issuer.rotate("second")
    del own_issuer.keys["first"]
    wait_for(lambda: api(token).status_code == 401, "the key to be gone", 10)


def test_a_token_that_was_verified_is_verified_once_and_ends_at_its_end(own_issuer: Issuer) -> None:
    now = [time.time()]
    trusted = read_issuer({"issuer": own_issuer.url, "audience": AUDIENCE}, "here")
    keys = KeySets(30.0)
    verifier = Verifier((trusted,), keys.of, lambda: now[0])
    token = own_issuer.token()
    first = verifier.verify(token)
    assert first is not None
    assert verifier.verify(token) is first
    now[0] += 600 + SKEW - 1
    assert verifier.verify(token) is first
    now[0] += 2
    with pytest.raises(Refused, match="expired"):
        verifier.verify(token)


def test_the_memory_of_verified_tokens_is_bounded_and_keeps_who_came_last(
    own_issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "MOST_VERIFIED", 3)
    verifier = Verifier((read_issuer({"issuer": own_issuer.url, "audience": AUDIENCE}, "here"),), KeySets(30.0).of)
    tokens = [own_issuer.token(jti=str(number)) for number in range(5)]
    kept = verifier.verify(tokens[0])
    for token in tokens[1:]:
        verifier.verify(token)
        assert verifier.verify(tokens[0]) is kept
    assert len(verifier._verified) == 3


def test_keys_that_are_the_same_verify_nothing_again() -> None:
    provider = Provider("old")
    content = provider.set.find("old", "RS256") and provider.set.content()
    provider.now += REFRESH
    provider.set.content()
    wait_for(lambda: provider.fetches == 2, "the refresh", 5)
    assert provider.set.content() is content


def test_a_token_without_a_key_id_needs_a_provider_with_one_key() -> None:
    assert Provider("only").knows(None)
    assert not Provider("one", "two").knows(None)


def test_a_key_verifies_by_no_other_algorithm_than_its_own() -> None:
    provider = Provider("one")
    provider.keys[0]["alg"] = "RS512"
    assert not provider.knows("one")
    provider.set.find("one", "RS512")


def test_only_keys_that_verify_signatures_are_keys() -> None:
    good, curve = other_key("good").as_dict(private=False), ECKey.generate_key("P-256").as_dict(private=False)
    keys = read_keys(
        {
            "keys": [
                good,
                curve,
                {**good, "kid": "encrypts", "use": "enc"},
                {**good, "kid": "signs", "key_ops": ["sign"]},
                {**good, "kid": "short", "n": good["n"][:100]},
                {**good, "kid": "other", "alg": "RS512"},
                OctKey.generate_key(256).as_dict(private=True),
                {"kty": "RSA", "kid": "nothing"},
                "text",
            ]
        }
    )
    assert {identifier: sorted(key.algorithms) for identifier, key in keys.items()} == {
        "good": ["PS256", "PS384", "PS512", "RS256", "RS384", "RS512"],
        1: ["ES256"],
        "other": ["RS512"],
    }


def test_a_private_key_in_a_key_set_is_taken_for_its_public_half() -> None:
    private = RSAKey.generate_key(2048, {"kid": "leaked"}).as_dict(private=True)
    assert not read_keys({"keys": [private]})["leaked"].key.is_private


def fetched(served: Issuer, **changed: Any) -> Any:
    return fetcher(read_issuer({"issuer": served.url, "audience": AUDIENCE, **changed}, "here"))()


def test_keys_are_found_by_discovery_or_where_they_are_said_to_be(own_issuer: Issuer) -> None:
    assert fetched(own_issuer) == fetched(own_issuer, jwks_url=f"{own_issuer.url}/keys")
    assert own_issuer.asked["/.well-known/openid-configuration"] == 1


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"redirect": "https://evil.example.com/keys"}, "it answered 302"),
        ({"redirect": "/keys"}, "it answered 302"),
        ({"down": True}, "it answered 503"),
        ({"body": b"<html>"}, "no JSON object"),
        ({"body": b"[]"}, "no JSON object"),
        ({"body": b'{"keys": "' + b"x" * LARGEST + b'"}'}, "too large"),
    ],
)
def test_what_is_no_answer_is_not_taken_and_no_redirect_is_followed(
    own_issuer: Issuer, broken: dict[str, Any], words: str
) -> None:
    for name, value in broken.items():
        setattr(own_issuer, name, value)
    with pytest.raises(FetchFailed, match=words):
        fetched(own_issuer)


def test_a_discovery_document_of_another_issuer_is_not_taken(own_issuer: Issuer) -> None:
    with pytest.raises(FetchFailed, match="another issuer"):
        fetched(own_issuer, issuer=own_issuer.url.replace("127.0.0.1", "localhost"))


@pytest.mark.parametrize("url", ["http://login.example.com/keys", "file:///etc/keys"])
def test_keys_are_not_fetched_from_where_anybody_could_answer(own_issuer: Issuer, url: str) -> None:
    own_issuer.keys_at = url
    with pytest.raises(FetchFailed, match="no jwks_uri that is safe"):
        fetched(own_issuer)


def test_a_provider_that_is_not_there_is_an_outage() -> None:
    def gone() -> dict[str, Any]:
        raise FetchFailed(json.dumps("refused"))

    with pytest.raises(Unavailable):
        KeySet(gone, 30.0, "https://login.example.com").find("any", "RS256")
