"""What is Keycloak's own: where it writes groups and roles, what somebody is who is disabled there, and ``ambient login``."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.identity.conftest import Asked
from tests.identity.keycloak.server import Keycloak
from tests.identity.node import Browser, SignInRefused
from tests.identity.providers import KEYCLOAK
from tests.identity.test_login import Terminal, ended, logged_in
from tests.identity.test_people import principal
from tests.sockets import on_a_socket

pytestmark = [pytest.mark.slow, *KEYCLOAK]


@pytest.fixture
def asking(serving: Any, keycloak: Keycloak, tmp_path: Path) -> Any:
    """An API with these lines for Keycloak in its file of issuers."""

    def serve(*lines: str) -> Asked:
        file = tmp_path / "issuers.toml"
        file.write_text("\n".join(["[[issuers]]", f"issuer = '{keycloak.issuer}'", *lines]))
        return serving(None, oidc_file=file)

    return serve


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path / "home")
    yield made
    made.close()


@pytest.mark.parametrize(
    ("groups", "found", "group"),
    [
        ("realm_access.roles", {"ambient-admin", "ambient-user"}, "ambient-admin"),
        ("group_paths", {"/staff/ops", "/dev"}, "/staff/ops"),
    ],
)
def test_realm_roles_and_nested_groups_become_roles_here(
    asking: Any, keycloak: Keycloak, groups: str, found: set[str], group: str
) -> None:
    asked = asking("audience = 'ambient'", f"groups = '{groups}'", f"roles = {{'{group}' = 'platform:admin'}}")
    ada, ben = (principal(asked, keycloak.person(login)["access_token"]) for login in ("ada", "ben"))
    assert (found <= ada.groups, ada.roles, ben.roles) == (True, {"platform:admin"}, frozenset())


def test_a_token_for_another_audience_or_client_is_refused(asking: Any, keycloak: Keycloak) -> None:
    token = keycloak.machine()
    assert asking("audience = 'another'")(token).status_code == 401
    assert asking("audience = 'ambient'", "clients = ['cli']")(token).status_code == 401
    assert asking("audience = 'ambient'", "clients = ['robot']")(token).status_code == 404


def test_who_is_disabled_in_keycloak_gets_no_new_token_and_keeps_the_last_until_it_ends(
    asking: Any, keycloak: Keycloak
) -> None:
    asked, last = asking("audience = 'ambient'"), keycloak.person("ben")["access_token"]
    keycloak.enable("ben", enabled=False)
    try:
        with pytest.raises(SignInRefused, match="disabled"):
            keycloak.person("ben")
        assert asked(last).status_code == 404
    finally:
        keycloak.enable("ben", enabled=True)
    assert asked(keycloak.person("ben")["access_token"]).status_code == 404


@pytest.fixture
def api_url(asking: Any) -> Iterator[str]:
    """An API whose people log in at Keycloak."""
    asked = asking("audience = 'ambient'", "login_client = 'cli'", "groups = 'realm_access.roles'")
    with on_a_socket(asked.application) as url:
        yield url


def test_a_person_logs_in_from_the_command_line_is_renewed_and_forgotten_at_keycloak_too(
    api_url: str, terminal: Terminal
) -> None:
    logged_in(terminal, api_url)
    status, out, _ = terminal("whoami", "-o", "json")
    assert (status, "ambient-admin" in json.loads(out)["groups"]) == (0, True)
    before = terminal.kept("work")
    terminal.make_due("work")
    assert terminal("whoami")[0] == 0
    assert terminal.kept("work")["token"] != before["token"]
    last = terminal.kept("work")
    assert terminal("logout") == (0, "work: logged out.\n", "")
    terminal.keep("work", {**last, "renew_at": 1.0})
    status, _, err = terminal("whoami")
    assert (status, "invalid_grant" in err) == (4, True)


def test_a_person_logs_in_by_a_code_on_another_device(api_url: str, terminal: Terminal) -> None:
    process, url = terminal.login("--device", "--server", api_url)
    Browser("ben").open(url)
    status, out, err = ended(process)
    assert (status, "as Ben Nobody" in out) == (0, True), err


def test_a_machine_logs_in_with_its_secret(api_url: str, terminal: Terminal) -> None:
    ask = ("login", "--client-credentials", "--client-id", "robot", "--server", api_url)
    status, out, err = terminal(*ask, AMBIENT_CLIENT_SECRET="secret-of-the-robot")
    assert (status, "service-account-robot" in out) == (0, True), err
