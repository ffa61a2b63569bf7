"""What a runner is told: its environment, and the repositories in its workspace. The same for every runtime."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ambient_sessions.runtimes import LaunchOrder
from ambient_sessions.settings import SessionsSettings


@dataclass(frozen=True, slots=True)
class Place:
    """Where a runner finds itself.

    Args:
        workspace: the folder that it works in.
        home: its home folder.
        token_file: holds the session's own token.
        host: address to listen on.
        namespace: of the session's objects, in a cluster.
    """

    workspace: str
    home: str
    token_file: str
    host: str = "127.0.0.1"
    namespace: str = ""


def environment(order: LaunchOrder, place: Place, settings: SessionsSettings) -> dict[str, str]:
    """The runner's environment; a session's own variables never replace the platform's."""
    session = order.session
    own = {
        "SESSION_ID": session["id"],
        "AGENTIC_SESSION_NAME": session["id"],
        "AGENTIC_SESSION_NAMESPACE": place.namespace,
        "PROJECT_NAME": session["project_id"],
        "AGENT_ID": session.get("agent_id") or "",
        "WORKSPACE_PATH": place.workspace,
        "AGUI_HOST": place.host,
        "HOME": place.home,
        "LLM_MODEL": session["llm_model"],
        "LLM_TEMPERATURE": str(session["llm_temperature"]),
        "LLM_MAX_TOKENS": str(session["llm_max_tokens"]),
        "REPOS_JSON": json.dumps(repositories(session)),
        "IS_RESUME": "true" if session["starts"] > 1 else "",
        "TIMEOUT": str(session.get("timeout") or ""),
        "RUNNER_COMMANDS": settings.runner_commands,
        "AMBIENT_API_URL": order.api_url,
        # As runners of the predecessor know it.
        "BACKEND_API_URL": order.api_url,
        "AMBIENT_SESSION_TOKEN_FILE": place.token_file,
        "ANTHROPIC_API_KEY": settings.anthropic_api_key,
        "OPENAI_API_KEY": settings.openai_api_key,
        "OPENAI_BASE_URL": settings.openai_base_url,
        "PYTHONUNBUFFERED": "1",
    }
    return {**variables(session), **order.variables, **{name: value for name, value in own.items() if value}}


def variables(session: Mapping[str, Any]) -> dict[str, str]:
    """The variables that a session itself asks for, without those that would change how programs run or whom they trust."""
    given = session.get("environment_variables") or {}
    return {name: value for name, value in given.items() if is_harmless(name)}


def is_harmless(name: str) -> bool:
    """Whether a session may set a variable of this name."""
    known = name.isascii() and name.isidentifier()
    return known and not name.startswith(("LD_", "PYTHON", "AGUI_", "AMBIENT_")) and name != "PATH"


def repositories(session: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What to clone, each with the name of its folder; two of the same name get a number."""
    wanted = [dict(entry) for entry in session.get("repos") or []]
    if session.get("repo_url"):
        wanted.insert(0, {"url": session["repo_url"]})
    taken: set[str] = set()
    for entry in wanted:
        name = entry.get("name") or _folder_name(entry["url"])
        number, candidate = 1, name
        while candidate in taken:
            number += 1
            candidate = f"{name}-{number}"
        taken.add(candidate)
        entry["name"] = candidate
    return wanted


def cloned(session: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is in the workspace when it has been prepared, as the status shows it."""
    wanted = [
        {name: entry[name] for name in ("url", "branch", "name") if entry.get(name)} for entry in repositories(session)
    ]
    return [{**entry, "url": without_credentials(entry["url"]), "status": "Ready"} for entry in wanted]


def preparation(order: LaunchOrder, settings: SessionsSettings, token_file: str | None = None) -> dict[str, Any]:
    """What `ambient_runner.prepare` is told.

    Args:
        order: what is started.
        settings: of the sessions plugin.
        token_file: holds the session's own token, where git may ask with it for what the session was lent.
    """
    lent = {"credentials": {"api_url": order.api_url, "token_file": token_file}} if token_file is not None else {}
    return {
        **lent,
        "repositories": repositories(order.session),
        "files": [list(entry) for entry in order.files],
        "protocols": "https:http:ssh:git" + (":file" if settings.allow_local_repositories else ""),
        "clone_timeout": settings.clone_timeout,
    }


def without_credentials(url: str) -> str:
    """An address as it may be shown."""
    return re.sub(r"(\w+://)[^/\s]+@", r"\1", url)


def _folder_name(url: str) -> str:
    path = urlsplit(url).path if "://" in url else url.rpartition(":")[2]
    name = path.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git").lstrip(".-")
    return name[:100] or "repository"
