"""The runner over HTTP: a real server, the offline model and a model's protocol."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from ag_ui_validate import ValidatorOptions, create_validator
from ambient_runner.config import RunnerConfig
from ambient_runner.model import model_of
from ambient_runner.server import create_app
from ambient_runner.workspace import Workspace

from tests.e2e.provider import Provider

# Two clients of models take seconds to import: once is enough.
pytestmark = pytest.mark.xdist_group("runner")
TOKEN = "token-of-the-runner"


class Served:
    """A runner that answers."""

    def __init__(self, config: RunnerConfig) -> None:
        self.config = config
        self.server = uvicorn.Server(uvicorn.Config(create_app(config), port=0, log_level="error", lifespan="on"))
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        deadline = time.monotonic() + 20
        while not self.server.started:
            assert time.monotonic() < deadline
        port = self.server.servers[0].sockets[0].getsockname()[1]
        headers = {"X-Ambient-Session-Token": TOKEN}
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30, trust_env=False)

    def run(self, text: str = "Look.", run: str = "r", thread: str = "t") -> list[dict[str, Any]]:
        return events_of(self.http.post("/", json=given(text, run, thread)).text)

    def close(self) -> None:
        self.http.close()
        self.server.should_exit = True
        self.thread.join(20)


def given(text: str = "Look.", run: str = "r", thread: str = "t") -> dict[str, Any]:
    message = {"id": f"m-{run}", "role": "user", "content": text}
    rest: dict[str, Any] = {"state": {}, "tools": [], "context": [], "forwardedProps": {}}
    return {"threadId": thread, "runId": run, "messages": [message], **rest}


def events_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]


def spoken(events: list[dict[str, Any]]) -> str:
    return "".join(event["delta"] for event in events if event["type"] == "TEXT_MESSAGE_CONTENT")


def results(events: list[dict[str, Any]]) -> list[str]:
    return [str(event["content"]) for event in events if event["type"] == "TOOL_CALL_RESULT"]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    started: list[Served] = []

    def make(folder: str = "workspace", **options: Any) -> Served:
        root = tmp_path / folder
        root.mkdir()
        (root / "README.md").write_text("# Read me\n\n## Usage\n\nTODO: write\n")
        started.append(Served(RunnerConfig("session", root, token=TOKEN, **options)))
        return started[-1]

    yield make
    for served in started:
        served.close()


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


def test_health_is_open_and_everything_else_needs_the_token(serve: Any) -> None:
    served = serve()
    assert served.http.get("/health").json() == {"status": "healthy", "session_id": "session"}
    for token in ("", "wrong", "tökén"):
        wrong = {"X-Ambient-Session-Token": token.encode()}
        assert served.http.get("/health", headers=wrong).status_code == 200
        for method, path in (("GET", "/capabilities"), ("POST", "/"), ("POST", "/interrupt")):
            assert served.http.request(method, path, headers=wrong, json={}).status_code == 401


def test_an_offline_run_is_valid_says_that_it_is_offline_and_writes_its_report(serve: Any) -> None:
    served = serve()
    answer = served.http.post("/", json=given("What is here?"))
    validator = create_validator(ValidatorOptions())
    validator.feed(answer.text)
    assert [finding for finding in validator.finalize() if finding.severity == "error"] == []
    events = events_of(answer.text)
    assert (events[0]["type"], events[-1]["type"]) == ("RUN_STARTED", "RUN_FINISHED")
    assert "offline" in spoken(events)
    report = (served.config.workspace / "REPORT.md").read_text()
    assert all(word in report for word in ("What is here?", "README.md", "Usage", "TODO: write", "no language model"))


def test_the_offline_model_is_deterministic(serve: Any) -> None:
    one, two = serve("one"), serve("two")
    assert [e["type"] for e in one.run()] == [e["type"] for e in two.run()]
    assert (one.config.workspace / "REPORT.md").read_text() == (two.config.workspace / "REPORT.md").read_text()


def test_a_second_run_sees_what_the_first_wrote(serve: Any) -> None:
    served = serve()
    served.run("First.", "r1")
    events = served.run("Second.", "r2")
    assert events[-1]["type"] == "RUN_FINISHED"
    assert "> Second." in (served.config.workspace / "REPORT.md").read_text()


@pytest.mark.parametrize("body", [{}, [], {"threadId": 1}, {**given(), "messages": [{"role": "nobody"}]}])
def test_what_is_no_run_input_is_refused_with_the_field(serve: Any, body: Any) -> None:
    answer = serve().http.post("/", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith("/")


def test_a_fault_of_a_message_points_at_it_as_it_was_sent(serve: Any) -> None:
    body = {**given(), "messages": [{"id": "1", "role": "user"}], "tools": [{"name": 1, "description": "d"}]}
    errors = serve().http.post("/", json=body).json()["errors"]
    assert [fault["field"] for fault in errors][:2] == ["/messages/0/content", "/tools/0/name"]


class Held:
    """A run that waits in the middle of the model's answer."""

    def __init__(self, served: Served, provider: Provider) -> None:
        provider.hold()
        self.events: list[dict[str, Any]] = []
        self.thread = threading.Thread(target=lambda: self.events.extend(served.run("hold")))
        self.thread.start()
        assert provider.held.wait(20)

    def end(self) -> list[dict[str, Any]]:
        self.thread.join(20)
        assert not self.thread.is_alive()
        return self.events


