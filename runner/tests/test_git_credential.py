"""Git's helper: which credential is for which server, and for no other."""

import io
import sys
from pathlib import Path
from typing import Any

import pytest
from ambient_runner import git_credential
from ambient_runner.git_credential import chosen, configuration

HUB = {"id": "hub", "provider": "github"}
LAB = {"id": "lab", "provider": "gitlab", "url": "https://git.example.com/team"}
OWN = {"id": "own", "provider": "github", "url": "http://bot@127.0.0.1:8080"}
JIRA = {"id": "jira", "provider": "jira", "url": "https://git.example.com"}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("https github.com a/b.git", ("hub", "x-access-token")),
        ("https GitHub.com a/b.git", ("hub", "x-access-token")),
        ("http github.com a/b.git", None),
        ("https github.com.evil.example a/b.git", None),
        ("https evil.example github.com/a.git", None),
        ("https git.example.com team/a.git", ("lab", "oauth2")),
        ("https git.example.com teamwork/a.git", None),
        ("https git.example.com other/a.git", None),
        ("http 127.0.0.1:8080 a.git", ("own", "bot")),
        ("http 127.0.0.1:8081 a.git", None),
        ("https gitlab.com a.git", None),
    ],
)
def test_a_credential_is_for_its_own_server_alone(asked: str, found: tuple[str, str] | None) -> None:
    given = dict(zip(("protocol", "host", "path"), asked.split(), strict=True))
    assert chosen(given, [HUB, LAB, OWN, JIRA]) == found


def test_the_nearer_address_wins_and_a_name_that_git_knows_stays() -> None:
    nearer = {**HUB, "id": "nearer", "url": "https://github.com/team"}
    asked = {"protocol": "https", "host": "github.com", "path": "team/a.git"}
    assert chosen(asked, [nearer, HUB]) == chosen(asked, [HUB, nearer]) == ("nearer", "x-access-token")
    assert chosen({**asked, "username": "ada"}, [HUB]) == ("hub", "ada")


def test_without_an_answer_git_hears_nothing_and_is_told_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "token").write_text("ambs_secret")
    monkeypatch.setattr(sys, "argv", ["helper", "http://127.0.0.1:1", str(tmp_path / "token"), "get"])
    monkeypatch.setattr(sys, "stdin", io.StringIO("protocol=https\nhost=github.com\n\n"))
    assert git_credential.main() == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "no credential could be fetched: URLError\n")


@pytest.mark.parametrize("operation", ["store", "erase"])
def test_it_keeps_nothing_and_forgets_nothing(operation: str, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(sys, "argv", ["helper", "http://127.0.0.1:1", "/nowhere", operation])
    assert git_credential.main() == 0
    assert capsys.readouterr().out == ""


def test_the_helper_is_a_program_that_needs_no_package() -> None:
    command = configuration("http://api", "/a b/token")["credential.helper"]
    assert command.startswith(f"{sys.executable} -I ")
    assert command.endswith(" http://api '/a b/token'")
