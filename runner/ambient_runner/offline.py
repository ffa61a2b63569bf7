"""A model that needs no network: it says that it is offline, reads the repository through the tools, and reports.

It is deterministic: the same workspace and the same messages give the same calls and the same words.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import PurePosixPath
from typing import Any

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    RetryPromptPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel

from ambient_runner.skills import skills_of
from ambient_runner.workspace import Workspace

NAME = "offline"
REPORT = "REPORT.md"
GREETING = "I am the offline model: no model key is configured, so I only read the workspace and report what is there."
_CHUNK = 40


class OfflineModel:
    """The script of the offline model over one workspace.

    Args:
        workspace: where the repository and the skills are.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        repositories = workspace.repositories()
        self._folder = repositories[0] if len(repositories) == 1 else "."

    def model(self) -> FunctionModel:
        """As pydantic-ai takes it."""
        return FunctionModel(stream_function=self.respond, model_name=NAME)

    async def respond(self, messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str | DeltaToolCalls]:
        """One step: speak and list, read, search, write the report, or sum up; decided by what was done already."""
        results = _results_since_last_prompt(messages)
        files = [str(path) for path in results.get("list_files", [])]
        readme = next((f for f in files if PurePosixPath(f).name.lower().startswith("readme")), None)
        if "list_files" not in results:
            async for piece in _spoken(GREETING):
                yield piece
            yield _call("list_files", {"folder": self._folder})
        elif readme is not None and "read_file" not in results:
            yield _call("read_file", {"path": readme})
        elif "search_files" not in results:
            yield _call("search_files", {"pattern": r"\b(TODO|FIXME)\b", "folder": self._folder})
        elif "write_file" not in results:
            content = self._report(_prompt(messages), files, results)
            yield _call("write_file", {"path": self._report_path(), "content": content})
        elif "git_diff" not in results and self._folder != ".":
            yield _call("git_diff", {"repository": self._folder})
        else:
            summary = f"I looked at {len(files)} files and wrote what I found to {self._report_path()}."
            async for piece in _spoken(summary):
                yield piece

    def _report_path(self) -> str:
        return REPORT if self._folder == "." else f"{self._folder}/{REPORT}"

    def _report(self, prompt: str, files: list[str], results: dict[str, Any]) -> str:
        seen = [f for f in files if not f.startswith(".claude/") and PurePosixPath(f).name != REPORT]
        kinds = Counter(PurePosixPath(f).suffix or "(none)" for f in seen)
        headings = [line for line in str(results.get("read_file", "")).splitlines() if line.startswith("#")]
        lines = [
            "# Report",
            "",
            "Written by the offline model; no language model was asked.",
            "",
            "## Asked",
            "",
            f"> {prompt}",
            "",
        ]
        lines += [
            "## Files",
            "",
            *[f"- {kind}: {count}" for kind, count in sorted(kinds.items())],
            "",
            *[f"- `{f}`" for f in seen[:100]],
            "",
        ]
        lines += ["## Headings of the readme", "", *([f"- {h.lstrip('# ')}" for h in headings] or ["- none"]), ""]
        marks = [m for m in results.get("search_files", []) if REPORT not in str(m)]
        lines += ["## Open marks", "", *([f"- {mark}" for mark in marks] or ["- none"]), ""]
        skills = [f"- {skill.name}: {skill.description}" for skill in skills_of(self._workspace)]
        return "\n".join([*lines, "## Skills", "", *(skills or ["- none"]), ""])


def _call(name: str, arguments: dict[str, Any]) -> DeltaToolCalls:
    return {1: DeltaToolCall(name=name, json_args=json.dumps(arguments))}


async def _spoken(text: str) -> AsyncIterator[str]:
    for start in range(0, len(text), _CHUNK):
        yield text[start : start + _CHUNK]


def _prompt(messages: list[ModelMessage]) -> str:
    found = ""
    for message in messages:
        for part in message.parts if isinstance(message, ModelRequest) else ():
            if isinstance(part, UserPromptPart):
                found = (
                    part.content
                    if isinstance(part.content, str)
                    else " ".join(c for c in part.content if isinstance(c, str))
                )
    return " ".join(found.split())


def _results_since_last_prompt(messages: list[ModelMessage]) -> dict[str, Any]:
    results: dict[str, Any] = {}
    for message in messages:
        if isinstance(message, ModelResponse):
            continue
        for part in message.parts:
            if isinstance(part, UserPromptPart):
                results.clear()
            elif isinstance(part, ToolReturnPart):
                results[part.tool_name] = part.content
            elif isinstance(part, RetryPromptPart) and part.tool_name is not None:
                # What is not possible is not tried again: the report goes without it.
                results[part.tool_name] = []
    return results
