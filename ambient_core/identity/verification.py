"""From a bearer token to what a trusted issuer says in it; what was verified once is not verified again until it ends."""

import base64
import binascii
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry, deserialize_compact

from ambient_core.identity import Person, Principal, digest
from ambient_core.identity.claims import SKEW, Refused, check_claims, check_header, person_of, read_object
from ambient_core.identity.issuers import Issuer
from ambient_core.identity.keysets import KeySet, fetcher

MOST_VERIFIED = 10_000
UNKNOWN_ISSUER = "unknown_issuer"
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
KeysOf = Callable[[Issuer], KeySet]


@dataclass(slots=True)
class Verified:
    """A token that was verified.

    Args:
        issuer: who signed it.
        person: whom it speaks of.
        expires: seconds since 1970 after which it is not taken.
        keys: of the issuer.
        content: what they were by then.
        principal: that was made of the person, and until when this need not be asked again.
        confirmed_until: on the clock that only grows.
    """

    issuer: Issuer
    person: Person
    expires: float
    keys: KeySet
    content: Any
    principal: Principal | None = None
    confirmed_until: float = 0.0


class KeySets:
    """The key sets of all issuers; one stays what it is when the configuration is read again.

    Args:
        cooldown: seconds between two fetches that unknown key ids may cause.
    """

    def __init__(self, cooldown: float) -> None:
        self._cooldown = cooldown
        self._found: dict[object, KeySet] = {}

    def of(self, issuer: Issuer) -> KeySet:
        """The key set of an issuer."""
        found = self._found.get(issuer.source)
        return found or self._found.setdefault(issuer.source, KeySet(fetcher(issuer), self._cooldown, issuer.name))


class Verifier:
    """Verifies the tokens of some issuers.

    Args:
        issuers: that are trusted.
        keys_of: gives an issuer's keys.
        clock: seconds since 1970.
    """

    def __init__(self, issuers: tuple[Issuer, ...], keys_of: KeysOf, clock: Callable[[], float] = time.time) -> None:
        self.issuers = issuers
        self._by_name = {issuer.name: issuer for issuer in issuers}
        self._keys_of = keys_of
        self._clock = clock
        self._lock = threading.Lock()
        self._verified: OrderedDict[bytes, Verified] = OrderedDict()

    def verify(self, token: str) -> Verified | None:
        """What a token says; ``None`` when it is no signed token at all, and so perhaps somebody else's.

        Raises:
            Refused: it is one, and is not taken.
            Unavailable: the keys of its issuer are not known yet, and cannot be had now.
        """
        mark = digest(token)
        found = self._remembered(mark)
        if found is None and (found := self._verify(token)) is not None:
            with self._lock:
                self._verified[mark] = found
                if len(self._verified) > MOST_VERIFIED:
                    self._verified.popitem(last=False)
        return found

    def _remembered(self, mark: bytes) -> Verified | None:
        # Without the lock: each step is one to the interpreter, and what another thread has dropped meanwhile is dropped.
        found = self._verified.get(mark)
        if found is None:
            return None
        with suppress(KeyError):
            if found.expires > self._clock() and found.content is found.keys.content():
                self._verified.move_to_end(mark)
                return found
            del self._verified[mark]
        return None

    def _verify(self, token: str) -> Verified | None:
        if not _FORM.fullmatch(token):
            return None
        head, body, _ = token.split(".")
        header = _part(head)
        if header is None:
            return None
        said = _part(body)
        if said is None:
            raise Refused("malformed")
        name = said.get("iss")
        issuer = self._by_name.get(name) if isinstance(name, str) else None
        if issuer is None:
            raise Refused(UNKNOWN_ISSUER)
        check_header(header, issuer.expected, issuer.algorithms)
        keys = self._keys_of(issuer)
        key = keys.find(header.get("kid"), header["alg"])
        content = keys.content()
        registry = JWSRegistry(algorithms=[header["alg"]], strict_check_header=False)
        try:
            claims = read_object(deserialize_compact(token, key, registry=registry).payload)
        except (JoseError, ValueError):
            raise Refused("signature") from None
        check_claims(header, claims, issuer.expected, self._clock())
        return Verified(issuer, person_of(claims, issuer.naming), float(claims["exp"]) + SKEW, keys, content)


def _part(text: str) -> Mapping[str, Any] | None:
    try:
        return read_object(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
    except (binascii.Error, ValueError):
        return None
