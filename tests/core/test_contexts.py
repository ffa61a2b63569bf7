"""Contexts, where their logins are kept, and which of them a command goes by."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

from ambient_core.cli.login import contexts
from ambient_core.cli.login.contexts import Book, Context
from ambient_core.cli.login.folder import Folder
from ambient_core.cli.login.renewal import RenewedToken
from ambient_core.cli.login.wallet import Credential, wallet_of
from ambient_core.cli.remote import Target, target_of
from ambient_core.config import Settings
from ambient_core.errors import SetupError

PROD = Context("prod", "https://ambient.example.com", project="web")
TEST = Context("test", "https://test.example.com", gateway="https://gateway.example.com")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A person with two contexts, of which the first is current."""
    made = Folder(tmp_path / "home")
    with contexts.changing(made) as books:
        books.append(Book({one.name: one for one in (PROD, TEST)}, "prod"))
    for one in (PROD, TEST):
        wallet_of(one, made).put(one.name, Credential(f"token-of-{one.name}"))
    return made


@pytest.fixture
def target(folder: Folder) -> Callable[..., Target]:
    def of(settings: Settings | None = None, **environment: str) -> Target:
        return target_of(settings or Settings(), {"AMBIENT_HOME": str(folder.path), **environment})

    return of


def token(found: Target) -> str:
    return found.token if isinstance(found.token, str) else found.token()


def test_the_current_context_says_where_and_as_whom(target: Callable[..., Target]) -> None:
    found = target()
    assert (found.server, found.gateway, found.project) == (PROD.server, PROD.server, "web")
    assert (found.context, token(found)) == ("prod", "token-of-prod")


def test_a_variable_names_another_context(target: Callable[..., Target]) -> None:
    found = target(AMBIENT_CONTEXT="test")
    assert (found.server, found.gateway, token(found)) == (TEST.server, TEST.gateway, "token-of-test")


def test_token_and_project_of_the_environment_come_first(target: Callable[..., Target]) -> None:
    found = target(AMBIENT_TOKEN="given", AMBIENT_PROJECT="other")
    assert (found.server, token(found), found.project) == (PROD.server, "given", "other")


def test_another_server_never_gets_a_contexts_login(target: Callable[..., Target]) -> None:
    with pytest.raises(SetupError, match="its login is not sent to https://evil.example.com"):
        target(AMBIENT_CONTEXT="prod", AMBIENT_API_URL="https://evil.example.com")
    with pytest.raises(SetupError, match="There is no token"):
        target(AMBIENT_API_URL="https://evil.example.com")
    found = target(AMBIENT_API_URL="https://evil.example.com", AMBIENT_TOKEN="given")
    assert (found.project, found.context) == ("", "")


def test_a_server_is_found_among_the_contexts(target: Callable[..., Target]) -> None:
    assert token(target(AMBIENT_API_URL=f"{TEST.server}/")) == "token-of-test"


def test_a_developers_token_is_for_the_developers_server(target: Callable[..., Target], tmp_path: Path) -> None:
    file = tmp_path / "developer"
    file.write_text("token-of-the-developer\n")
    found = target(replace(Settings(), developer_token_file=file))
    assert (found.server, token(found)) == ("http://127.0.0.1:8000", "token-of-the-developer")
    assert token(target(replace(Settings(), developer_token_file=file), AMBIENT_CONTEXT="prod")) == "token-of-prod"


def test_without_anything_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="run: ambient login --server URL"):
        target_of(Settings(), {"AMBIENT_HOME": str(tmp_path / "none")})
    assert not (tmp_path / "none").exists()


def test_a_context_that_is_not_there_is_answered_with_those_that_are(target: Callable[..., Target]) -> None:
    with pytest.raises(SetupError, match="there are: prod, test"):
        target(AMBIENT_CONTEXT="pord")


@pytest.mark.parametrize("url", ["http://ambient.example.com", "ftp://x", "ambient.example.com", "https://a:b@c", ""])
def test_a_login_is_sent_over_tls_or_not_at_all(url: str) -> None:
    with pytest.raises(SetupError, match="must be an https:// address"):
        contexts.checked_server(url)


