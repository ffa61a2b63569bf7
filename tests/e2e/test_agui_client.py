"""A real client, a real model's protocol: @ag-ui/client in node runs sessions through the gateway and has no complaint."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import System, wait_for
from tests.e2e.provider import Provider

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("agui")]
PROGRAM = Path(__file__).parent / "agui_client" / "client.mjs"
KEY = "key-of-the-model-server"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


@pytest.fixture(scope="module")
def thinking(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system whose runners have a model."""
    environment = {"OPENAI_BASE_URL": provider.url, "OPENAI_API_KEY": KEY}
    started = System(tmp_path_factory.mktemp("thinking") / "data", **environment).start()
    yield started
    provider.release()
    assert started.stop() == 0


@pytest.fixture
def session(thinking: System, provider: Provider) -> Iterator[str]:
    provider.hold()
    made = thinking.session()
    thinking.until(made, "Running")
    yield made
    provider.release()
    thinking.ask("DELETE", f"/sessions/{made}")


class Client:
    """The node program, running."""

    def __init__(self, system: System, session: str, **scenario: Any) -> None:
        given = {"url": f"{system.gateway}/sessions/{session}/agui", "headers": system.headers, "threadId": session}
        self.process = subprocess.Popen(
            ["node", str(PROGRAM), json.dumps({**given, **scenario})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.events: list[dict[str, Any]] = []

    def until(self, kind: str) -> dict[str, Any]:
        """Read on until an event of this type."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            entry = json.loads(line)
            assert "event" in entry, entry
            self.events.append(entry["event"])
            if entry["event"]["type"] == kind:
                return dict(entry["event"])
        raise AssertionError(f"no {kind}: {self.events}")

    def done(self) -> dict[str, Any]:
        """Read to the end; what the client holds by then."""
        out, fault = self.process.communicate(timeout=90)
        entries = [json.loads(line) for line in out.splitlines()]
        assert entries, fault
        self.events += [entry["event"] for entry in entries if "event" in entry]
        assert fault == ""
        return dict(entries[-1]["done"])

    @property
    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]


@pytest.fixture
def client(thinking: System, session: str) -> Callable[..., Client]:
    return lambda **scenario: Client(thinking, session, **scenario)


def said(done: dict[str, Any]) -> list[tuple[str, str]]:
    return [(message["role"], message.get("content", "")) for message in done["messages"]]


HELLO = ("assistant", "Hello from the model.")


def test_two_runs_with_a_tool_call_go_through_without_a_complaint(client: Any, provider: Provider) -> None:
    running = client(prompts=["Use a tool.", "And now just talk."])
    done = running.done()
    assert (done["errors"], done["complaints"]) == ([], [])
    assert (running.kinds.count("RUN_STARTED"), running.kinds.count("RUN_FINISHED")) == (2, 2)
    assert "TOOL_CALL_RESULT" in running.kinds
    roles = [role for role, _ in said(done)]
    assert roles == ["user", "assistant", "tool", "assistant", "user", "assistant"]
    assert said(done)[-1] == HELLO
    assert "README.md" in next(text for role, text in said(done) if role == "tool")
    assert set(provider.keys) == {f"Bearer {KEY}"}


def test_a_second_run_is_refused_with_a_status_the_client_sees(client: Any, provider: Provider) -> None:
    first = client(prompts=["hold"])
    first.until("TEXT_MESSAGE_CONTENT")
    refused = client(prompts=["another"]).done()["errors"][0]
    assert (refused["status"], "is active" in refused["payload"]["reason"]) == (409, True)
    provider.release()
    assert said(first.done())[-1] == HELLO


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_a_viewer_that_comes_in_the_middle_sees_it_whole(client: Any, provider: Provider, warm: bool) -> None:
    first = client(prompts=["hold"], runId="the-run")
    start = first.until("TEXT_MESSAGE_START")
    first.until("TEXT_MESSAGE_CONTENT")
    held = [
        {"id": "the-run-0", "role": "user", "content": "hold"},
        {"id": start["messageId"], "role": "assistant", "content": "Hello "},
    ]
    late = client(attach=True, warm=held if warm else [])
    late.until("TEXT_MESSAGE_START")
    provider.release()
    done, original = late.done(), first.done()
    assert (done["errors"], done["complaints"]) == ([], [])
    assert said(done) == said(original) == [("user", "hold"), HELLO]


def test_a_viewer_of_an_idle_session_sees_where_it_stands(client: Any) -> None:
    original = client(prompts=["Talk."]).done()
    late = client(attach=True)
    done = late.done()
    assert said(done) == said(original)
    assert (done["errors"], done["complaints"], late.kinds[-1]) == ([], [], "RUN_FINISHED")


def test_a_viewer_that_leaves_does_not_end_the_run(
    client: Any, thinking: System, session: str, provider: Provider
) -> None:
    first = client(prompts=["hold"])
    first.until("TEXT_MESSAGE_CONTENT")
    first.process.stdin.write("leave\n")
    first.process.stdin.flush()
    first.done()
    provider.release()
    wait_for(lambda: thinking.row(session).get("run_state") == "finished", "the run's end")


def test_an_interrupt_ends_the_run_as_cancelled(client: Any, thinking: System, session: str) -> None:
    running = client(prompts=["hold"])
    running.until("TEXT_MESSAGE_CONTENT")
    answer = thinking.ask("POST", f"/sessions/{session}/agui/interrupt")
    assert answer.json() == {"state": "interrupting", "interrupted": True}
    done = running.done()
    assert (done["errors"], done["complaints"]) == ([], [])
    assert running.events[-1]["outcome"] == {"type": "cancelled"}
    assert thinking.row(session)["run_state"] == "cancelled"


def test_a_stop_in_the_middle_ends_run_and_session(client: Any, thinking: System, session: str) -> None:
    running = client(prompts=["hold"])
    running.until("TEXT_MESSAGE_CONTENT")
    assert thinking.ask("POST", f"/sessions/{session}/stop").status_code == 200
    done = running.done()
    assert (done["errors"], done["complaints"]) == ([], [])
    assert running.kinds[-2:] == ["TEXT_MESSAGE_END", "RUN_FINISHED"]
    assert running.events[-1]["outcome"] == {"type": "cancelled"}
    thinking.until(session, "Stopped")


def test_a_runner_killed_in_the_middle_ends_the_stream_with_an_error(
    client: Any, thinking: System, session: str
) -> None:
    running = client(prompts=["hold"])
    running.until("TEXT_MESSAGE_CONTENT")
    os.kill(thinking.state(session)["pid"], signal.SIGKILL)
    done = running.done()
    assert (running.events[-1]["type"], running.events[-1]["code"]) == ("RUN_ERROR", "runner_lost")
    assert done["complaints"] == []
    assert thinking.reason(thinking.until(session, "Failed")) == "RunnerExit"


def test_a_gateway_worker_killed_in_the_middle_leaves_an_ended_run(client: Any, thinking: System, session: str) -> None:
    running = client(prompts=["hold"], runId="lost")
    running.until("TEXT_MESSAGE_CONTENT")
    for worker in gateway_workers(thinking):
        worker.kill()
    running.process.kill()
    running.process.communicate()

    def ended() -> bool:
        return bool(thinking.row(session).get("run_state") == "error")

    wait_for(ended, "the end of the run that nobody carries", 30)
    after = client(attach=True).done()
    assert (after["errors"], after["complaints"]) == ([], [])


def gateway_workers(system: System) -> list[Any]:
    masters = [p for p in system.processes("controlplane", "--no-reconcile")]
    assert masters
    children = [child for master in masters for child in master.children()]
    return [child for child in children if "--no-reconcile" in child.cmdline()]


def test_a_caller_without_a_token_is_told_by_status(thinking: System, session: str) -> None:
    refused = Client(thinking, session, headers={}, prompts=["x"]).done()["errors"][0]
    assert refused["status"] == 401
