"""What is Keycloak's own: where it writes groups and roles, what somebody is who is disabled there, and ``ambient login``."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.identity.conftest import Asked
from tests.identity.keycloak.server import Keycloak
from tests.identity.node import SignInRefused
from tests.identity.test_login import Terminal, logged_in
from tests.identity.test_people import principal
from tests.sockets import on_a_socket

pytestmark = [pytest.mark.slow, pytest.mark.keycloak, pytest.mark.xdist_group("provider")]


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


def test_a_person_logs_in_from_the_command_line(asking: Any, keycloak: Keycloak, terminal: Terminal) -> None:
    asked = asking("audience = 'ambient'", "login_client = 'cli'", "groups = 'realm_access.roles'")
    with on_a_socket(asked.application) as url:
        logged_in(terminal, url)
        status, out, _ = terminal("whoami", "-o", "json")
    assert (status, "ambient-admin" in json.loads(out)["groups"]) == (0, True)
