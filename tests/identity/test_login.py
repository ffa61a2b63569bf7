"""``ambient login`` as a person uses it: the command as a process, a real provider, a browser, and the API on a socket."""

import base64
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.e2e.conftest import wait_for
from tests.identity.node import Browser, Provider
from tests.sockets import on_a_socket

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("provider")]
ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def trusting(serving: Any, provider: Provider, folder: Path, *, rules: str) -> Iterator[str]:
    """The API: it trusts the provider by these rules, and names the command line's client there."""
    file = folder / "issuers.toml"
    scopes = "['openid', 'profile', 'email', 'offline_access', 'use']"
    file.write_text(f"[[issuers]]\nissuer = '{provider.url}'\nlogin_client = 'cli'\nlogin_scopes = {scopes}\n{rules}\n")
    with on_a_socket(serving(None, oidc_file=file).application) as url:
        yield url


@pytest.fixture(scope="module")
def api_url(serving: Any, provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One that takes access tokens."""
    rules = "audience = 'ambient'\nclients = ['cli', 'robot']\nservices = {robot = 'nightly'}"
    with trusting(serving, provider, tmp_path_factory.mktemp("issuers"), rules=rules) as url:
        yield url


@pytest.fixture
def id_url(serving: Any, provider: Provider, tmp_path: Path) -> Iterator[str]:
    """One that takes ID tokens, because its provider gives no access token that can be read."""
    with trusting(serving, provider, tmp_path, rules="audience = 'cli'\ntoken = 'id'") as url:
        yield url


class Terminal:
    """A person's terminal with a home of its own.

    Args:
        home: where contexts are kept.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AMBIENT_", "DATABASE_URL"))}
        self.environment = {**clean, "AMBIENT_HOME": str(home)}
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "ambient_core", *arguments]
        pipe = subprocess.PIPE
        own = {**self.environment, **environment}
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=own, cwd=ROOT)
        self._started.append(process)
        return process

    def close(self) -> None:
        """End what a test left behind."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
            with process:
                pass

    def __call__(self, *arguments: str, text: str = "", **environment: str) -> tuple[int, str, str]:
        """Run one command to its end."""
        process = self.start(*arguments, **environment)
        out, err = process.communicate(text, timeout=60)
        return process.returncode, out, err

    def login(self, *arguments: str) -> "tuple[subprocess.Popen[str], str]":
        """Begin a login; the command, and the address that it wants opened."""
        process = self.start("login", *arguments)
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(r"https?://\S+", line):
                return process, found[0]
        raise AssertionError("no address was shown")

    def kept(self, name: str) -> dict[str, Any]:
        return dict(json.loads((self.home / "credentials" / f"{name}.json").read_text()))

    def keep(self, name: str, credential: dict[str, Any]) -> None:
        """Put a credential where the command keeps them."""
        file = self.home / "credentials" / f"{name}.json"
        file.touch(0o600)
        file.write_text(json.dumps(credential))

    def make_due(self, name: str) -> None:
        """As if the time to renew had come."""
        self.keep(name, {**self.kept(name), "renew_at": 1.0})


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path / "home")
    yield made
    made.close()


def claims_of(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))))


def back_home(url: str) -> bool:
    return urlsplit(url).path == "/callback"


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def logged_in(terminal: Terminal, api_url: str, login: str = "ada", name: str = "work") -> None:
    """By code and PKCE, as the tests of what comes afterwards need it."""
    process, url = terminal.login("--no-browser", "--server", api_url, "--context", name)
    home = Browser(login, home=back_home).open(url)
    assert httpx.get(home, trust_env=False).status_code == 200
    status, out, err = ended(process)
    assert status == 0, err
    assert "as Ada Lovelace" in out or login != "ada"


def test_a_person_logs_in_by_a_browser_and_is_known(terminal: Terminal, api_url: str) -> None:
    logged_in(terminal, api_url)
    status, out, _ = terminal("whoami", "-o", "json")
    found = json.loads(out)
    assert (status, found["name"], found["attributes"]["subject"]) == (0, "Ada Lovelace", "ada")
    assert (found["server"], found["context"], found["groups"]) == (api_url, "work", ["dev", "ops"])


def test_what_is_asked_for_has_a_challenge_and_a_state_and_comes_back_to_this_machine(
    terminal: Terminal, api_url: str
) -> None:
    _, url = terminal.login("--no-browser", "--server", api_url)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert (asked["code_challenge_method"], asked["response_type"], asked["prompt"]) == ("S256", "code", "consent")
    assert len(asked["code_challenge"]) == 43
    assert len(asked["state"]) >= 32
    assert asked["redirect_uri"].startswith("http://127.0.0.1:")


def test_what_is_kept_is_for_its_owner_alone(terminal: Terminal, api_url: str) -> None:
    logged_in(terminal, api_url)
    assert stat.S_IMODE(terminal.home.stat().st_mode) == 0o700
    files = [path for path in terminal.home.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert terminal.kept("work")["refresh_token"]
    (terminal.home / "credentials" / "work.json").chmod(0o640)
    status, _, err = terminal("whoami")
    assert (status, "is open to others; run: chmod 600" in err) == (4, True)


def test_an_answer_with_another_state_is_refused_and_the_true_one_still_counts(
    terminal: Terminal, api_url: str
) -> None:
    process, url = terminal.login("--no-browser", "--server", api_url, "--context", "work")
    home = Browser("ada", home=back_home).open(url)
    forged = re.sub(r"state=[^&]+", "state=forged", home)
    assert httpx.get(forged, trust_env=False).status_code == 400
    assert not (terminal.home / "credentials" / "work.json").exists()
    assert httpx.get(home, trust_env=False).status_code == 200
    assert ended(process)[0] == 0


def test_an_answer_of_another_provider_is_refused(terminal: Terminal, api_url: str) -> None:
    process, url = terminal.login("--no-browser", "--server", api_url)
    home = Browser("ada", home=back_home).open(url)
    mixed = re.sub(r"iss=[^&]+", "iss=https%3A%2F%2Fevil.example.com", home)
    httpx.get(mixed, trust_env=False)
    status, _, err = ended(process)
    assert (status, "RFC 9207" in err) == (1, True)


def test_a_person_who_does_not_agree_is_not_logged_in(terminal: Terminal, api_url: str) -> None:
    process, url = terminal.login("--no-browser", "--server", api_url)
    home = Browser("ada", consents=False, home=back_home).open(url)
    httpx.get(home, trust_env=False)
    status, _, err = ended(process)
    assert (status, "access_denied" in err) == (1, True)
    assert terminal("config", "get-contexts", "-o", "json")[1].strip() == "[]"


def test_nobody_comes_and_the_command_ends(terminal: Terminal, api_url: str) -> None:
    status, _, err = terminal("login", "--no-browser", "--server", api_url, "--timeout", "0.2")
    assert (status, "Nobody logged in within 0.2 seconds" in err) == (1, True)


def test_a_person_logs_in_by_a_code_on_another_device(terminal: Terminal, api_url: str) -> None:
    process, url = terminal.login("--device", "--server", api_url, "--context", "phone")
    Browser("ben").open(url)
    status, out, err = ended(process)
    assert (status, "as Ben" in out) == (0, True), err
    assert terminal.kept("phone")["refresh_token"]


def test_a_machine_logs_in_with_its_secret_and_asks_anew_by_itself(terminal: Terminal, api_url: str) -> None:
    ask = ("login", "--client-credentials", "--client-id", "robot", "--scope", "use", "--server", api_url)
    status, out, err = terminal(*ask, "--context", "robot", AMBIENT_CLIENT_SECRET="secret-of-the-robot")
    assert (status, "service:nightly" in out) == (0, True), err
    before = terminal.kept("robot")["token"]
    terminal.make_due("robot")
    assert terminal("whoami")[0] == 0
    assert terminal.kept("robot")["token"] != before


def test_a_wrong_secret_is_refused_in_the_providers_words(terminal: Terminal, api_url: str) -> None:
    ask = ("login", "--client-credentials", "--client-id", "robot", "--server", api_url)
    status, _, err = terminal(*ask, AMBIENT_CLIENT_SECRET="wrong-secret")
    assert (status, "invalid_client" in err, "wrong-secret" in err) == (1, True, False)


def test_a_token_is_taken_from_the_standard_input_if_the_server_takes_it(
    terminal: Terminal, api_url: str, provider: Provider
) -> None:
    token = provider.person("ben")["access_token"]
    status, out, err = terminal("login", "--token", "-", "--server", api_url, "--context", "given", text=f"{token}\n")
    assert (status, "as Ben" in out) == (0, True), err
    status, _, err = terminal("login", "--token", "-", "--server", api_url, "--context", "no", text="nonsense\n")
    assert (status, "does not take the token" in err) == (1, True)
    assert terminal("config", "get-contexts", "-o", "name")[1] == "given\n"


def test_a_token_that_lives_for_a_second_is_renewed_again_and_again(
    terminal: Terminal, api_url: str, provider: Provider
) -> None:
    provider.do("lifetime 1")
    try:
        logged_in(terminal, api_url)
        before = int(provider.do("renewals"))

        def renewed() -> bool:
            assert terminal("whoami")[0] == 0
            return int(provider.do("renewals")) >= before + 2

        wait_for(renewed, "two renewals", 60)
    finally:
        provider.do("lifetime 600")


def test_a_token_is_renewed_before_it_ends_and_the_command_works(terminal: Terminal, api_url: str) -> None:
    logged_in(terminal, api_url)
    before = terminal.kept("work")
    terminal.make_due("work")
    assert terminal("whoami")[0] == 0
    after = terminal.kept("work")
    assert after["token"] != before["token"]
    assert after["renew_at"] > before["renew_at"] - 60


def test_many_commands_at_once_renew_it_once(terminal: Terminal, api_url: str, provider: Provider) -> None:
    logged_in(terminal, api_url)
    before = int(provider.do("renewals"))
    terminal.make_due("work")
    commands = [terminal.start("whoami") for _ in range(4)]
    assert [ended(command)[0] for command in commands] == [0, 0, 0, 0]
    assert int(provider.do("renewals")) == before + 1
    terminal.make_due("work")
    assert terminal("whoami")[0] == 0


def test_while_the_provider_is_down_a_token_that_still_holds_goes_on(
    terminal: Terminal, api_url: str, provider: Provider
) -> None:
    logged_in(terminal, api_url)
    terminal.make_due("work")
    provider.do("down")
    try:
        assert terminal("whoami")[0] == 0
        terminal.keep("work", {**terminal.kept("work"), "expires_at": 1.0})
        status, _, err = terminal("whoami")
    finally:
        provider.do("up")
    assert (status, "does not answer" in err, "Traceback" in err) == (4, True, False)
    assert terminal("whoami")[0] == 0


def test_logout_forgets_and_has_the_provider_forget(terminal: Terminal, api_url: str) -> None:
    logged_in(terminal, api_url)
    kept = terminal.kept("work")
    assert terminal("logout") == (0, "work: logged out.\n", "")
    assert not (terminal.home / "credentials" / "work.json").exists()
    status, _, err = terminal("whoami")
    assert (status, "has no login; run: ambient login --context work" in err) == (4, True)
    terminal.keep("work", {**kept, "renew_at": 1.0})
    status, _, err = terminal("whoami")
    assert (status, "invalid_grant" in err) == (4, True)


def test_where_the_server_takes_id_tokens_it_gets_them_renewed_ones_too(
    terminal: Terminal, id_url: str, provider: Provider
) -> None:
    process, url = terminal.login("--no-browser", "--server", id_url, "--context", "work")
    httpx.get(Browser("ada", home=back_home).open(url), trust_env=False)
    assert ended(process)[0] == 0
    assert claims_of(terminal.kept("work")["token"])["aud"] == "cli"
    before = int(provider.do("renewals"))
    terminal.make_due("work")
    assert terminal("whoami")[0] == 0
    assert int(provider.do("renewals")) == before + 1
    assert claims_of(terminal.kept("work")["token"])["aud"] == "cli"


def test_every_login_is_forgotten_at_once(terminal: Terminal, api_url: str) -> None:
    logged_in(terminal, api_url, name="one")
    logged_in(terminal, api_url, login="ben", name="two")
    assert terminal("logout", "--all")[1] == "one: logged out.\ntwo: logged out.\n"
    assert terminal("logout", "--all")[1] == "one: there was no login.\ntwo: there was no login.\n"


def test_a_provider_that_is_down_does_not_keep_a_login_here(
    terminal: Terminal, api_url: str, provider: Provider
) -> None:
    logged_in(terminal, api_url)
    provider.do("down")
    try:
        status, out, _ = terminal("logout")
    finally:
        provider.do("up")
    assert (status, "forgotten here; it could not be revoked" in out) == (0, True)
    assert not (terminal.home / "credentials" / "work.json").exists()


def test_contexts_are_listed_chosen_and_forgotten(terminal: Terminal, api_url: str) -> None:
    logged_in(terminal, api_url, name="one")
    logged_in(terminal, api_url, login="ben", name="two")
    assert terminal("config", "current-context")[1] == "two\n"
    assert terminal("config", "use-context", "one")[0] == 0
    assert json.loads(terminal("whoami", "-o", "json")[1])["name"] == "Ada Lovelace"
    assert json.loads(terminal("--context", "two", "whoami", "-o", "json")[1])["name"] == "Ben"
    assert json.loads(terminal("whoami", "-o", "json", AMBIENT_CONTEXT="two")[1])["name"] == "Ben"
    listed = terminal("config", "get-contexts")[1].splitlines()
    assert [line.split()[:2] for line in listed[1:]] == [["*", "one"], ["two", api_url]]
    assert terminal("config", "delete-context", "two")[0] == 0
    status, _, err = terminal("config", "use-context", "two")
    assert (status, "there are: one" in err) == (1, True)
