"""The log of a local runner: its end, from a time on, as it grows, and across the point where older lines are put aside."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ambient_sessions.runtimes import LogsWanted
from ambient_sessions.runtimes.local_log import read_log
from ambient_sessions.runtimes.supervisor import Supervisor


def at(second: int) -> str:
    return datetime(2026, 1, 31, 12, 0, second, tzinfo=UTC).isoformat()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "runner.log.1").write_text(f"{at(1)} one\n{at(2)} two\n")
    (tmp_path / "runner.log").write_text(f"{at(3)} three\n{at(4)} four\n{at(5)} half a li")
    return tmp_path / "runner.log"


def read(path: Path, wanted: LogsWanted) -> list[bytes]:
    return list(read_log(path, wanted, lambda: False))


def test_all_that_is_kept_comes_in_whole_lines_without_times(path: Path) -> None:
    assert read(path, LogsWanted()) == [b"one\n", b"two\n", b"three\n", b"four\n"]


def test_the_end_and_what_came_after_a_time(path: Path) -> None:
    assert read(path, LogsWanted(tail=1)) == [b"four\n"]
    assert read(path, LogsWanted(tail=0)) == []
    assert read(path, LogsWanted(since=datetime.fromisoformat(at(2)))) == [b"three\n", b"four\n"]


def test_no_log_is_an_empty_log(tmp_path: Path) -> None:
    assert read(tmp_path / "runner.log", LogsWanted(follow=True)) == []


def test_who_follows_gets_each_line_once_also_when_the_log_begins_anew(path: Path) -> None:
    ended = threading.Event()
    lines: Iterator[bytes] = read_log(path, LogsWanted(tail=1, follow=True), lambda: not ended.is_set())
    assert next(lines) == b"four\n"
    with path.open("a") as log:
        log.write("ne\n")
    assert next(lines) == b"half a line\n"
    path.replace(path.with_name("runner.log.1"))
    path.write_text(f"{at(6)} six\n")
    assert next(lines) == b"six\n"
    ended.set()
    assert list(lines) == []


def test_the_supervisor_keeps_the_newer_half_and_cuts_long_lines(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text('{"starts": 1, "log_limit": 8192}')
    program = "for n in range(200): print(f'{n:03}' + 'x' * 60)\nprint('y' * 70000, end='')"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as runner:
        Supervisor(tmp_path).keep_log(runner)
    kept = read(tmp_path / "runner.log", LogsWanted())
    numbers = [int(line[:3]) for line in kept if line.endswith(b"x\n")]
    assert numbers == list(range(numbers[0], 200))
    assert 10 < len(numbers) < 150
    assert [len(line) for line in kept if line.startswith(b"y")] == [65537, 70000 - 65536 + 1]
