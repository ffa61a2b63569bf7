"""Settings: defaults < file < environment < flags, each with where it came from.

Every other module takes `Settings` as an argument; the environment is read here and nowhere else. The room has how a setting
is declared, and groups of them.
"""

import math
import os
import tomllib
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Generic, TypeVar, get_args, get_type_hints

from ambient_core.config.allowances import Allowances
from ambient_core.config.declaration import Rule, rule_of, setting
from ambient_core.errors import SetupError

T = TypeVar("T")
PREFIX = "AMBIENT_"
FILE_VARIABLE = "AMBIENT_CONFIG"
_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
_OUTSIDE = frozenset({FILE_VARIABLE, "AMBIENT_TEST_DATABASE_URL"}).union(
    f"{PREFIX}{name}" for name in ("TOKEN", "PROJECT", "CONTEXT", "HOME", "CLIENT_SECRET")
)


@dataclass(frozen=True, slots=True)
class Settings(Allowances):
    """What the core can be told."""

    profile: str = setting(
        "production",
        "How strict to be: production with an identity provider, or development with a token file.",
        choices=("production", "development"),
    )
    database_url: str = setting(
        "",
        "PostgreSQL 15 or later: postgresql://user:password@host:5432/database.",
        secret=True,
        aliases=("DATABASE_URL",),
    )
    replica_url: str = setting(
        "", "A server that follows that one, for lists whose callers ask for it (docs/operations.md).", secret=True
    )
    keyring: str = setting(
        "",
        'Keys by version under which secret fields are sealed: {"1": "<base64 of 32 random bytes>"}.',
        secret=True,
        aliases=("CREDENTIAL_ENCRYPTION_KEYRING",),
    )
    keyring_version: int = setting(0, "Version of the key that seals; the newest when 0.", minimum=0)
    bind: str = setting("127.0.0.1:8000", "Address of the API.")
    gateway_bind: str = setting("127.0.0.1:9080", "Address of the AG-UI gateway.")
    health_bind: str = setting("127.0.0.1:4434", "Address of /healthz and /readyz.")
    control_plane_health_bind: str = setting(
        "", "Address of the control plane's /healthz and /readyz; not served when empty."
    )
    metrics_bind: str = setting("127.0.0.1:4433", "Address of /metrics (Prometheus).")
    api_url: str = setting("http://127.0.0.1:8000", "Where the control plane and the runners find the API.")
    gateway_url: str = setting("http://127.0.0.1:9080", "Where the control plane finds the gateway.")
    data_dir: Path = setting(Path(".ambient"), "Folder for what is kept on disk: sessions of the local runtime.")
    workers: int = setting(2, "Worker processes of the API.", minimum=1)
    worker_connections: int = setting(2000, "Requests and streams that one worker holds at once.", minimum=1)
    pool_size: int = setting(8, "Database connections of one worker.", minimum=1)
    pool_timeout: float = setting(5.0, "Seconds to wait for a free database connection.", minimum=0.1)
    statement_timeout: float = setting(
        10.0, "Seconds after which a database statement is cut short; 0 for never.", minimum=0
    )
    lock_timeout: float = setting(
        5.0, "Seconds that a database statement waits for another request's lock; 0 for no limit.", minimum=0
    )
    idle_timeout: float = setting(
        30.0, "Seconds that a transaction may do nothing before the database ends it; 0 for no limit.", minimum=0
    )
    request_timeout: float = setting(
        30.0, "Seconds after which a request begins no further database statement (504); 0 for no limit.", minimum=0
    )
    stream_limit: int = setting(
        4, "Lists that one worker streams at once (application/x-ndjson), each over a connection of its own.", minimum=1
    )
    stream_timeout: float = setting(
        60.0, "Seconds after which a streamed list is cut off whose reader takes nothing.", minimum=0.1
    )
    body_limit: int = setting(1048576, "Bytes that a request body may have.", minimum=1024)
    batch_body_limit: int = setting(8388608, "Bytes that the body of a batch may have.", minimum=1024)
    batch_limit: int = setting(
        2, "Batches that one worker works on at once; others wait for `pool_timeout` (503 beyond).", minimum=1
    )
    require_if_match: bool = setting(
        False,
        "Refuse (428) to change or delete an object when the request does not say by If-Match which version it saw.",
    )
    graceful_timeout: int = setting(30, "Seconds that running requests get when the server stops.", minimum=1)
    log_level: str = setting(
        "info", "Least severe entry that is logged.", choices=("debug", "info", "warning", "error")
    )
    log_format: str = setting("auto", "json, text, or auto: text on a terminal.", choices=("auto", "json", "text"))
    strict: bool = setting(False, "Refuse to start when a plugin would be set aside.")
    plugins_disabled: str = setting("", "Names of plugins that are not loaded, separated by commas.")
    developer_token_file: Path | None = setting(
        None, "File (mode 0600, or a mounted Secret) with the developer's token; development profile."
    )
    control_plane_token_file: Path | None = setting(
        None,
        "File (mode 0600, or a mounted Secret) with the token that the control plane shows; the API takes what its own file holds.",
    )
    oidc_issuer: str = setting(
        "",
        "Address of an identity provider, exactly as its tokens say it in 'iss'; https, or http on this very machine.",
    )
    oidc_audience: str = setting("", "What tokens of oidc_issuer must say in 'aud' to be meant for this API.")
    oidc_login_client: str = setting(
        "", "Public client id that 'ambient login' uses at oidc_issuer; the API tells it to whoever asks."
    )
    oidc_login_scopes: str = setting(
        "openid profile email offline_access", "What 'ambient login' asks oidc_issuer for, separated by spaces."
    )
    public_url: str = setting(
        "", "Where callers reach the API, such as https://ambient.example.com; as each request says when empty."
    )
    cors_origins: str = setting(
        "", "Origins whose pages may call API and gateway, separated by commas, such as https://app.example.com."
    )
    authorization: str = setting(
        "access", "Plugin that decides who may do what; the production profile does not start unless it serves."
    )
    oidc_file: Path | None = setting(
        None,
        "TOML file of identity providers with audiences, algorithms, claims and roles; read again when it changes (docs/identity.md).",
    )
    oidc_cooldown: float = setting(
        30.0,
        "Seconds that one worker waits between two fetches of a provider's keys, whatever keys tokens name.",
        minimum=1,
    )
    poll_interval: float = setting(
        1.0,
        "Seconds after which watches and the control plane look for changes without being woken: what a lost notification costs.",
        minimum=0.05,
    )
    change_retention_days: float = setting(
        30.0,
        "Days for which the change log is kept, 0 for ever; the newest state of what lives is kept longer.",
        minimum=0,
    )
    prune_interval: float = setting(600.0, "Seconds between two prunings of the change log by the leader.", minimum=1)
    prune_batch: int = setting(1000, "Rows that one step of a pruning looks at.", minimum=1)
    change_lag_warning: float = setting(
        30.0, "Seconds of change-log lag from which on readiness says what holds readers back.", minimum=0
    )
    watch_limit: int = setting(
        1000, "Watches that one worker of the API holds at once; one more is answered 429.", minimum=1
    )
    resync_interval: float = setting(
        300.0, "Seconds after which the control plane looks at every object again.", minimum=1
    )
    reconcile_workers: int = setting(4, "Objects that the control plane works on at once.", minimum=1)


