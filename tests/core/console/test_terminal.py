"""What only a terminal gets: questions, and tables that live; and what nothing else gets."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("pride")]


class Terminal:
    """A command that believes to be on a terminal."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self.seen = b""
        self.ours, theirs = pty.openpty()
        own = {**os.environ, **environment, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
        command = [sys.executable, "-m", "ambient_core", *arguments]
        # Who runs these tests in the background has them ignore Ctrl-C, and what they start as well.
        heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=own, preexec_fn=heard, start_new_session=True
        )
        os.close(theirs)
        os.set_blocking(self.ours, False)

    def shows(self, text: str) -> bool:
        """Whether a text has come."""
        try:
            while chunk := os.read(self.ours, 65536):
                self.seen += chunk
        except (BlockingIOError, OSError):
            pass
        return text.encode() in self.seen

    def until(self, text: str) -> None:
        """Wait for a text."""
        wait_for(lambda: self.shows(text), text)

    def types(self, text: str) -> None:
        """Type."""
        os.write(self.ours, text.encode())

    def ended(self) -> int:
        """Wait for its end; the status."""
        status = wait_for(
            lambda: self.shows("\0") or (self.process.poll() is not None and [self.process.returncode]), "end"
        )
        self.shows("")
        return int(status[0])


@contextmanager
def terminal(environment: dict[str, str], *arguments: str) -> Iterator[Terminal]:
    made = Terminal(environment, *arguments)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.kill()
        made.process.wait(30)
        os.close(made.ours)


@pytest.mark.parametrize(("answer", "status", "left"), [("n\n", 1, 1), ("y\n", 0, 0)])
def test_a_terminal_is_asked_before_anything_goes(
    environment: dict[str, str], call: Any, answer: str, status: int, left: int
) -> None:
    call("POST", "/lions", json={"name": "Old"})
    with terminal(environment, "delete", "lion", "Old") as shown:
        shown.until("Delete lions Old? [y/N]: ")
        shown.types(answer)
        assert shown.ended() == status
    assert call("GET", "/lions?search=name = 'Old'").json["total"] == left


def test_a_search_says_how_many_it_would_delete(environment: dict[str, str], call: Any) -> None:
    for number in range(2):
        call("POST", "/lions", json={"name": f"Many-{number}", "note": "many"})
    with terminal(environment, "delete", "lions", "--search", "note = 'many'") as shown:
        shown.until("Delete 2 lions? [y/N]: ")
        shown.types("y\n")
        assert shown.ended() == 0
        assert shown.shows("2 lions deleted")


def test_a_secret_that_must_be_given_is_asked_for_and_not_shown(environment: dict[str, str]) -> None:
    with terminal(environment, "create", "keeper", "-p", "pride", "--name", "typed") as shown:
        shown.until("pin: ")
        shown.types("canary-7f3a\n")
        assert shown.ended() == 0, shown.seen
        assert shown.shows("keepers/typed created")
        assert not shown.shows("canary-7f3a")


@pytest.mark.parametrize("asking", [("watch", "lions"), ("get", "lions", "-w")])
def test_a_watch_on_a_terminal_is_a_table_that_lives(
    environment: dict[str, str], call: Any, asking: tuple[str, ...]
) -> None:
    with terminal(environment, *asking, "--search", "colour = 'gold'") as shown:
        shown.until("Simba")
        call("POST", "/lions", json={"name": f"Goldie-{asking[0]}", "colour": "gold"})
        shown.until(f"Goldie-{asking[0]}")
        shown.process.send_signal(signal.SIGINT)
        assert shown.process.wait(60) == 130


def test_help_answers_without_a_server(environment: dict[str, str]) -> None:
    away = {**os.environ, **environment, "AMBIENT_API_URL": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "ambient_core"]
    for arguments in (["get", "--help"], ["create", "--help"], ["start", "--help"], ["watch", "--help"]):
        done = subprocess.run(
            [*command, *arguments], env=away, capture_output=True, text=True, timeout=100, check=False
        )
        assert (done.returncode, "Usage: " in done.stdout) == (0, True), done.stderr


def test_the_contract_is_kept_and_asked_for_by_its_tag(
    environment: dict[str, str], ambient: Any, tmp_path: Path
) -> None:
    assert ambient("get", "lions").exit_code == 0
    (kept,) = (tmp_path / "cache" / "ambient" / "contracts").iterdir()
    before = kept.stat().st_mtime_ns
    assert ambient("get", "lions").exit_code == 0
    assert kept.stat().st_mtime_ns == before
    kept.write_text("{}")
    assert ambient("get", "lions").exit_code == 0
    assert len(kept.read_text()) > 1000
