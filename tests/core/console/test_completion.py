"""What a shell offers, asked as a shell asks."""

from typing import Any

import pytest

from tests.core.console.conftest import Ambient

pytestmark = pytest.mark.usefixtures("pride")


def offered(ambient: Ambient, line: str) -> list[str]:
    """The words that bash would offer for the last word of a line."""
    words = line.split(" ")
    environment = {"_AMBIENT_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    shown = ambient(env=environment, prog_name="ambient")
    return [one.partition(",")[2] for one in shown.stdout.splitlines() if one]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ambient des", ["describe"]),
        ("ambient st", ["start", "stop"]),
        ("ambient get li", ["lions"]),
        ("ambient get lions ", ["Nala", "Simba", "Zira"]),
        ("ambient get lions Si", ["Simba"]),
        ("ambient get lions Simba Z", ["Zira"]),
        ("ambient get lions --sort we", ["weight"]),
        ("ambient get lions -o js", ["json", "jsonpath="]),
        ("ambient create li", ["lions"]),
        ("ambient create lion --co", ["--colour"]),
        ("ambient create lion --colour ", ["sand", "gold"]),
        ("ambient start ", ["sessions"]),
        ("ambient feed k", ["keepers"]),
        ("ambient feed keeper x --por", ["--portions"]),
        ("ambient logs k", ["keepers"]),
    ],
)
def test_a_shell_is_offered_what_the_server_has(ambient: Ambient, line: str, words: list[str]) -> None:
    assert offered(ambient, line) == words


def test_a_name_of_several_words_is_offered_by_its_id(ambient: Ambient, call: Any) -> None:
    made = call("POST", "/sessions", json={"name": "two words", "project_id": "pride"}).json
    words = offered(ambient, "ambient get sessions -p pride two")
    assert words == [made["id"]]
    call("DELETE", f"/sessions/{made['id']}")


def test_a_server_that_is_away_is_no_error_to_a_shell(ambient: Ambient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMBIENT_API_URL", "http://127.0.0.1:9")
    assert offered(ambient, "ambient get li") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(ambient: Ambient, shell: str) -> None:
    shown = ambient("completion", shell)
    assert shown.exit_code == 0
    assert f"_AMBIENT_COMPLETE={shell}_complete" in shown.stdout