@dataclass(frozen=True, slots=True)
class Loaded(Generic[T]):
    """Settings, and where each value came from.

    Args:
        settings: the values.
        origins: ``default``, ``file PATH``, ``environment NAME`` or ``flag --name``, by setting.
    """

    settings: T
    origins: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where settings are looked for.

    Args:
        file: a TOML file, or none; a plugin's settings are in a table named after it.
        environment: the process's environment.
        flags: values given on the command line, by setting.
        claimed: prefixes of environment names that belong to plugins.
    """

    file: Path | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    flags: Mapping[str, Any] = field(default_factory=dict)
    claimed: Sequence[str] = ()


def load(cls: type[T], sources: Sources | None = None, *, prefix: str = PREFIX, table: str | None = None) -> Loaded[T]:
    """Collect the settings of one class.

    Args:
        cls: a dataclass whose fields are made by `setting`.
        sources: where to look.
        prefix: of the environment names.
        table: the table of the file; the top level when ``None``.

    Raises:
        SetupError: a name is unknown or a value breaks its rule; says which, and how to set it.
    """
    sources = sources or Sources()
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    hints = get_type_hints(cls)
    names = [entry.name for entry in fields(cls)]  # type: ignore[arg-type]
    for name, value in _from_file(sources.file, table, names).items():
        values[name], origins[name] = _read(name, value, hints[name], cls), f"file {sources.file}"
    for name, (value, variable) in _from_environment(cls, sources, prefix).items():
        values[name], origins[name] = _read(name, value, hints[name], cls, variable), f"environment {variable}"
    for name, value in sources.flags.items():
        if value is not None and name in names:
            values[name], origins[name] = _read(name, value, hints[name], cls), f"flag --{name.replace('_', '-')}"
    for name, value in _of_profile(cls, sources).items():
        if name not in values:
            values[name], origins[name] = value, "development profile"
    return Loaded(cls(**values), {name: origins.get(name, "default") for name in names})


def plugin_settings(cls: type[T], plugin: str) -> Loaded[T]:
    """Collect the settings of a plugin, from the same file and environment as the core's.

    Raises:
        SetupError: as `load` does.
    """
    file = os.environ.get(FILE_VARIABLE)
    sources = Sources(file=Path(file) if file else None)
    return load(cls, sources, prefix=plugin_prefix(plugin), table=plugin)


def plugin_prefix(plugin: str) -> str:
    """What the environment's names of a plugin's settings start with."""
    return f"{PREFIX}{plugin.upper()}_"


def _of_profile(cls: type[Any], sources: Sources) -> dict[str, Any]:
    profile = sources.environment.get(f"{PREFIX}PROFILE") or _content_of(sources.file).get("profile")
    if (sources.flags.get("profile") or profile) != "development":
        return {}
    given = {entry.name: rule_of(entry).development for entry in fields(cls)}
    return {name: value for name, value in given.items() if value is not None}


def _content_of(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        return tomllib.loads(file.read_text())
    except OSError as fault:
        raise SetupError(f"The configuration file {file} cannot be read: {fault.strerror}.") from fault
    except tomllib.TOMLDecodeError as fault:
        raise SetupError(f"The configuration file {file} is no valid TOML: {fault}.") from fault


def _from_file(file: Path | None, table: str | None, names: Sequence[str]) -> dict[str, Any]:
    content = _content_of(file)
    found = (
        content.get(table, {})
        if table
        else {key: value for key, value in content.items() if not isinstance(value, dict)}
    )
    for name in found:
        if name not in names:
            raise SetupError(f"The configuration file {file} sets {name!r}, which is no setting{_near(name, names)}")
    return dict(found)


def _from_environment(cls: type[Any], sources: Sources, prefix: str) -> dict[str, tuple[str, str]]:
    environment, found = sources.environment, {}
    known: set[str] = set(_OUTSIDE)
    for entry in fields(cls):
        rule = rule_of(entry)
        names = [prefix + entry.name.upper(), *rule.aliases]
        # `developer_token_file` is itself a file's name; only secrets are read from one.
        candidates = [*names, *(f"{name}_FILE" for name in names if rule.secret)]
        known.update(candidates)
        for variable in reversed(candidates):
            if (value := environment.get(variable)) is not None and (value or not rule.aliases):
                text = _secret_file(variable, value) if rule.secret and variable.endswith("_FILE") else value
                found[entry.name] = (text, variable)
    for variable in environment:
        if variable.startswith(prefix) and variable not in known and not variable.startswith(tuple(sources.claimed)):
            raise SetupError(f"The environment sets {variable}, which is no setting{_near(variable, known)}")
    return found


def _secret_file(variable: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError as fault:
        raise SetupError(f"{variable} names {path}, which cannot be read: {fault.strerror}.") from fault


def _near(name: str, known: "Sequence[str] | set[str]") -> str:
    close = get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {close[0]}?" if close else "."


def _read(name: str, value: Any, hint: Any, cls: type[Any], variable: str | None = None) -> Any:
    rule = next(rule_of(entry) for entry in fields(cls) if entry.name == name)
    shown = "(secret)" if rule.secret else repr(value)
    label = variable or name
    kinds = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    kind = next(k for k in kinds if k is not type(None))
    try:
        result = _convert(value, kind)
    except (ValueError, TypeError, OverflowError):
        raise SetupError(f"{label} is {shown}; it must be {_wording(kind)}. {rule.doc}") from None
    if rule.choices and result not in rule.choices:
        raise SetupError(f"{label} is {shown}; it must be one of {', '.join(rule.choices)}.")
    if rule.minimum is not None and result < rule.minimum:
        raise SetupError(f"{label} is {shown}; it must be at least {rule.minimum:g}. {rule.doc}")
    return result


def _convert(value: Any, kind: type[Any]) -> Any:
    if kind is bool:
        text = str(value).lower()
        if text not in (*_TRUE, *_FALSE):
            raise ValueError(text)
        return text in _TRUE
    if kind is Path:
        return Path(str(value)).expanduser()
    result = kind(value)
    if kind is float and not math.isfinite(result):
        raise ValueError(value)
    return result


def _wording(kind: type[Any]) -> str:
    return {bool: "true or false", int: "a whole number", float: "a number"}.get(kind, "text")


def debugging() -> bool:
    """Whether the environment asks Flask for its debugger, which shows faults to callers."""
    return os.environ.get("FLASK_DEBUG", "").lower() not in ("", *_FALSE)


def redacted(loaded: Loaded[Any]) -> list[tuple[str, str, str, str]]:
    """Rows of (setting, value, origin, documentation), secrets hidden."""
    rows = []
    for entry in fields(loaded.settings):
        rule, value = rule_of(entry), getattr(loaded.settings, entry.name)
        text = "" if value is None else "(set)" if rule.secret and value else str(value)
        rows.append((entry.name, text, loaded.origins[entry.name], rule.doc))
    return rows


def markdown(cls: type[Any], prefix: str = PREFIX) -> str:
    """A table of every setting, for the documentation."""
    lines = ["| setting | environment | default | meaning |", "| --- | --- | --- | --- |"]
    # What a class has of another one comes last.
    for entry in sorted(fields(cls), key=lambda entry: entry.name not in cls.__annotations__):
        rule = rule_of(entry)
        default = "" if entry.default in (None, "") else f"`{entry.default}`"
        if rule.development is not None:
            default += f" (development: `{rule.development}`)"
        names = " or ".join(f"`{n}`" for n in (prefix + entry.name.upper(), *rule.aliases))
        secret = f" Secret; also from a file by `{prefix}{entry.name.upper()}_FILE`." if rule.secret else ""
        lines.append(f"| `{entry.name}` | {names} | {default} | {rule.doc}{secret} |")
    return "\n".join(lines) + "\n"


__all__ = [
    "Loaded",
    "Rule",
    "Settings",
    "Sources",
    "debugging",
    "load",
    "markdown",
    "plugin_prefix",
    "plugin_settings",
    "redacted",
    "rule_of",
    "setting",
]
