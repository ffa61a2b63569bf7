"""Watches of a server with several workers that are killed and stopped: each change once, in order, and no long good-bye."""

import itertools
import json
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from ambient_sdk import AmbientClient, ConnectionFailed

from tests.e2e.conftest import wait_for
from tests.faults.conftest import Parts

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("parts")]


def client(parts: Parts) -> AmbientClient:
    return AmbientClient(f"http://127.0.0.1:{parts.ports['port']}", "token-of-developer", "demo")


class Reader:
    """Reads a watch in a thread until the server is gone."""

    def __init__(self, parts: Parts, project: str) -> None:
        self.seen: list[tuple[str, str, int]] = []
        self._client = client(parts)
        self._watch = self._client.skills.watch(project_id=project, bookmarks=True)
        assert next(self._watch).type == "BOOKMARK"
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            for event in self._watch:
                if event.type != "BOOKMARK":
                    self.seen.append((event.type, event.id, event.version))
        except ConnectionFailed:
            return


def test_watchers_see_every_change_once_in_order_while_workers_are_killed(parts: Parts) -> None:
    readers = [Reader(parts, "demo") for _ in range(4)]
    expected: list[tuple[str, str, int]] = []
    with client(parts) as writer:
        for number in range(30):
            made = writer.skills.create(name=f"w{number}", project_id="demo")
            patched = writer.skills.patch(made.id, prompt=f"{number}")
            expected += [("ADDED", made.id, 1), ("MODIFIED", made.id, patched.version)]
            if number in (8, 18):
                parts.workers("api")[-1].kill()
        for reader in readers:
            wait_for(lambda one=reader: len(one.seen) >= len(expected), "every change", 60)  # type: ignore[misc]
    assert [reader.seen for reader in readers] == [expected] * 4


def test_a_server_that_stops_lets_its_watches_go_at_once(parts: Parts) -> None:
    with client(parts) as one, one.transport.stream("GET", "/api/ambient/v1/skills?watch=true") as response:
        chunks = response.iter_bytes()
        assert b"BOOKMARK" in b"".join(itertools.islice(chunks, 2))
        parts.parts["api"].send_signal(signal.SIGTERM)
        rest: Any = b"".join(chunks)
    assert b"event: ERROR" in rest
    assert b"stopping" in rest
    assert parts.parts["api"].wait(30) == 0
    start_again(parts)


def start_again(parts: Parts) -> None:
    parts.spawn("api", "ambient_core", "serve")
    wait_for(lambda: parts.answers(parts.api + "/projects"), "the API")


def test_a_worker_that_ends_leaves_the_figures_to_the_others(parts: Parts) -> None:
    parts.ask("GET", "/skills")
    ended = parts.workers("api")[-1]
    ended.terminate()
    ended.wait(60)
    shown = httpx.get(f"http://127.0.0.1:{parts.ports['metrics-port']}/metrics", trust_env=False, timeout=30).text
    assert 'route="/api/ambient/v1/skills"' in shown


def test_a_server_that_stops_while_a_worker_starts_ends_well(parts: Parts) -> None:
    before = {worker.pid for worker in parts.workers("api")}
    parts.workers("api")[-1].kill()
    wait_for(lambda: {worker.pid for worker in parts.workers("api")} - before, "the next worker")
    parts.parts["api"].terminate()
    assert parts.parts["api"].wait(30) == 0
    start_again(parts)


@contextmanager
def started(command: list[str], environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """A command that runs, and has ended in the end."""
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_command_line_goes_on_over_a_restart_of_the_server(parts: Parts) -> None:
    """``ambient watch``: each change once and in order, in JSON lines, while the API is away and comes back."""
    command = [sys.executable, "-m", "ambient_core", "watch", "skills", "-p", "demo", "-o", "json", "--no-initial"]
    own = {**parts.variables, "AMBIENT_TOKEN": "token-of-developer"}
    seen: list[Any] = []
    with client(parts) as writer, started(command, own) as watch:
        reader = threading.Thread(target=lambda: seen.extend(map(json.loads, watch.stdout or ())))
        reader.start()
        # What is made before the watch has begun is no change to it.
        wait_for(lambda: writer.skills.apply(name="knock", prompt=secrets.token_hex(4)) and seen, "the first event")
        made = [writer.skills.create(name=f"before-{number}").id for number in range(3)]
        parts.parts["api"].send_signal(signal.SIGTERM)
        assert parts.parts["api"].wait(60) == 0
        start_again(parts)
        made += [writer.skills.create(name=f"after-{number}").id for number in range(3)]
        wait_for(lambda: seen[-1]["object"]["id"] == made[-1], "the last event")
        watch.kill()
        reader.join(60)
    assert [event["object"]["id"] for event in seen if event["object"]["name"] != "knock"] == made
