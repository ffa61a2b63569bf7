"""A real provider (oidc-provider in node): people sign in with a browser's steps, a machine with its secret, keys rotate."""

import base64
import json
from typing import Any

import pytest

from tests.e2e.conftest import wait_for
from tests.identity.conftest import Asked
from tests.identity.node import Provider

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("provider")]


@pytest.fixture(scope="module")
def asked(serving: Any, provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Asked]:
    """Both surfaces, trusting the provider as a file says."""
    file = tmp_path_factory.mktemp("provider") / "issuers.toml"
    file.write_text(
        f"[[issuers]]\nissuer = '{provider.url}'\naudience = 'ambient'\nclients = ['cli', 'robot']\n"
        "roles = {ops = 'platform:admin'}\nservices = {robot = 'nightly'}\n"
    )
    return {name: serving(None, name, oidc_file=file, oidc_cooldown=1.0) for name in ("api", "gateway")}


def statuses(asked: dict[str, Asked], token: str) -> set[int]:
    return {one(token).status_code for one in asked.values()}


def header_of(token: str) -> dict[str, Any]:
    head = token.split(".", maxsplit=1)[0]
    return dict(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))))


def test_a_person_who_signs_in_is_let_in_on_both_surfaces_with_groups_and_roles(
    asked: dict[str, Asked], provider: Provider
) -> None:
    from tests.identity.test_people import principal

    token = provider.person("ada")["access_token"]
    assert statuses(asked, token) == {404}
    who = principal(asked["api"], token)
    assert (who.kind, who.name, who.groups, who.roles) == ("person", "Ada Lovelace", {"ops", "dev"}, {"platform:admin"})
    assert who.attributes["subject"] == "ada"


def test_case_9_the_id_token_of_the_same_sign_in_is_refused(asked: dict[str, Asked], provider: Provider) -> None:
    tokens = provider.person("ben")
    assert (statuses(asked, tokens["access_token"]), statuses(asked, tokens["id_token"])) == ({404}, {401})


def test_a_machine_comes_with_its_own_credentials_and_is_no_person(asked: dict[str, Asked], provider: Provider) -> None:
    from tests.identity.test_people import principal

    token = provider.machine()
    assert statuses(asked, token) == {404}
    assert principal(asked["api"], token).actor == "service:nightly"


def test_case_6_keys_rotate_and_old_tokens_go_on(asked: dict[str, Asked], provider: Provider) -> None:
    old = provider.machine()
    assert statuses(asked, old) == {404}
    provider.do("rotate")
    new = provider.machine()
    assert header_of(new)["kid"] != header_of(old)["kid"]
    wait_for(lambda: statuses(asked, new) == {404}, "the new key to be taken", 10)
    assert statuses(asked, old) == {404}


def test_case_7_an_outage_logs_nobody_out(asked: dict[str, Asked], provider: Provider) -> None:
    known, fresh = provider.machine(), provider.machine()
    wait_for(lambda: statuses(asked, known) == {404}, "the keys", 10)
    provider.do("down")
    try:
        assert (statuses(asked, known), statuses(asked, fresh)) == ({404}, {404})
    finally:
        provider.do("up")