def test_one_run_a_thread_and_an_interrupt_ends_it(serve: Any, provider: Provider) -> None:
    served = serve(openai_base_url=provider.url, openai_api_key="k", model="m")
    held = Held(served, provider)
    assert served.http.post("/", json=given(run="other")).status_code == 409
    assert served.http.post("/interrupt", json={"thread_id": "another"}).json() == {"interrupted": False}
    assert served.http.post("/interrupt", json={"thread_id": "t"}).json() == {"interrupted": True}
    events = held.end()
    assert events[-1]["type"] in ("RUN_FINISHED", "RUN_ERROR")
    assert "from the model" not in spoken(events)
    provider.release()
    assert served.run("again", "r2")[-1]["type"] == "RUN_FINISHED"


@pytest.mark.slow
def test_a_compatible_server_is_asked_with_key_model_and_tools(serve: Any, provider: Provider) -> None:
    served = serve(
        openai_base_url=provider.url, openai_api_key="the-key", model="the-model", temperature=0.1, max_tokens=7
    )
    events = served.run("Use a tool.")
    asked = provider.asked[-1]
    assert provider.keys[-1] == "Bearer the-key"
    assert (asked["model"], asked["temperature"], asked["max_completion_tokens"]) == ("the-model", 0.1, 7)
    names = {tool["function"]["name"] for tool in asked["tools"]}
    assert names == {"list_files", "search_files", "read_file", "write_file", "git_diff", "load_skill"}
    assert "README.md" in results(events)[0]
    assert spoken(events) == "Hello from the model."


@pytest.mark.slow
def test_anthropic_is_asked_with_key_and_model(serve: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", provider.url.removesuffix("/v1"))
    served = serve(anthropic_api_key="the-key", model="claude-sonnet-4-6", max_tokens=7)
    events = served.run("Talk.")
    asked = provider.asked[-1]
    assert provider.keys[-1].endswith("the-key")
    assert (asked["model"], asked["max_tokens"]) == ("claude-sonnet-4-6", 7)
    assert "read_file" in {tool["name"] for tool in asked["tools"]}
    assert (spoken(events), events[-1]["type"]) == ("Hello from the model.", "RUN_FINISHED")


# It imports the clients of both models.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        ({}, "FunctionModel"),
        ({"openai_api_key": "k"}, "OpenAIChatModel"),
        ({"anthropic_api_key": "k"}, "AnthropicModel"),
        ({"anthropic_api_key": "k", "openai_api_key": "k"}, "AnthropicModel"),
        ({"anthropic_api_key": "k", "openai_api_key": "k", "model": "gpt-4o"}, "OpenAIChatModel"),
        ({"anthropic_api_key": "k", "openai_base_url": "http://127.0.0.1:9/v1"}, "OpenAIChatModel"),
    ],
    ids=["no key", "openai", "anthropic", "both, claude", "both, another", "a compatible server"],
)
def test_the_model_is_chosen_by_what_is_there(tmp_path: Path, given: dict[str, str], chosen: str) -> None:
    config = RunnerConfig("session", tmp_path, **{"model": "claude-sonnet-4-6", **given})
    assert type(model_of(config, Workspace(tmp_path))).__name__ == chosen


@pytest.mark.slow
def test_a_model_server_that_is_away_ends_the_run_with_an_error(serve: Any) -> None:
    served = serve(openai_base_url="http://127.0.0.1:9/v1", openai_api_key="secret-key", model="m")
    events = served.run()
    assert events[-1]["type"] == "RUN_ERROR"
    assert "secret-key" not in json.dumps(events)


def test_commands_are_there_only_where_the_configuration_names_them(serve: Any, provider: Provider) -> None:
    served = serve(openai_base_url=provider.url, openai_api_key="k", model="m", commands=("echo",))
    assert "run_command" in served.http.get("/capabilities").json()["custom"]["tools"]
    served.run("Talk.")
    assert "run_command" in {tool["function"]["name"] for tool in provider.asked[-1]["tools"]}


def test_capabilities_say_what_is_true(serve: Any) -> None:
    shown = serve().http.get("/capabilities").json()
    assert (shown["custom"]["offline"], shown["custom"]["model"]) == (True, "offline")
    assert "run_command" not in shown["custom"]["tools"]
    assert shown["execution"] == {"codeExecution": False}


def test_skills_are_offered_by_name_and_description(serve: Any, provider: Provider, tmp_path: Path) -> None:
    served = serve(openai_base_url=provider.url, openai_api_key="k", model="m")
    folder = served.config.workspace / ".claude" / "skills" / "triage"
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text("---\nname: triage\ndescription: Sort things\n---\n\nSort.\n")
    served.run("Talk.")
    told = json.dumps(provider.asked[-1]["messages"][0])
    assert "triage: Sort things" in told
