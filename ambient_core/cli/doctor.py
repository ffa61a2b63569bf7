"""What ``ambient doctor`` looks at: the settings, the database, the identity providers, the clocks and the ports; each with advice."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx
import psycopg

from ambient_core.access.rates import check_storage
from ambient_core.app import create_app
from ambient_core.config import Loaded, Settings, plugin_settings
from ambient_core.config.listeners import check_free, host_and_port
from ambient_core.database import driver_url, url_of
from ambient_core.errors import AmbientError, SetupError
from ambient_core.identity.claims import Refused
from ambient_core.identity.issuers import Issuer, issuers_of
from ambient_core.identity.keysets import FetchFailed, answer_of, discovery_of, fetcher, read_keys
from ambient_core.identity.verification import KeySets, Verifier
from ambient_core.plugins import Plugins, load_plugins
from ambient_core.profiles import check_profile, keyring_of
from ambient_core.serving.health import checks_of

OLDEST_POSTGRES = 15
TOLERATED = 30.0
"""Seconds that clocks may differ: tokens are taken with 60, and both sides may be wrong."""

NOTICED = 5.0
_PATIENCE = 3.0
_ASKED = "SELECT current_setting('server_version'), extract(epoch FROM clock_timestamp()), pg_is_in_recovery()"
_CLOCK = "Have all machines take their time from the same source (NTP)."
_REFUSED = {
    "audience": "Have the provider put one of these audiences into the token, or set the audience that it puts there.",
    "unknown_issuer": "Set the issuer exactly as the token's 'iss' says it; a slash more is another issuer.",
    "type": "It is no access token by its header; send that, or set token = 'id' for this issuer.",
    "id_token": "It is an ID token; send the access token, or set token = 'id' for this issuer.",
    "client": "Add the token's client ('azp') to clients of this issuer.",
    "algorithm": "Add the token's algorithm to algorithms of this issuer.",
    "unknown_key": "Its key is not among the provider's; get a new token.",
    "expired": "Get a new token; if it is new, look at the clocks.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look gave.

    Args:
        check: what was looked at.
        status: ``ok``, ``warning`` or ``failed``.
        detail: what is so; never a secret.
        advice: what to do about it.
    """

    check: str
    status: str
    detail: str
    advice: str = ""


def examine(load: Callable[[], Loaded[Settings]], token: str = "") -> Iterator[Finding]:
    """Look at everything, the one after the other; what cannot be looked at any more is left out.

    Args:
        load: gives the settings.
        token: that shall be tried.
    """
    try:
        settings = load().settings
        profile = _tried("profile", lambda: check_profile(settings), f"{settings.profile}: all that it asks for is set")
    except SetupError as fault:
        yield Finding("settings", "failed", str(fault), "Correct this setting; the rest is looked at then.")
        return
    yield Finding("settings", "ok", "every one is known and has a value that it may have")
    yield profile
    yield _keyring(settings)
    plugins = load_plugins(settings)
    yield from _plugins(plugins)
    yield from _database(settings, plugins)
    yield from _providers(settings, token)
    if settings.rate_limit_storage_url:
        yield _tried("rate limits", lambda: check_storage(settings), "the shared counts answer")
    yield from _ports(settings)


def _tried(check: str, act: Callable[[], object], detail: str) -> Finding:
    """A look that passes, or is refused in words that say what to do."""
    try:
        act()
    except SetupError as fault:
        return Finding(check, "failed", str(fault))
    return Finding(check, "ok", detail)


def _keyring(settings: Settings) -> Finding:
    try:
        keyring = keyring_of(settings)
    except SetupError as fault:
        return Finding("keyring", "failed", str(fault), "Only what serves the API needs it.")
    return Finding("keyring", "ok", f"key {keyring.sealing} seals" if keyring else "there is none: no secret is kept")


def _plugins(plugins: Plugins) -> Iterator[Finding]:
    for entry in plugins.set_aside:
        yield Finding(f"plugin {entry.name}", "failed", f"set aside: {entry.reason}", "Correct it, or disable it.")
    for name, cls in plugins.settings():
        yield _tried(f"plugin {name}", lambda cls=cls, name=name: plugin_settings(cls, name), "its settings are right")  # type: ignore[misc]


def _database(settings: Settings, plugins: Plugins) -> Iterator[Finding]:
    if settings.database_url:
        found, skew = _server("database", settings.database_url, standby=False)
        yield found
        if found.status == "ok":
            yield _clock("clock of the database", skew)
            yield from _start(settings, plugins)
    if settings.replica_url:
        yield _server("replica", settings.replica_url, standby=True)[0]


def _server(name: str, text: str, *, standby: bool) -> tuple[Finding, float]:
    """What there is to say of a server of the database, and how far its clock is from ours."""
    try:
        url = url_of(text)
        where = f"{url.host or 'local socket'}:{url.port or 5432}/{url.database or ''}"
        with psycopg.connect(driver_url(url), connect_timeout=int(_PATIENCE), autocommit=True) as connection:
            before = time.time()
            version, there, follows = connection.execute(_ASKED).fetchone() or ("0", 0.0, False)
            skew = (before + time.time()) / 2 - float(there)
    except SetupError as fault:
        return Finding(name, "failed", str(fault)), 0.0
    except psycopg.Error as fault:
        why = f" (SQLSTATE {fault.sqlstate})" if fault.sqlstate else ""
        advice = f"See that it runs, that this machine reaches it, and that user and password of {name}_url are right."
        return Finding(name, "failed", f"{where} does not let us in{why}", advice), 0.0
    detail, advice = f"PostgreSQL {version} at {where}", ""
    if int(str(version).split(".", maxsplit=1)[0]) < OLDEST_POSTGRES:
        advice = f"Use PostgreSQL {OLDEST_POSTGRES} or later."
    elif bool(follows) is not standby:
        detail += " follows no other" if standby else " only follows another"
        advice = f"Set {name}_url to {'a server that follows the primary' if standby else 'the primary'}."
    return Finding(name, "failed" if advice else "ok", detail, advice), skew


