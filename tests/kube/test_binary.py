"""The plane's binary is built with Go; where there is none, that is said."""

import subprocess
import sys
from pathlib import Path

from tests.kube.binary import SOURCES, path


def test_without_go_it_says_what_to_install_and_what_does_without(tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "tests.kube.binary"]
    done = subprocess.run(command, env=environment, cwd=SOURCES.parents[2], capture_output=True, text=True, check=False)
    assert (done.returncode, "no `go` on PATH" in done.stderr, "`make test-fast`" in done.stderr) == (1, True, True)


def test_another_source_is_another_binary(tmp_path: Path) -> None:
    (tmp_path / "go.mod").touch()
    (tmp_path / "go.sum").touch()
    names = set()
    for text in ("package main", "package other"):
        (tmp_path / "main.go").write_text(text)
        names.add(path(tmp_path).name)
    assert len(names) == 2