@pytest.mark.parametrize("name", ["../up", "", "a/b", ".hidden", "x" * 64])
def test_a_name_is_no_path(name: str) -> None:
    with pytest.raises(SetupError, match="cannot be called"):
        contexts.checked_name(name)


def test_a_folder_that_others_can_read_is_refused(folder: Folder) -> None:
    folder.path.chmod(0o755)
    with pytest.raises(SetupError, match="is open to others; run: chmod 700"):
        contexts.read(folder)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"contexts": {"a": {}}}'])
def test_a_damaged_file_is_said_in_one_line(folder: Folder, content: str) -> None:
    (folder.path / contexts.FILE).write_text(content)
    with pytest.raises(SetupError, match="is damaged"):
        contexts.read(folder)


def test_a_change_that_fails_keeps_what_was_there(folder: Folder) -> None:
    with pytest.raises(SetupError, match="There is no context"), contexts.changing(folder) as books:
        books.append(books[0].using("none"))
    assert contexts.read(folder).current == "prod"


def test_what_a_later_version_keeps_beside_it_is_no_fault(folder: Folder) -> None:
    file = folder.path / contexts.FILE
    content = json.loads(file.read_text())
    content["contexts"]["prod"]["later"] = True
    file.write_text(json.dumps(content))
    assert contexts.read(folder).find().name == "prod"


def test_who_waits_too_long_for_another_process_is_told(folder: Folder) -> None:
    impatient = Folder(folder.path, patience=0)
    with folder.locked("credentials/prod"):
        with pytest.raises(SetupError, match="Another ambient holds"), impatient.locked("credentials/prod"):
            raise AssertionError("it was let in")


def test_a_lock_lets_one_in_at_a_time(folder: Folder) -> None:
    entered = threading.Event()

    def enter() -> None:
        with folder.locked("contexts"):
            entered.set()

    second = threading.Thread(target=enter)
    with folder.locked("contexts"):
        second.start()
        assert not entered.wait(0.2)
    second.join()
    assert entered.is_set()


def test_a_secret_is_not_in_what_is_printed_of_a_credential() -> None:
    assert "hidden" not in repr(Credential("hidden", refresh_token="hidden", client_secret="hidden"))
    assert "hidden" not in repr(Target("https://x", "https://x", "hidden"))


class Drawer(KeyringBackend):
    """A keyring that is a dictionary, and may be locked."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("it is locked")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("there is none")


@pytest.fixture
def drawer() -> Iterator[Drawer]:
    before, made = keyring.get_keyring(), Drawer()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def test_a_login_can_be_kept_in_the_keyring_of_the_system(folder: Folder, drawer: Drawer) -> None:
    context = replace(PROD, name="safe", keyring=True)
    wallet = wallet_of(context, folder)
    wallet.put("safe", Credential("in the keyring", refresh_token="r"))
    assert RenewedToken(context, folder)() == "in the keyring"
    assert not (folder.path / "credentials" / "safe.json").exists()
    wallet.forget("safe")
    wallet.forget("safe")
    assert (wallet.get("safe"), drawer.kept) == (None, {})


def test_a_keyring_that_is_locked_is_said_in_one_line(folder: Folder, drawer: Drawer) -> None:
    drawer.locked = True
    with pytest.raises(SetupError, match="The keyring of the system refuses"):
        wallet_of(replace(PROD, keyring=True), folder).get("prod")


def test_without_the_package_there_is_no_keyring(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "keyring", None)
    with pytest.raises(SetupError, match=r"pip install 'ambient-core\[keyring\]'"):
        wallet_of(replace(PROD, keyring=True), folder)


def test_a_token_that_nobody_can_renew_is_used_to_its_end(folder: Folder) -> None:
    wallet_of(PROD, folder).put("prod", Credential("given", expires_at=100.0, renew_at=90.0))
    clock: list[Any] = [95.0]
    renewed = RenewedToken(PROD, folder, clock=lambda: clock[0])
    assert renewed() == "given"
    clock[0] = 101.0
    with pytest.raises(SetupError, match="has ended; run: ambient login --context prod"):
        renewed()
