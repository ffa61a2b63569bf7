"""The identity providers that are trusted: as they are configured, and read again when their file changes."""

import logging
import os
import threading
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

from ambient_core.config import Settings
from ambient_core.errors import SetupError
from ambient_core.identity.claims import Expected, Naming, TokenKind, path_of

log = logging.getLogger(__name__)
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures by a key that we need not keep secret; there is no other kind."""

LOGIN_SCOPES = ("openid", "profile", "email", "offline_access")
LOOK = 2.0
LONGEST_URL = 512
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_PATHS = ("username", "name", "email", "groups")
_KNOWN = frozenset(
    [
        "issuer",
        "audience",
        "algorithms",
        "token",
        "clients",
        "jwks_url",
        "ca_file",
        "token_file",
        "group_prefix",
        "roles",
        "services",
        "login_client",
        "login_scopes",
    ]
).union(_PATHS)


@dataclass(frozen=True, slots=True)
class Issuer:
    """One identity provider.

    Args:
        expected: what its tokens must be.
        algorithms: that it may sign with.
        naming: where a person's facts stand in its tokens.
        services: name of a service by subject: who of its subjects is no person.
        jwks_url: where its keys are; asked of the provider when empty.
        ca_file: certificates that vouch for it, where those of the system do not.
        token_file: what we show it when we ask (Kubernetes); read each time, because such a token is renewed.
        login_client: public client id with which the command line logs people in; it does not when empty.
        login_scopes: that it asks for.
    """

    expected: Expected
    algorithms: tuple[str, ...] = ("RS256",)
    naming: Naming = field(default_factory=Naming)
    services: Mapping[str, str] = field(default_factory=dict)
    jwks_url: str = ""
    ca_file: Path | None = None
    token_file: Path | None = None
    login_client: str = ""
    login_scopes: tuple[str, ...] = LOGIN_SCOPES

    @property
    def name(self) -> str:
        """As ``iss`` says it."""
        return self.expected.issuer

    @property
    def source(self) -> tuple[str, str, Path | None, Path | None]:
        """Where its keys come from: while this stays, what is known of them stays."""
        return self.name, self.jwks_url, self.ca_file, self.token_file


def configured(settings: Settings) -> bool:
    """Whether any identity provider is."""
    return bool(settings.oidc_issuer or settings.oidc_file)


def issuers_of(settings: Settings) -> tuple[Issuer, ...]:
    """The issuers that the settings name.

    Raises:
        SetupError: naming the setting, the entry and the rule.
    """
    found = []
    if settings.oidc_issuer:
        if not settings.oidc_audience:
            raise SetupError(
                "oidc_audience is not set; without it a token for any other service of the provider would be taken."
            )
        given = {"issuer": settings.oidc_issuer, "audience": settings.oidc_audience}
        if settings.oidc_login_client:
            given["login_client"] = settings.oidc_login_client
        found.append(read_issuer({**given, "login_scopes": settings.oidc_login_scopes.split()}, "oidc_issuer"))
    if settings.oidc_file is not None:
        found += read_file(settings.oidc_file)
    names = [issuer.name for issuer in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SetupError(f"The issuer {twice[0]} is configured twice; one entry must say all about it.")
    return tuple(found)


def read_file(path: Path) -> list[Issuer]:
    """The issuers of a file.

    Raises:
        SetupError: naming the file, the entry and the rule.
    """
    try:
        content = tomllib.loads(path.read_text())
    except OSError as fault:
        raise SetupError(f"oidc_file {path} cannot be read: {fault.strerror}.") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise SetupError(f"oidc_file {path} is no valid TOML: {fault}.") from fault
    entries = content.get("issuers")
    if not isinstance(entries, list) or not entries or set(content) != {"issuers"}:
        raise SetupError(f"oidc_file {path} must hold [[issuers]] tables and nothing else.")
    return [read_issuer(entry, f"oidc_file {path}: issuers[{number}]") for number, entry in enumerate(entries)]


def read_issuer(given: Mapping[str, Any], where: str) -> Issuer:
    """One issuer, from its table.

    Args:
        given: the table.
        where: how a fault calls it.

    Raises:
        SetupError: naming the entry and the rule.
    """
    if unknown := sorted(set(given) - _KNOWN):
        raise SetupError(f"{where}: {unknown[0]!r} is no setting of an issuer; known: {', '.join(sorted(_KNOWN))}.")
    issuer = _text(given, "issuer", where)
    _check_url(issuer, f"{where}: issuer")
    kind = given.get("token", "access")
    if kind not in get_args(TokenKind):
        raise SetupError(f"{where}: token must be one of {', '.join(get_args(TokenKind))}.")
    audiences = _texts(given, "audience", where)
    if not audiences:
        raise SetupError(f"{where}: audience is not set; name the audience that tokens for this API carry.")
    services = _table(given, "services", where)
    if not all(isinstance(name, str) and name for name in services.values()):
        raise SetupError(f"{where}: services must map a subject to the name of a service.")
    jwks_url = given.get("jwks_url", "")
    if jwks_url:
        _check_url(str(jwks_url), f"{where}: jwks_url")
    return Issuer(
        Expected(issuer, frozenset(audiences), kind, frozenset(_texts(given, "clients", where))),
        _algorithms(given, where),
        _naming(given, where),
        services,
        str(jwks_url),
        _path(given, "ca_file", where),
        _path(given, "token_file", where),
        login_client=_text(given, "login_client", where) if "login_client" in given else "",
        login_scopes=_texts(given, "login_scopes", where) or LOGIN_SCOPES,
    )


def _algorithms(given: Mapping[str, Any], where: str) -> tuple[str, ...]:
    found = _texts(given, "algorithms", where) or ("RS256",)
    if strange := sorted(set(found) - set(ALGORITHMS)):
        raise SetupError(f"{where}: algorithms names {strange[0]!r}; possible are {', '.join(ALGORITHMS)}.")
    return found


def _naming(given: Mapping[str, Any], where: str) -> Naming:
    paths = {}
    for name in _PATHS:
        if name in given:
            try:
                paths[name] = path_of(given[name])
            except (ValueError, TypeError):
                raise SetupError(f"{where}: {name} must be a path such as 'realm_access.roles'.") from None
    roles = {group: _texts({"roles": names}, "roles", where) for group, names in _table(given, "roles", where).items()}
    prefix = given.get("group_prefix", "")
    if not isinstance(prefix, str):
        raise SetupError(f"{where}: group_prefix must be text.")
    return Naming(**paths, prefix=prefix, roles=roles)


def _check_url(text: str, where: str) -> None:
    parts = urlsplit(text)
    local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    safe = parts.hostname and (parts.scheme == "https" or local) and not parts.fragment and not parts.query
    if not safe or len(text) > LONGEST_URL:
        raise SetupError(f"{where} is {text!r}; it must be an https:// address (http:// only on this very machine).")


def is_safe_url(text: str) -> bool:
    """Whether keys may be fetched from an address: over TLS, or from this very machine."""
    try:
        _check_url(text, "")
    except (SetupError, ValueError):
        return False
    return True


def _text(given: Mapping[str, Any], name: str, where: str) -> str:
    found = given.get(name)
    if not isinstance(found, str) or not found:
        raise SetupError(f"{where}: {name} must be text.")
    return found


def _path(given: Mapping[str, Any], name: str, where: str) -> Path | None:
    return Path(_text(given, name, where)) if name in given else None


def _texts(given: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    found = given.get(name, [])
    listed = [found] if isinstance(found, str) else found
    if not isinstance(listed, list) or not all(isinstance(one, str) and one for one in listed):
        raise SetupError(f"{where}: {name} must be text, or a list of texts.")
    return tuple(listed)


def _table(given: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    found = given.get(name, {})
    if not isinstance(found, dict):
        raise SetupError(f"{where}: {name} must be a table.")
    return dict(found)


class Configured:
    """The issuers of now: the file is looked at every few seconds, and read again when it has changed.

    What is wrong with a changed file is logged, and what held before goes on holding.

    Args:
        settings: name the file.
        clock: seconds that only grow.

    Raises:
        SetupError: at the start nothing held before.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._mark = self._marked()
        self._next = clock() + LOOK
        self._issuers = issuers_of(settings)

    def now(self) -> tuple[Issuer, ...]:
        """The issuers; the very same tuple as long as nothing has changed."""
        if self._settings.oidc_file is not None and self._clock() >= self._next and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()
        return self._issuers

    def _look(self) -> None:
        self._next = self._clock() + LOOK
        mark = self._marked()
        if mark == self._mark:
            return
        self._mark = mark
        try:
            self._issuers = issuers_of(self._settings)
        except SetupError as fault:
            log.error("the identity providers stay as they were: %s", fault)
        else:
            log.info("the identity providers were read again")

    def _marked(self) -> tuple[int, ...]:
        path = self._settings.oidc_file
        try:
            found = os.stat(path) if path is not None else None
        except OSError:
            return ()
        return (found.st_ino, found.st_size, found.st_mtime_ns) if found is not None else ()
