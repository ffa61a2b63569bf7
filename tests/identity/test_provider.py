"""A real provider (oidc-provider in node): people sign in with a browser's steps, a machine with its secret, keys rotate."""

import base64
import hashlib
import json
import re
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.e2e.conftest import wait_for
from tests.identity.conftest import Asked

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("provider")]
PROGRAM = Path(__file__).parent / "provider" / "provider.mjs"
REDIRECT = "http://127.0.0.1/callback"


class Provider:
    """The node program, and a browser before it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["node", "--no-warnings", str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.url = self._said("READY ")

    def _said(self, word: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(word):
                return line.removeprefix(word).strip()
        raise AssertionError("the provider ended")

    def do(self, what: str) -> None:
        """Rotate, forget, down or up."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        self._said("DONE")

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def person(self, login: str) -> dict[str, Any]:
        """The tokens of a person who signs in (authorization code with PKCE)."""
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "client_id": "cli",
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": "openid profile email use",
        }
        asked |= {"code_challenge": challenge, "code_challenge_method": "S256", "nonce": "n"}
        with httpx.Client(base_url=self.url, trust_env=False, timeout=20) as browser:
            code = self._code(browser, browser.get("/auth", params=asked), login)
            given = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "client_id": "cli"}
            answer = browser.post("/token", data={**given, "code_verifier": verifier})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def _code(self, browser: httpx.Client, answer: httpx.Response, login: str) -> str:
        """Follow the provider through its pages, filling in what it asks, until it sends us back."""
        for _ in range(10):
            if answer.is_redirect and answer.headers["Location"].startswith(REDIRECT):
                return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
            if answer.is_redirect:
                answer = browser.get(answer.headers["Location"])
                continue
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert prompt is not None, answer.text
            form = {"prompt": prompt[1], "login": login, "password": "any"}
            answer = browser.post(answer.url, data=form)
        raise AssertionError("the provider asks for ever")

    def machine(self) -> str:
        """The access token of the machine (client credentials)."""
        given = {"grant_type": "client_credentials", "scope": "use"}
        answer = httpx.post(
            f"{self.url}/token", data=given, auth=("robot", "secret-of-the-robot"), trust_env=False, timeout=20
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


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
