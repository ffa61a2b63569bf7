"""Workspaces are prepared: cloned, written, and what goes wrong is told in git's words, without credentials."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ambient_runner import prepare

GIT = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    folder = tmp_path / "origin"
    folder.mkdir()
    (folder / "README.md").write_text("# Read me\n")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"], ["branch", "side"]):
        subprocess.run([*GIT, *command], cwd=folder, check=True)
    return folder


def specification(
    *repositories: dict[str, Any], files: Any = (), protocols: str = "file:https", timeout: float = 30
) -> Any:
    return {"repositories": list(repositories), "files": list(files), "protocols": protocols, "clone_timeout": timeout}


def begin(tmp_path: Path, given: Any) -> "subprocess.Popen[str]":
    (tmp_path / "prepare.json").write_text(json.dumps(given))
    command = [sys.executable, "-I", prepare.__file__, str(tmp_path / "prepare.json")]
    environment = {"PATH": os.environ["PATH"], "WORKSPACE_PATH": str(tmp_path / "workspace"), "HOME": str(tmp_path)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def prepared(tmp_path: Path, given: Any) -> tuple[int, dict[str, str]]:
    process = begin(tmp_path, given)
    words, _ = process.communicate(timeout=60)
    return process.returncode, json.loads(words) if words else {}


def test_what_is_asked_for_is_there_and_nothing_is_said(tmp_path: Path, origin: Path) -> None:
    wanted = {"url": f"file://{origin}", "branch": "side", "name": "copy"}
    files = [(".claude/skills/triage/SKILL.md", "Sort.")]
    assert prepared(tmp_path, specification(wanted, files=files)) == (0, {})
    assert (tmp_path / "workspace" / "copy" / "README.md").read_text() == "# Read me\n"
    assert (tmp_path / "workspace" / ".claude" / "skills" / "triage" / "SKILL.md").read_text() == "Sort."


def test_what_an_earlier_start_cloned_stays(tmp_path: Path, origin: Path) -> None:
    given = specification({"url": f"file://{origin}", "name": "copy"})
    prepared(tmp_path, given)
    (tmp_path / "workspace" / "copy" / "REPORT.md").write_text("done")
    assert prepared(tmp_path, given) == (0, {})
    assert (tmp_path / "workspace" / "copy" / "REPORT.md").read_text() == "done"


def test_a_clone_that_fails_says_why_in_git_s_words(tmp_path: Path, origin: Path) -> None:
    code, told = prepared(tmp_path, specification({"url": f"file://{origin}", "branch": "nowhere", "name": "copy"}))
    assert (code, told["reason"]) == (1, "CloneFailed")
    assert "Remote branch nowhere not found" in told["message"]
    assert not (tmp_path / "workspace" / "copy").exists()


def test_only_the_protocols_that_are_allowed_are_spoken(tmp_path: Path, origin: Path) -> None:
    _, told = prepared(tmp_path, specification({"url": f"file://{origin}", "name": "copy"}, protocols="https"))
    assert (told["reason"], "not allowed" in told["message"]) == ("CloneFailed", True)


def test_a_file_that_is_asked_for_no_more_goes_and_what_others_wrote_stays(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    prepared(tmp_path, specification(files=[("skills/a.md", "a"), ("skills/b.md", "b")]))
    (folder / "skills" / "own.md").write_text("mine")
    for _ in range(2):
        assert prepared(tmp_path, specification(files=[("skills/a.md", "new")])) == (0, {})
    found = {entry.name: entry.read_text() for entry in (folder / "skills").iterdir()}
    assert found == {"a.md": "new", "own.md": "mine"}


@pytest.mark.parametrize("credentials", ["ada:secret", "ada:p@secret", "secret"])
def test_credentials_are_never_told(tmp_path: Path, credentials: str) -> None:
    _, told = prepared(tmp_path, specification({"url": f"https://{credentials}@127.0.0.1:1/a.git", "name": "copy"}))
    assert told["reason"] == "CloneFailed"
    assert "secret" not in str(told)


@pytest.mark.parametrize("path", ["../outside", "/etc/outside", "a/../../outside"])
def test_no_file_lies_outside_the_workspace(tmp_path: Path, path: str) -> None:
    code, told = prepared(tmp_path, specification(files=[(path, "x")]))
    assert (code, told["reason"]) == (1, "BadInput")


def test_a_link_in_a_repository_leads_no_file_outside(tmp_path: Path, origin: Path) -> None:
    (origin / "link").symlink_to("/tmp")
    for command in (["add", "."], ["commit", "-qm", "a link"]):
        subprocess.run([*GIT, *command], cwd=origin, check=True)
    given = specification({"url": f"file://{origin}", "name": "copy"}, files=[("copy/link/outside", "x")])
    assert prepared(tmp_path, given)[1]["reason"] == "BadInput"


def test_a_clone_that_takes_too_long_or_is_to_stop_is_given_up(tmp_path: Path, monkeypatch: Any) -> None:
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nsleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
    wanted = {"url": "https://example.com/a.git", "name": "copy"}
    assert prepared(tmp_path, specification(wanted, timeout=0.2))[1]["reason"] == "CloneTimedOut"
    process = begin(tmp_path, specification(wanted))
    deadline = time.monotonic() + 30
    while not Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text():
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGTERM)
    words, _ = process.communicate(timeout=30)
    assert json.loads(words)["reason"] == "Stopped"
