"""The public keys of an issuer: fetched when they are needed, at most once per cool-down, and kept while it is down."""

import logging
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, RSAKey

from ambient_core import metrics
from ambient_core.errors import Unavailable
from ambient_core.identity.claims import Refused, read_object
from ambient_core.identity.issuers import Issuer, is_safe_url

log = logging.getLogger(__name__)
REFRESH = 300.0
TIMEOUT = 3.0
DEADLINE = 8.0
LARGEST = 256 * 1024
_IMPATIENT = 2.0
_MOST_KEYS = 100
_MOST_MISSES = 1024
_FORGIVEN = 2
_SMALLEST_RSA = 2048
_DISCOVERY = "/.well-known/openid-configuration"
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
Fetch = Callable[[], Mapping[str, Any]]


class FetchFailed(Exception):
    """A provider gave no usable answer; the text says what happened."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key of a provider.

    Args:
        key: to verify with.
        algorithms: that it may have signed with.
    """

    key: Key
    algorithms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Known:
    """The keys of one fetch.

    Args:
        keys: by their ids; those without one have a number.
        content: as they were fetched: what has not changed stays the same object.
        at: when, on the clock that only grows.
    """

    keys: Mapping[str | int, SigningKey]
    content: Any
    at: float


class KeySet:
    """The keys of one issuer, for one process.

    Args:
        fetch: gives the provider's key set.
        cooldown: seconds between two fetches that unknown key ids may cause.
        name: of the issuer, for the log and the figures.
        clock: seconds that only grow.
    """

    def __init__(self, fetch: Fetch, cooldown: float, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._cooldown = cooldown
        self._name = name
        self._clock = clock
        self._lock = threading.Lock()
        self._known: Known | None = None
        self._next = 0.0
        self._misses: OrderedDict[str, float] = OrderedDict()

    def content(self) -> Any:
        """Another object whenever the keys are others: what was verified with those is verified again."""
        known = self._known
        if known is not None and self._clock() >= known.at + REFRESH:
            self._refresh_soon()
        return known.content if known is not None else None

    def find(self, identifier: str | None, algorithm: str) -> Key:
        """The key that a token names.

        Args:
            identifier: ``kid`` of its header; without one there must be one key alone that fits.
            algorithm: ``alg`` of its header.

        Raises:
            Refused: there is no such key.
            Unavailable: no keys are known yet, and the provider gives none now.
        """
        known = self._known
        found = _chosen(known, identifier, algorithm) if known is not None else None
        found = found or _chosen(self._asked_again(known, identifier), identifier, algorithm)
        if found is None:
            raise Refused("unknown_key")
        return found

    def _asked_again(self, before: Known | None, identifier: str | None) -> Known:
        """The keys after a fetch, ours or that of another request that we waited for; as before within the cool-down."""
        if not self._lock.acquire(timeout=DEADLINE):
            return self._or_unavailable(before)
        try:
            if self._known is before and self._may_fetch(identifier):
                self._update()
            known = self._known
            if identifier is not None and known is not None and known is not before and identifier not in known.keys:
                self._missed(identifier)
            return self._or_unavailable(known)
        finally:
            self._lock.release()

    def _may_fetch(self, identifier: str | None) -> bool:
        now = self._clock()
        missed = self._misses.get(identifier or "")
        return now >= self._next and (missed is None or now >= missed + self._cooldown * _FORGIVEN)

    def _missed(self, identifier: str) -> None:
        self._misses[identifier] = self._clock()
        self._misses.move_to_end(identifier)
        while len(self._misses) > _MOST_MISSES:
            self._misses.popitem(last=False)

    def _or_unavailable(self, known: Known | None) -> Known:
        if known is None:
            raise Unavailable("The identity provider does not answer, so nobody can be told from anybody.")
        return known

    def _refresh_soon(self) -> None:
        """Fetch beside the requests: a key that the provider took back must not live on."""
        if self._clock() >= self._next and self._lock.acquire(blocking=False):
            threading.Thread(target=self._refreshed, name="keys-of-an-issuer", daemon=True).start()

    def _refreshed(self) -> None:
        try:
            self._update()
        finally:
            self._lock.release()

    def _update(self) -> None:
        # Before the fetch: one that fails, or lasts, cools down as well.
        self._next = self._clock() + (self._cooldown if self._known is not None else min(self._cooldown, _IMPATIENT))
        try:
            content = self._fetch()
            keys = read_keys(content)
        except FetchFailed as fault:
            metrics.observe_key_fetch(self._name, "failed")
            log.warning("the keys of %s cannot be fetched: %s", self._name, fault)
            return
        metrics.observe_key_fetch(self._name, "done")
        self._next = self._clock() + self._cooldown
        before = self._known
        if before is not None and before.content == content:
            self._known = Known(before.keys, before.content, self._clock())
        else:
            self._known = Known(keys, content, self._clock())
            self._misses.clear()


def _chosen(known: Known, identifier: str | None, algorithm: str) -> Key | None:
    if identifier is not None:
        found = known.keys.get(identifier)
        return found.key if found is not None and algorithm in found.algorithms else None
    fitting = [one.key for one in known.keys.values() if algorithm in one.algorithms]
    return fitting[0] if len(fitting) == 1 else None


def read_keys(content: Mapping[str, Any]) -> dict[str | int, SigningKey]:
    """The keys of a set (RFC 7517) that verify signatures; what is none is passed over.

    Raises:
        FetchFailed: this is no set of keys.
    """
    listed = content.get("keys")
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise FetchFailed("its answer is no set of keys.")
    found: dict[str | int, SigningKey] = {}
    for number, given in enumerate(listed):
        key = _read_key(given) if isinstance(given, dict) else None
        if key is not None:
            identifier = given.get("kid")
            found.setdefault(identifier if isinstance(identifier, str) else number, key)
    return found


def _read_key(given: Mapping[str, Any]) -> SigningKey | None:
    operations = given.get("key_ops", ["verify"])
    if given.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    public = {name: given[name] for name in ("kty", "n", "e", "crv", "x", "y") if isinstance(given.get(name), str)}
    algorithms = _algorithms_of(public)
    if "alg" in given:
        algorithms &= {given["alg"]} if isinstance(given["alg"], str) else set()
    with suppress(JoseError, ValueError, TypeError, KeyError):
        if algorithms:
            return SigningKey((RSAKey if public["kty"] == "RSA" else ECKey).import_key(public), algorithms)
    return None


def _algorithms_of(public: Mapping[str, str]) -> frozenset[str]:
    if public.get("kty") == "RSA" and len(public.get("n", "")) * 6 >= _SMALLEST_RSA:
        return frozenset(f"{family}{size}" for family in ("RS", "PS") for size in (256, 384, 512))
    if public.get("kty") == "EC":
        return frozenset(name for name, curve in _CURVES.items() if curve == public.get("crv"))
    return frozenset()


def fetcher(issuer: Issuer) -> Fetch:
    """What fetches the keys of an issuer: by its discovery document, or from where it is configured.

    The fetch is a plain blocking one; under gevent it waits as everything else does. It follows no redirect.

    Args:
        issuer: whose.
    """
    found = [issuer.jwks_url]

    def fetch() -> Mapping[str, Any]:
        if not found[0]:
            found[0] = _discovered(issuer)
        try:
            return _get(found[0], issuer)
        except FetchFailed:
            # They may have moved.
            found[0] = issuer.jwks_url
            raise

    return fetch


def discovery_of(issuer: Issuer) -> str:
    """Where the discovery document of an issuer is."""
    return issuer.name.rstrip("/") + _DISCOVERY


def _discovered(issuer: Issuer) -> str:
    document = _get(discovery_of(issuer), issuer)
    if document.get("issuer") != issuer.name:
        raise FetchFailed(f"its discovery document is of another issuer than {issuer.name!r}.")
    url = document.get("jwks_uri")
    if not isinstance(url, str) or not is_safe_url(url):
        raise FetchFailed("its discovery document names no jwks_uri that is safe to use.")
    return url


def _get(url: str, issuer: Issuer) -> Mapping[str, Any]:
    return answer_of(url, issuer)[0]


def answer_of(url: str, issuer: Issuer) -> tuple[Mapping[str, Any], str]:
    """The JSON object at an address of an issuer, and the time that the issuer says (its ``Date`` header).

    Raises:
        FetchFailed: it gives none.
    """
    try:
        headers = {"Accept": "application/json"}
        if issuer.token_file is not None:
            headers["Authorization"] = f"Bearer {issuer.token_file.read_text().strip()}"
        verify = ssl.create_default_context(cafile=issuer.ca_file) if issuer.ca_file is not None else True
        with (
            httpx.Client(timeout=TIMEOUT, follow_redirects=False, verify=verify) as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            if answer.status_code != 200:
                raise FetchFailed(f"it answered {answer.status_code}.")
            return read_object(_bounded(answer.iter_bytes())), answer.headers.get("Date", "")
    except httpx.HTTPError as fault:
        raise FetchFailed(f"{type(fault).__name__}.") from fault
    except OSError as fault:
        raise FetchFailed(f"{fault.filename or 'the connection'}: {fault.strerror or type(fault).__name__}.") from fault
    except ValueError as fault:
        raise FetchFailed("its answer is no JSON object.") from fault


def _bounded(pieces: Iterable[bytes]) -> bytes:
    end, raw = time.monotonic() + DEADLINE, b""
    for piece in pieces:
        raw += piece
        if len(raw) > LARGEST or time.monotonic() > end:
            raise FetchFailed("its answer is too large, or too slow.")
    return raw
