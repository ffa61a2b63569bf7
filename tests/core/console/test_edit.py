"""``ambient edit`` with an editor that does as a script says."""

import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EDITOR = """#!/bin/sh
number=$(($(ls seen.* 2>/dev/null | wc -l) + 1))
cp "$1" "seen.$number"
test ! -e "step.$number" || . "./step.$number"
"""
SOMEBODY = """
import json, os, sys, urllib.request
address = f"{os.environ['AMBIENT_API_URL']}/api/ambient/v1/lions/{sys.argv[1]}"
headers = {"Authorization": f"Bearer {os.environ['AMBIENT_TOKEN']}", "Content-Type": "application/json"}
request = urllib.request.Request(address, sys.argv[2].encode(), headers, method="PATCH")
urllib.request.urlopen(request).read()
"""
Scripted = Callable[..., None]


@pytest.fixture
def scripted(ambient: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """An editor that does one step at each opening, and then leaves the text as it is."""
    (tmp_path / "editor").write_text(EDITOR)
    (tmp_path / "editor").chmod(0o700)
    (tmp_path / "somebody.py").write_text(SOMEBODY)
    monkeypatch.setenv("VISUAL", str(tmp_path / "editor"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def write(*steps: str) -> None:
        for number, step in enumerate(steps, 1):
            (tmp_path / f"step.{number}").write_text(step)

    return write


@pytest.fixture
def lion(call: Any) -> dict[str, Any]:
    body = {"name": f"leo-{secrets.token_hex(3)}", "rank": 1, "note": "first\nsecond\n", "labels": {"a": "1", "b": "2"}}
    answer = call("POST", "/lions", json=body)
    assert answer.status_code == 201, answer.json
    return dict(answer.json)


def somebody(lion: dict[str, Any], body: str) -> str:
    """A step in which somebody else changes the object."""
    return f"{sys.executable} somebody.py {lion['id']} '{body}'\n"


def seen(number: int) -> str:
    return Path(f"seen.{number}").read_text()


def now(call: Any, lion: dict[str, Any]) -> dict[str, Any]:
    return dict(call("GET", f"/lions/{lion['id']}").json)


def test_what_is_changed_is_sent_and_the_rest_stays(
    ambient: Any, call: Any, lion: dict[str, Any], scripted: Scripted
) -> None:
    scripted("sed -i -e 's/rank: 1/rank: 9/' -e '/  a: /d' -e '/^# weight:/s/.*/weight: 2.5/' \"$1\"")
    edited = ambient("edit", "lion", lion["name"])
    assert (edited.exit_code, edited.stdout) == (0, f"lions/{lion['name']} changed\n"), edited.output
    found = now(call, lion)
    assert (found["rank"], found["weight"], found["labels"]) == (9, 2.5, {"b": "2"})
    assert (found["note"], found["version"]) == (lion["note"], 2)


def test_the_text_has_the_fields_that_may_be_changed(ambient: Any, lion: dict[str, Any], scripted: Scripted) -> None:
    scripted()
    assert ambient("edit", "lion", lion["id"]).stdout == f"lions/{lion['name']} unchanged\n"
    note, *lines = seen(1).splitlines()
    assert note.startswith(f"# lions/{lion['name']}, version 1. ")
    assert lines == [
        f"name: {lion['name']}",
        "rank: 1",
        "note: |",
        "  first",
        "  second",
        "labels:",
        "  a: '1'",
        "  b: '2'",
        *(f"# {name}:" for name in ("steps", "weight", "tame", "born", "colour", "tags", "data", "key")),
    ]


def test_what_is_left_as_it_is_sends_nothing(ambient: Any, call: Any, lion: dict[str, Any], scripted: Scripted) -> None:
    scripted("echo '# a comment alone' >> \"$1\"")
    assert ambient("edit", "lion", lion["id"]).exit_code == 0
    assert now(call, lion)["version"] == 1


def test_a_field_that_is_removed_is_cleared(ambient: Any, call: Any, lion: dict[str, Any], scripted: Scripted) -> None:
    scripted("sed -i '/^rank/d' \"$1\"")
    assert ambient("edit", "lion", lion["id"]).exit_code == 0
    assert "rank" not in now(call, lion)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [("s/rank: 1/rank: many/", "# rank must be"), ("s/rank: 1/rank: [1/", "# line "), ("s/rank/rnak/", "# rnak ")],
)
def test_what_is_wrong_is_opened_again_with_the_reason(
    ambient: Any, call: Any, lion: dict[str, Any], scripted: Scripted, wrong: str, words: str
) -> None:
    scripted(f"sed -i '{wrong}' \"$1\"", "sed -i -e 's/^r.*: .*/rank: 7/' \"$1\"")
    edited = ambient("edit", "lion", lion["id"])
    assert edited.exit_code == 0, edited.output
    assert seen(2).startswith(words)
    assert now(call, lion)["rank"] == 7


def test_giving_up_keeps_the_text(ambient: Any, call: Any, lion: dict[str, Any], scripted: Scripted) -> None:
    scripted("sed -i 's/rank: 1/rank: many/' \"$1\"")
    edited = ambient("edit", "lion", lion["id"])
    assert edited.exit_code == 1
    kept = Path(edited.stderr.strip().rsplit(" ", 1)[1].rstrip("."))
    assert "rank: many" in kept.read_text()
    assert oct(os.stat(kept).st_mode & 0o777) == "0o600"
    assert now(call, lion)["version"] == 1


def test_what_somebody_else_changed_is_shown_and_kept(
    ambient: Any, call: Any, lion: dict[str, Any], scripted: Scripted
) -> None:
    other = somebody(lion, '{"rank": 50, "labels": {"c": "3"}}')
    scripted(other + "sed -i -e 's/second/third/' -e 's/rank: 1/rank: 1/' -e \"s/  a: '1'/  a: '9'/\" \"$1\"")
    edited = ambient("edit", "lion", lion["id"])
    assert (edited.exit_code, edited.stdout) == (0, f"lions/{lion['name']} changed\n"), edited.output
    assert "# Somebody else changed it meanwhile; it is at version 2:" in seen(2)
    assert "# - rank: 1\n# + rank: 50\n" in seen(2)
    found = now(call, lion)
    assert (found["rank"], found["note"], found["version"]) == (50, "first\nthird\n", 3)
    assert found["labels"] == {"a": "9", "b": "2", "c": "3"}


def test_a_change_beside_somebody_elses_can_be_given_up(
    ambient: Any, call: Any, lion: dict[str, Any], scripted: Scripted
) -> None:
    scripted(somebody(lion, '{"rank": 50}') + "sed -i 's/second/third/' \"$1\"", ': > "$1"')
    assert ambient("edit", "lion", lion["id"]).exit_code == 1
    found = now(call, lion)
    assert (found["rank"], found["note"], found["version"]) == (50, "first\nsecond\n", 2)
