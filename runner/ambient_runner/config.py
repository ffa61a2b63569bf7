"""What the platform tells a runner, by environment variables that it has always used."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunnerConfig:
    """A runner's configuration.

    Args:
        session_id: whose runner this is.
        workspace: the folder that tools work in.
        host: address to listen on.
        port: port to listen on.
        token: what callers must show in ``X-Ambient-Session-Token``; empty for no check.
        model: name of the model.
        temperature: of sampling.
        max_tokens: of one answer.
        anthropic_api_key: chooses Anthropic's models.
        openai_api_key: chooses OpenAI's models, or compatible ones.
        openai_base_url: address of a compatible server.
        api_url: where the platform's API is; empty for none.
        session_token: the session's own token for it.
        session_token_file: the file that holds it, if it came by one.
        commands: programs that the agent may run.
    """

    session_id: str
    workspace: Path
    host: str = "127.0.0.1"
    port: int = 8001
    token: str = ""
    model: str = ""
    temperature: float = 0.7
    max_tokens: int = 4000
    anthropic_api_key: str = ""
    openai_api_key: str = ""
    openai_base_url: str = ""
    api_url: str = ""
    session_token: str = ""
    session_token_file: str = ""
    commands: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "RunnerConfig":
        """Read the environment.

        Raises:
            ValueError: a number is no number.
        """
        given = os.environ if environment is None else environment
        token_file = given.get("AMBIENT_SESSION_TOKEN_FILE")
        session_token = Path(token_file).read_text().strip() if token_file else given.get("AMBIENT_SESSION_TOKEN", "")
        return cls(
            session_id=given.get("SESSION_ID", "session"),
            workspace=Path(given.get("WORKSPACE_PATH", ".")).resolve(),
            host=given.get("AGUI_HOST", "127.0.0.1"),
            port=int(given.get("AGUI_PORT") or 8001),
            token=given.get("AGUI_TOKEN", ""),
            model=given.get("LLM_MODEL", ""),
            temperature=float(given.get("LLM_TEMPERATURE") or 0.7),
            max_tokens=int(given.get("LLM_MAX_TOKENS") or 4000),
            anthropic_api_key=given.get("ANTHROPIC_API_KEY", ""),
            openai_api_key=given.get("OPENAI_API_KEY", ""),
            openai_base_url=given.get("OPENAI_BASE_URL", ""),
            api_url=given.get("AMBIENT_API_URL", ""),
            session_token=session_token,
            session_token_file=token_file or "",
            commands=tuple(name.strip() for name in given.get("RUNNER_COMMANDS", "").split(",") if name.strip()),
        )
