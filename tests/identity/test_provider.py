"""Real providers, one suite for all: people sign in with a browser's steps, a machine with its secret, keys rotate, outages."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ambient_users import standing

from ambient_core.identity import oidc
from tests.e2e.conftest import wait_for
from tests.identity import node
from tests.identity.conftest import Asked
from tests.identity.providers import KEYCLOAK, NODE, Provider
from tests.identity.test_people import principal

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=[pytest.param("node", marks=NODE), pytest.param("keycloak", marks=KEYCLOAK)])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    """Each real provider in turn."""
    if request.param == "keycloak":
        yield request.getfixturevalue("keycloak")
        return
    made = node.Provider()
    yield made
    made.close()


@pytest.fixture(scope="module")
def asked(serving: Any, provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Asked]:
    """Both surfaces, trusting the provider as a file says."""
    file = tmp_path_factory.mktemp("provider") / "issuers.toml"
    file.write_text(
        f"[[issuers]]\nissuer = '{provider.issuer}'\naudience = 'ambient'\nclients = ['cli', 'robot']\n"
        "roles = {ops = 'platform:admin'}\nservices = {robot = 'nightly'}\n"
    )
    return {name: serving(None, name, oidc_file=file, oidc_cooldown=1.0) for name in ("api", "gateway")}


def statuses(asked: dict[str, Asked], token: str) -> set[int]:
    return {one(token).status_code for one in asked.values()}


def header_of(token: str) -> dict[str, Any]:
    head = token.split(".", maxsplit=1)[0]
    return dict(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))))


@contextmanager
def traffic(asked: dict[str, Asked], token: str) -> Iterator[set[int]]:
    """Somebody who asks and asks, until the block ends; what was answered."""
    seen: set[int] = set()
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            seen.update(statuses(asked, token))

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        yield seen
    finally:
        over.set()
        asker.join(30)


def test_a_person_who_signs_in_is_let_in_on_both_surfaces_with_groups_and_roles(
    asked: dict[str, Asked], provider: Provider
) -> None:
    token = provider.person("ada")["access_token"]
    assert statuses(asked, token) == {404}
    who = principal(asked["api"], token)
    assert (who.kind, who.name, who.groups, who.roles) == ("person", "Ada Lovelace", {"ops", "dev"}, {"platform:admin"})
    assert who.attributes["subject"] == "ada"


def test_case_9_the_id_token_of_the_same_sign_in_is_refused(asked: dict[str, Asked], provider: Provider) -> None:
    tokens = provider.person("ben")
    assert (statuses(asked, tokens["access_token"]), statuses(asked, tokens["id_token"])) == ({404}, {401})


def test_a_machine_comes_with_its_own_credentials_and_is_no_person(asked: dict[str, Asked], provider: Provider) -> None:
    token = provider.machine()
    assert statuses(asked, token) == {404}
    assert principal(asked["api"], token).actor == "service:nightly"


def test_case_6_keys_rotate_in_the_middle_of_traffic_and_old_tokens_go_on(
    asked: dict[str, Asked], provider: Provider
) -> None:
    old = provider.machine()
    wait_for(lambda: statuses(asked, old) == {404}, "the present key to be taken", 10)
    with traffic(asked, old) as seen:
        provider.rotate()
        new = provider.machine()
        assert header_of(new)["kid"] != header_of(old)["kid"]
        wait_for(lambda: statuses(asked, new) == {404}, "the new key to be taken", 10)
    assert seen == {404}


def test_case_7_an_outage_logs_nobody_out_and_afterwards_people_sign_in_again(
    asked: dict[str, Asked], provider: Provider
) -> None:
    known, fresh = provider.machine(), provider.machine()
    wait_for(lambda: statuses(asked, known) == {404}, "the keys", 10)
    provider.down()
    try:
        assert (statuses(asked, known), statuses(asked, fresh)) == ({404}, {404})
    finally:
        provider.up()
    assert statuses(asked, provider.person("ada")["access_token"]) == {404}


def test_somebody_who_is_disabled_here_is_out_whatever_the_provider_says(
    asked: dict[str, Asked], provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in ((oidc, "CONFIRMED"), (standing, "TRUSTED")):
        monkeypatch.setattr(module, name, 0.0)
    admin, ben = provider.person("ada")["access_token"], provider.person("ben")["access_token"]
    user = f"/users/{principal(asked['api'], ben).id}"
    assert asked["api"](admin, f"{user}/disable", method="POST").status_code == 200
    assert statuses(asked, ben) == statuses(asked, provider.person("ben")["access_token"]) == {401}
    assert asked["api"](admin, f"{user}/enable", method="POST").status_code == 200
    assert statuses(asked, ben) == {404}
