"""What a verified token must say, and what is taken from it: rules without a clock, a key or a network of their own."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ambient_core.identity import Person

SKEW = 60.0
LONGEST_SUBJECT = 255
_LONGEST_NAME = 255
_LONGEST_EMAIL = 320
_LONGEST_KEY_ID = 255
_MOST_GROUPS = 1000
_ACCESS_TOKEN = ("at+jwt", "application/at+jwt")
_CARRIED_KEYS = ("jwk", "jku", "x5u", "x5c")
_MARKS_OF_AN_ID_TOKEN = ("nonce", "at_hash", "c_hash", "s_hash")
_SERVICE_ACCOUNT = "system:serviceaccount:"

TokenKind = Literal["access", "id", "kubernetes"]
Path = tuple[str, ...]


class Refused(Exception):
    """A token is not taken.

    Args:
        rule: short name of what refused it: for the log and the figures, never for the caller.
    """

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Expected:
    """What the tokens of one issuer must be.

    Args:
        issuer: its name, exactly as ``iss`` says it.
        audiences: of which ``aud`` must name one.
        kind: ``access`` tokens, ``id`` tokens where a provider gives no other, or service-account tokens of ``kubernetes``.
        clients: of which ``azp`` (or ``client_id``) must be one; any when empty.
    """

    issuer: str
    audiences: frozenset[str]
    kind: TokenKind = "access"
    clients: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Naming:
    """Where a person's facts stand in the claims, and what groups mean here.

    Args:
        username: path of the login name.
        name: path of the name for people.
        email: path of the address.
        groups: path of the groups.
        prefix: put before each group, so that two issuers' groups of one name stay two.
        roles: role names by group, as the issuer says it.
    """

    username: Path = ("preferred_username",)
    name: Path = ("name",)
    email: Path = ("email",)
    groups: Path = ("groups",)
    prefix: str = ""
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_object(text: bytes) -> dict[str, Any]:
    """A JSON object in which no name stands twice and every number is one.

    Raises:
        ValueError: it is none.
    """
    try:
        found = json.loads(text.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def check_header(header: Mapping[str, Any], expected: Expected, algorithms: Sequence[str]) -> None:
    """Judge what stands before the claims, before any key is looked for.

    Raises:
        Refused: an algorithm that is not configured, a key that comes along, or a token of another kind.
    """
    if header.get("alg") not in algorithms:
        raise Refused("algorithm")
    if any(name in header for name in _CARRIED_KEYS):
        raise Refused("carried_key")
    if "crit" in header:
        raise Refused("critical_header")
    identifier = header.get("kid")
    if identifier is not None and not (isinstance(identifier, str) and 0 < len(identifier) <= _LONGEST_KEY_ID):
        raise Refused("key_id")
    said = header.get("typ")
    if not isinstance(said, str | None):
        raise Refused("type")
    said = said.lower() if said is not None else None
    allowed = {"access": (*_ACCESS_TOKEN, "jwt"), "id": ("jwt", None), "kubernetes": ("jwt", None)}[expected.kind]
    if said not in allowed:
        raise Refused("type")


def check_claims(header: Mapping[str, Any], claims: Mapping[str, Any], expected: Expected, now: float) -> None:
    """Judge the claims of a token whose signature is good.

    Args:
        header: of the token; it says whether this is an access token by its type alone.
        claims: what it says.
        expected: of its issuer.
        now: seconds since 1970.

    Raises:
        Refused: naming the rule.
    """
    if claims.get("iss") != expected.issuer:
        raise Refused("issuer")
    audiences = _audiences(claims.get("aud"))
    if not audiences & expected.audiences:
        raise Refused("audience")
    _check_times(claims, now)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise Refused("subject")
    _check_kind(header, claims, expected)
    party = claims.get("azp", claims.get("client_id"))
    if expected.clients and party not in expected.clients:
        raise Refused("client")
    if expected.kind == "id" and (len(audiences) > 1 or party is not None) and party not in expected.audiences:
        raise Refused("client")


def _audiences(claim: Any) -> frozenset[str]:
    if isinstance(claim, str):
        return frozenset((claim,))
    if isinstance(claim, list) and all(isinstance(one, str) for one in claim):
        return frozenset(claim)
    raise Refused("audience")


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    if now >= _time(claims, "exp") + SKEW:
        raise Refused("expired")
    if "nbf" in claims and now < _time(claims, "nbf") - SKEW:
        raise Refused("not_yet_valid")
    if "iat" in claims and now < _time(claims, "iat") - SKEW:
        raise Refused("issued_in_the_future")


def _time(claims: Mapping[str, Any], name: str) -> float:
    found = claims.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise Refused(name)
    return float(found)


def _check_kind(header: Mapping[str, Any], claims: Mapping[str, Any], expected: Expected) -> None:
    said = claims.get("typ")
    if expected.kind == "access":
        marked = said in (None, "Bearer") if str(header.get("typ")).lower() != "jwt" else _is_access(claims)
        if not marked:
            raise Refused("id_token")
    elif expected.kind == "id":
        if said not in (None, "ID"):
            raise Refused("access_token")
    elif not isinstance(claims.get("kubernetes.io"), dict) or not str(claims["sub"]).startswith(_SERVICE_ACCOUNT):
        raise Refused("service_account")


def _is_access(claims: Mapping[str, Any]) -> bool:
    """Whether a token whose header says only JWT is an access token: Keycloak says so, an ID token has marks of its own."""
    if claims.get("typ") == "Bearer":
        return True
    return claims.get("typ") is None and not any(name in claims for name in _MARKS_OF_AN_ID_TOKEN)


def look_up(claims: Mapping[str, Any], path: Path) -> Any:
    """What stands at a path of the claims; ``None`` for nothing."""
    found: Any = claims
    for name in path:
        if not isinstance(found, dict) or name not in found:
            return None
        found = found[name]
    return found


def path_of(text: str | Sequence[str]) -> Path:
    """A path as it is configured: ``realm_access.roles``, or a list of names where a name itself has a dot.

    Raises:
        ValueError: a name is empty.
    """
    names = tuple(text.split(".")) if isinstance(text, str) else tuple(text)
    if not names or not all(isinstance(name, str) and name for name in names):
        raise ValueError(text)
    return names


def person_of(claims: Mapping[str, Any], naming: Naming) -> Person:
    """The person that claims speak of.

    Args:
        claims: that were checked.
        naming: of their issuer.
    """
    subject = str(claims["sub"])
    username = _text(look_up(claims, naming.username), _LONGEST_NAME) or subject
    groups = groups_of(look_up(claims, naming.groups))
    roles = frozenset(role for group in groups for role in naming.roles.get(group, ()))
    return Person(
        issuer=str(claims["iss"]),
        subject=subject,
        username=username,
        name=_text(look_up(claims, naming.name), _LONGEST_NAME),
        email=_text(look_up(claims, naming.email), _LONGEST_EMAIL),
        groups=frozenset(naming.prefix + group for group in groups),
        roles=roles,
        issued_at=float(claims["iat"]) if "iat" in claims else None,
    )


def groups_of(claim: Any) -> frozenset[str]:
    """Groups as providers write them: a list of names, or one name; what is no name is passed over."""
    listed = claim if isinstance(claim, list) else [claim]
    names = (one for one in listed if isinstance(one, str) and 0 < len(one) <= _LONGEST_NAME)
    return frozenset(name for name, _ in zip(names, range(_MOST_GROUPS), strict=False))


def _text(claim: Any, longest: int) -> str | None:
    """A claim as it may be stored and shown; ``None`` where it is none, or cannot be."""
    if not isinstance(claim, str):
        return None
    clean = "".join(letter for letter in claim.encode("utf-8", "ignore").decode() if letter.isprintable()).strip()
    return clean if 0 < len(clean) <= longest else None