def _start(settings: Settings, plugins: Plugins) -> Iterator[Finding]:
    pending = next(check.run for check in checks_of(settings, plugins) if check.name == "migrations")()
    if pending:
        yield Finding("migrations", "failed", pending, "Run: ambient db upgrade")
        return
    yield Finding("migrations", "ok", "all are applied")

    def start() -> None:
        try:
            create_app(settings, plugins=plugins).runtime.database.close()
        except AmbientError as fault:
            raise SetupError(fault.reason) from fault

    yield _tried("start", start, "the API would start")


def _providers(settings: Settings, token: str) -> Iterator[Finding]:
    try:
        issuers = issuers_of(settings)
    except SetupError as fault:
        yield Finding("identity providers", "failed", str(fault))
        return
    for issuer in issuers:
        yield from _provider(issuer)
    if token:
        yield _token(issuers, token)


def _provider(issuer: Issuer) -> Iterator[Finding]:
    reach = "See that this machine reaches it (proxy, certificates: ca_file), and that issuer is exactly its address."
    if not issuer.jwks_url:
        try:
            document, date = answer_of(discovery_of(issuer), issuer)
        except FetchFailed as fault:
            yield Finding(f"issuer {issuer.name}", "failed", f"its discovery document cannot be had: {fault}", reach)
            return
        if document.get("issuer") != issuer.name:
            detail = f"it calls itself {str(document.get('issuer'))[:200]!r}"
            yield Finding(f"issuer {issuer.name}", "failed", detail, "Set issuer to what it calls itself.")
            return
        yield Finding(f"issuer {issuer.name}", "ok", "its discovery document is there")
        yield _dated(issuer, date)
    yield _keys(issuer, reach)
    accepted = ", ".join(sorted(issuer.expected.audiences))
    yield Finding(f"audience of {issuer.name}", "ok", f"tokens must be for {accepted}; try one with --token-file")


def _dated(issuer: Issuer, date: str) -> Finding:
    try:
        there = parsedate_to_datetime(date).timestamp()
    except ValueError:
        return Finding(f"clock of {issuer.name}", "warning", "it does not say its time", _CLOCK)
    # It says whole seconds, cut off.
    return _clock(f"clock of {issuer.name}", time.time() - there - 0.5)


def _clock(check: str, skew: float) -> Finding:
    words = (
        "as this machine's"
        if abs(skew) < 1
        else f"{abs(skew):.0f} s {'behind' if skew > 0 else 'before'} this machine's"
    )
    if abs(skew) <= NOTICED:
        return Finding(check, "ok", words)
    return Finding(check, "failed" if abs(skew) > TOLERATED else "warning", words, _CLOCK)


def _keys(issuer: Issuer, reach: str) -> Finding:
    check = f"keys of {issuer.name}"
    try:
        keys = read_keys(fetcher(issuer)())
    except FetchFailed as fault:
        return Finding(check, "failed", f"they cannot be had: {fault}", reach)
    fitting = [key for key in keys.values() if key.algorithms & set(issuer.algorithms)]
    wanted = ", ".join(issuer.algorithms)
    if not fitting:
        return Finding(check, "failed", f"none of {len(keys)} signs with {wanted}", "Set algorithms of this issuer.")
    return Finding(check, "ok", f"{len(fitting)} of {len(keys)} sign with {wanted}")


def _token(issuers: tuple[Issuer, ...], token: str) -> Finding:
    try:
        found = Verifier(issuers, KeySets(1.0).of).verify(token)
    except Refused as fault:
        advice = _REFUSED.get(fault.rule, "docs/identity.md says what is checked.")
        return Finding("token", "failed", f"it is refused: {fault.rule}", advice)
    except AmbientError as fault:
        return Finding("token", "failed", fault.reason)
    if found is None:
        return Finding("token", "failed", "it is no signed token (JWT)", "Ask the provider for access tokens that are.")
    return Finding("token", "ok", f"it is taken, as of {found.person.subject} of {found.person.issuer}")


def _ports(settings: Settings) -> Iterator[Finding]:
    for name, path, mark in (
        ("bind", "/api/ambient", b"ambient-api-server"),
        ("gateway_bind", "/", b"ambient-api-server"),
        ("health_bind", "/healthz", b"alive"),
        ("metrics_bind", "/metrics", b"ambient_"),
    ):
        address = getattr(settings, name)
        found = _tried(name, lambda name=name, address=address: check_free(name, address), f"{address} is free")  # type: ignore[misc]
        if found.status == "failed" and _is_ours(name, address, path, mark):
            found = Finding(name, "ok", f"{address} is served by an Ambient API already")
        yield found


def _is_ours(name: str, address: str, path: str, mark: bytes) -> bool:
    try:
        host, port = host_and_port(name, address)
        host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104 - where we ask, not where we listen
        answer = httpx.get(f"http://{host}:{port}{path}", timeout=_PATIENCE, trust_env=False)
    except (httpx.HTTPError, SetupError):
        return False
    return mark in answer.content
