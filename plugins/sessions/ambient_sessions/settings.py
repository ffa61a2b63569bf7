"""What the sessions plugin can be told."""

from dataclasses import dataclass
from functools import lru_cache

from ambient_core.config import plugin_settings, setting
from ambient_sessions.cluster.settings import ClusterSettings


@dataclass(frozen=True, slots=True)
class SessionsSettings(ClusterSettings):
    """Settings of sessions; environment names start with ``AMBIENT_SESSIONS_``."""

    runtime: str = setting("local", "Where sessions run: the name of a runtime.")
    running_limit: int = setting(
        100,
        "Sessions of one project that run at once; a start beyond is 409. 0 for no limit.",
        minimum=0,
        development=0,
    )
    allow_local_repositories: bool = setting(
        False, "Take file:// addresses and paths as repositories.", development=True
    )
    runner_command: str = setting(
        "",
        "Program of the runner with its arguments; our reference runner when empty. A dash is what its image starts.",
    )
    runner_commands: str = setting("", "Programs that the agent may run, separated by commas; none when empty.")
    anthropic_api_key: str = setting(
        "", "Key that runners use for Anthropic's models.", secret=True, aliases=("ANTHROPIC_API_KEY",)
    )
    openai_api_key: str = setting(
        "", "Key that runners use for OpenAI's or a compatible model.", secret=True, aliases=("OPENAI_API_KEY",)
    )
    openai_base_url: str = setting("", "Address of an OpenAI-compatible server.", aliases=("OPENAI_BASE_URL",))
    clone_timeout: float = setting(120.0, "Seconds that cloning one repository may take.", minimum=1)
    start_deadline: float = setting(180.0, "Seconds from launch until the runner must answer.", minimum=1)
    waiting_deadline: float = setting(
        3600.0,
        "Seconds that something (a quota, a namespace that is going) may be in the way of a start or stop.",
        minimum=1,
    )
    stop_deadline: float = setting(60.0, "Seconds after which a stop that has not come to an end is forced.", minimum=1)
    force_deadline: float = setting(
        60.0, "Seconds after which a forced stop is given up, and the session Failed.", minimum=1
    )
    stop_grace: float = setting(10.0, "Seconds that a runner gets to end by itself when it is stopped.", minimum=0)
    log_limit: int = setting(10485760, "Bytes of a session's log that are kept.", minimum=4096)
    run_idle_timeout: float = setting(300.0, "Seconds without any event after which a run is given up.", minimum=1)


@lru_cache(maxsize=1)
def sessions_settings() -> SessionsSettings:
    """The settings of this process, read at first use."""
    return plugin_settings(SessionsSettings, "sessions").settings
