"""``ambient dev --oidc``: the whole system joins a real provider, beside the developer's token."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.conftest import System
from tests.identity.node import Browser, Provider
from tests.identity.test_login import Terminal, back_home, ended

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("provider")]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


@pytest.fixture(scope="module")
def joined(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    flags = ("--oidc", provider.url, "--audience", "ambient", "--client-id", "cli")
    made = System(tmp_path_factory.mktemp("joined") / "data", *flags).start()
    yield made
    made.stop()


@pytest.fixture
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    made = Terminal(tmp_path_factory.mktemp("home") / "ambient")
    yield made
    made.close()


def test_a_person_of_the_provider_logs_in_and_works_beside_the_developer(joined: System, terminal: Terminal) -> None:
    server = f"http://127.0.0.1:{joined.ports['port']}"
    assert f"ambient login --server {server}" in joined.log.read_text()
    process, url = terminal.login("--no-browser", "--server", server)
    httpx.get(Browser("ada", home=back_home).open(url), trust_env=False)
    assert ended(process)[0] == 0
    who = json.loads(terminal("whoami", "-o", "json")[1])
    assert (who["name"], who["server"]) == ("Ada Lovelace", server)
    mine = {"Authorization": f"Bearer {terminal.kept(who['context'])['token']}"}
    assert joined.ask("POST", "/projects", json={"name": "of-ada"}, headers=mine).status_code == 201
    status, out, err = terminal("apply", "-f", "-", text="kind: Skill\nname: review\nproject_id: of-ada\n")
    assert (status, out) == (0, "skills/review created\n"), err
    assert joined.ask("GET", "/skills?search=project_id = 'of-ada'").json()["total"] == 1


def test_the_gateway_takes_the_same_token(joined: System, provider: Provider) -> None:
    for token, status in ((provider.person("ben")["access_token"], 404), ("nobody", 401)):
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{joined.gateway}/sessions/none/agui/events"
        assert httpx.get(url, headers=headers, trust_env=False).status_code == status
