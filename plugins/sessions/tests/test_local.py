"""Runtime ``local`` by itself: asking twice is asking once, and what does not end is ended."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from ambient_sessions.runtimes import LaunchOrder, LogsWanted, Target, Waiting
from ambient_sessions.runtimes.local import LocalRuntime
from ambient_sessions.settings import SessionsSettings

SESSION = {
    "id": "s",
    "starts": 1,
    "project_id": "demo",
    "llm_model": "offline",
    "llm_temperature": 0,
    "llm_max_tokens": 1,
}
TARGET = Target("s", "demo")


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
    return found


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[LocalRuntime]:
    program = tmp_path / "deaf.py"
    program.write_text(
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint(1, flush=True)\ntime.sleep(600)\n"
    )
    made = LocalRuntime(tmp_path / "sessions", SessionsSettings(runner_command=f"python3 {program}", stop_grace=600))
    yield made
    made.terminate(TARGET, force=True)
    wait_for(lambda: not made.observe(TARGET).alive, "the end of everything")


def launch(runtime: LocalRuntime, **fields: Any) -> None:
    runtime.launch(LaunchOrder({**SESSION, **fields}, "token", "http://127.0.0.1:1", ()))


def runs(runtime: LocalRuntime, stage: str) -> Any:
    return wait_for(lambda: runtime.observe(TARGET).stage == stage, stage)


def test_a_launch_is_seen_at_once_and_the_second_one_changes_nothing(runtime: LocalRuntime, tmp_path: Path) -> None:
    assert runtime.observe(TARGET).stage == "absent"
    launch(runtime)
    seen = runtime.observe(TARGET)
    assert (seen.alive, seen.starts) == (True, 1)
    assert runs(runtime, "starting")
    asked = (tmp_path / "sessions" / "s" / "spec.json").read_text()
    launch(runtime)
    launch(runtime, starts=2)
    assert (tmp_path / "sessions" / "s" / "spec.json").read_text() == asked
    assert [target.session_id for target in runtime.sessions()] == ["s"]


def test_a_runner_that_does_not_heed_is_stopping_until_it_is_forced(runtime: LocalRuntime) -> None:
    launch(runtime)
    assert wait_for(lambda: list(runtime.logs(TARGET, LogsWanted())), "the moment from which it does not heed")
    for _ in range(2):
        runtime.terminate(TARGET)
    assert runs(runtime, "stopping")
    with pytest.raises(Waiting, match="StillRunning"):
        runtime.clean(TARGET)
    runtime.terminate(TARGET, force=True)
    assert wait_for(lambda: not runtime.observe(TARGET).alive, "the end")
    told = [happening.reason for happening in runtime.happenings(TARGET)]
    assert told[:2] == ["Cloning", "Starting"]
    runtime.clean(TARGET)
    assert runtime.observe(TARGET).stage == "absent"


def test_what_a_runner_started_ends_with_it_also_outside_its_group(runtime: LocalRuntime, tmp_path: Path) -> None:
    left, program = tmp_path / "left", tmp_path / "leaving.py"
    program.write_text(
        "import pathlib, subprocess\n"
        "daemon = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        f"pathlib.Path({str(left)!r}).write_text(str(daemon.pid))\n"
    )
    runtime._settings = replace(runtime._settings, runner_command=f"python3 {program}")
    launch(runtime)
    wait_for(lambda: runtime.observe(TARGET).stage == "exited" and not runtime.observe(TARGET).alive, "the end")
    assert not psutil.pid_exists(int(left.read_text()))


def test_news_wake_whoever_started_the_runtime(runtime: LocalRuntime) -> None:
    news: list[str] = []
    runtime.start(news.append)
    launch(runtime)
    assert runs(runtime, "starting")
    wait_for(lambda: news, "news of the start")
    news.clear()
    runtime.terminate(TARGET, force=True)
    wait_for(lambda: news, "news of the end")
    runtime.stop()
