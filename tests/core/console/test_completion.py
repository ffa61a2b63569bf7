"""What a shell offers, asked as a shell asks."""

import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
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
        ("ambient get lions/S", ["lions/Simba"]),
        ("ambient get lion/Simba Z", ["Zira"]),
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


@pytest.mark.parametrize(("shell", "line", "words"), [
    ("zsh", "ambient get li", ["lions"]),
    ("zsh", "ambient get lions ", ["Nala", "Simba", "Zira"]),
    ("zsh", "ambient get lions -o js", ["json", "jsonpath="]),
    ("zsh", "ambient apply -f kin", ["kin"]),
    ("fish", "ambient get li", ["lions"]),
    ("fish", "ambient get lions ", ["Nala", "Simba", "Zira"]),
    ("fish", "ambient get lions -o js", ["json", "jsonpath="]),
    ("fish", "ambient apply -f kin", ["kin"]),
])  # fmt: skip
def test_every_shell_is_answered_in_its_own_way(ambient: Ambient, shell: str, line: str, words: list[str]) -> None:
    begun = line.rpartition(" ")[2]
    current = begun if shell == "fish" else str(line.count(" "))
    environment = {"_AMBIENT_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": current}
    shown = ambient(env=environment, prog_name="ambient").stdout.splitlines()
    # Zsh: kind, word and help, a line each. Fish: kind, a comma, word, and help behind a tabulator.
    found = shown[1::3] if shell == "zsh" else [one.partition(",")[2].partition("\t")[0] for one in shown]
    assert found == words


def pressed(shell: str, script: Path, line: str, environment: dict[str, str]) -> list[str]:
    """What a real shell makes of a line when Tab is pressed behind it."""
    asked = {
        # What bash itself sets before it calls a function that completes.
        "bash": 'complete() { :; }; source "$0"; COMP_LINE=$1 COMP_POINT=${#1}; _ambient_completion ambient; printf "%s\\n" "${COMPREPLY[@]}"',
        "fish": "source $argv[1]; complete -C $argv[2]",
    }
    command = {
        "bash": ["bash", "--norc", "-c", asked["bash"], str(script), line],
        "fish": ["fish", "--no-config", "-c", asked["fish"], str(script), line],
    }[shell]
    folder = str(Path(sys.executable).parent)
    own = {**os.environ, **environment, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    shown = subprocess.run(command, capture_output=True, text=True, timeout=100, env=own)
    assert not shown.stderr
    return [one.partition("\t")[0] for one in shown.stdout.splitlines()]


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_a_word_with_a_colon_and_one_with_a_comma_are_completed_whole(
    ambient: Ambient, call: Any, environment: dict[str, str], tmp_path: Path, shell: str
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"There is no {shell} on this machine.")
    script = tmp_path / "completion"
    script.write_text(ambient("completion", shell).stdout)
    before = "" if shell == "fish" else "platform:"
    asking = partial(pressed, shell, script, environment=environment)
    names = [f"platform:{name}" for name in ("admin", "control-plane", "viewer")]
    assert asking("ambient get roles platform:") == [name.removeprefix(before) for name in names]
    made = call("POST", "/sessions", json={"name": f"com,ma-{shell}", "project_id": "pride"}).json
    assert asking("ambient get sessions -p pride com") == [made["name"]]
    call("DELETE", f"/sessions/{made['id']}")
