"""The runner's HTTP: runs, interrupt, health, capabilities."""

import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from ag_ui.core import BaseEvent, EventType, RunAgentInput
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import ValidationError
from pydantic_ai import Agent, CancellationToken
from pydantic_ai.ui.ag_ui import AGUIAdapter

from ambient_runner import offline
from ambient_runner.config import RunnerConfig
from ambient_runner.git_credential import configuration
from ambient_runner.model import model_of, settings_of
from ambient_runner.report import Reporter
from ambient_runner.skills import skills_of
from ambient_runner.tools import toolset_of
from ambient_runner.workspace import Workspace

log = logging.getLogger(__name__)
_Follow = Callable[[Request], Awaitable[Response]]
_OPEN = frozenset({"/health"})
_INSTRUCTIONS = "You work on the files of one workspace, through your tools. Paths are relative to it."


def _git(config: RunnerConfig) -> dict[str, str]:
    """Git asks the platform for what the session was lent, where the runner knows the platform."""
    known = config.api_url and config.session_token_file
    return configuration(config.api_url, config.session_token_file) if known else {}


class Runner:
    """One session's agent.

    Args:
        config: of this runner.
    """

    def __init__(self, config: RunnerConfig) -> None:
        self.config = config
        self.workspace = Workspace(config.workspace, _git(config))
        self.model = model_of(config, self.workspace)
        self.reporter = Reporter(config)
        self.running: dict[str, CancellationToken] = {}

    def agent(self) -> Agent[None, str]:
        """The agent for one run; what it is told names the skills that are there now."""
        skills = [f"- {skill.name}: {skill.description}" for skill in skills_of(self.workspace)]
        told = [_INSTRUCTIONS, *(["Skills that you can load with load_skill:", *skills] if skills else [])]
        tools = toolset_of(self.workspace, self.config.commands)
        return Agent(
            self.model, instructions="\n".join(told), toolsets=[tools], model_settings=settings_of(self.config)
        )

    async def run(self, given: RunAgentInput) -> AsyncIterator[str]:
        """The events of one run, encoded; always with an end."""
        token = self.running[given.thread_id]
        adapter = AGUIAdapter(agent=self.agent(), run_input=given, accept="text/event-stream")
        try:
            events = self._reported(adapter.run_stream(cancellation_token=token))
            async for text in adapter.encode_stream(events):
                yield text
        finally:
            self.running.pop(given.thread_id, None)

    async def _reported(self, events: AsyncIterator[BaseEvent]) -> AsyncIterator[BaseEvent]:
        said: dict[str, str] = {}
        async for event in events:
            if event.type == EventType.TEXT_MESSAGE_CONTENT:
                identifier = event.message_id  # type: ignore[attr-defined]
                said[identifier] = said.get(identifier, "") + event.delta  # type: ignore[attr-defined]
            elif event.type == EventType.TEXT_MESSAGE_END:
                self.reporter.message(said.pop(event.message_id, ""))  # type: ignore[attr-defined]
            yield event

    def interrupt(self, thread_id: str | None) -> bool:
        """Cancel the run of a thread, or every run; answers whether there was one."""
        tokens = [token for thread, token in self.running.items() if thread_id in (None, thread)]
        for token in tokens:
            token.cancel()
        return bool(tokens)

    def capabilities(self) -> dict[str, Any]:
        """What this runner can do, in AG-UI's words (1.0, AgentCapabilities) and a few of its own."""
        tools = ["list_files", "search_files", "read_file", "write_file", "git_diff", "load_skill"]
        if self.config.commands:
            tools.append("run_command")
        return {
            "identity": {"name": "ambient-runner", "type": "pydantic-ai"},
            "transport": {"streaming": True},
            "tools": {"supported": True, "clientProvided": True},
            "execution": {"codeExecution": bool(self.config.commands)},
            "custom": {
                "framework": "pydantic-ai",
                "model": self.model.model_name,
                "offline": self.model.model_name == offline.NAME,
                "tools": tools,
                "session_id": self.config.session_id,
            },
        }


def _token_check(token: str) -> Callable[[Request, _Follow], Awaitable[Response]]:
    async def check(request: Request, follow: _Follow) -> Response:
        given = request.headers.get("X-Ambient-Session-Token", "")
        if token and request.url.path not in _OPEN and not hmac.compare_digest(given.encode(), token.encode()):
            return JSONResponse({"reason": "X-Ambient-Session-Token is missing or wrong."}, 401)
        return await follow(request)

    return check


def create_app(config: RunnerConfig) -> FastAPI:
    """The runner's application."""
    runner = Runner(config)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        runner.reporter.close()

    app = FastAPI(title="Ambient runner", openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)

    app.middleware("http")(_token_check(config.token))

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "healthy", "session_id": config.session_id}

    @app.get("/capabilities")
    async def capabilities() -> dict[str, Any]:
        return runner.capabilities()

    @app.post("/interrupt")
    async def interrupt(request: Request) -> JSONResponse:
        body = await _object(request)
        thread = body.get("thread_id") or body.get("threadId")
        return JSONResponse({"interrupted": runner.interrupt(thread if isinstance(thread, str) else None)})

    @app.post("/")
    async def run(request: Request) -> Response:
        try:
            given = AGUIAdapter.build_run_input(await request.body())
        except ValidationError as fault:
            faults = [{"field": _pointer(entry["loc"]), "reason": entry["msg"]} for entry in fault.errors()]
            return JSONResponse({"reason": "This is no RunAgentInput.", "errors": faults}, 422)
        if given.thread_id in runner.running:
            return JSONResponse({"reason": "A run is active in this thread; wait for its end, or interrupt it."}, 409)
        runner.running[given.thread_id] = CancellationToken()
        return StreamingResponse(
            runner.run(given), media_type="text/event-stream", headers={"Cache-Control": "no-cache"}
        )

    return app


def _pointer(steps: tuple[int | str, ...]) -> str:
    """Where a fault is; pydantic puts a message's role, by which it chose what the message must hold, between."""
    if len(steps) > 3 and steps[0] == "messages":
        steps = (*steps[:2], *steps[3:])
    return "/" + "/".join(str(step) for step in steps)


async def _object(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
