"""Who is asking: the principal, and the two built-in ones of the development profile.

The room has the way from a bearer token to a principal: trusted issuers, their keys, what a token must say (OpenID Connect).
"""

import hashlib
import hmac
import os
import stat
from collections.abc import Collection, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl

from ambient_core.errors import SetupError, Unauthenticated

MAXIMUM_TOKEN = 16 * 1024
_TOKEN = "ambient.token"  # noqa: S105
_DIFFERENT = 10
"""Characters of a random token that differ, at least: a word that is repeated is none."""

RESOURCE_METADATA = "/.well-known/oauth-protected-resource"
"""Where a client finds out who is trusted here (RFC 9728)."""

CHALLENGE = 'Bearer realm="ambient"'


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking.

    Args:
        kind: a person, a service (such as the control plane) or the runner of one session.
        id: stable and unique within the kind; this is what the change log keeps.
        name: for people to read.
        attributes: facts that rules may use, such as ``session_id`` and ``project_id`` of a session.
        groups: that its identity provider puts it in; a rule may be made for a group.
        roles: that the configuration gives it everywhere, because of its groups.
    """

    kind: Literal["person", "service", "session"]
    id: str
    name: str
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    @property
    def actor(self) -> str:
        """How the change log names this principal: ``kind:id``."""
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Person:
    """Whom an identity provider vouches for; ``ambient_person`` makes a principal of it.

    Args:
        issuer: the provider, as its tokens say it.
        subject: who it is there; only the two together say who somebody is.
        username: login name, for people to read.
        name: how the person is called, if the provider says it.
        email: where mail reaches the person; it identifies nobody.
        groups: that the provider puts the person in.
        roles: that the configuration gives everywhere, because of the groups.
        issued_at: when the provider said all this, in seconds since 1970; ``None`` when it does not say.
    """

    issuer: str
    subject: str
    username: str
    name: str | None = None
    email: str | None = None
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    issued_at: float | None = None


DEVELOPER = Principal("person", "developer", "Developer")
CONTROL_PLANE = Principal("service", "control-plane", "Control plane", roles=frozenset({"platform:control-plane"}))
"""It has one role everywhere, of its own; where no plugin keeps roles, it may what no plugin refuses."""


def bearer_token(authorization: str | None) -> str:
    """The token of an ``Authorization: Bearer`` header (RFC 6750, section 2.1).

    Raises:
        Unauthenticated: there is no such header, or it has another form.
    """
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("No bearer token came with the request; send 'Authorization: Bearer TOKEN'.")
    if len(token) > MAXIMUM_TOKEN or "," in token or " " in token:
        raise invalid_request("The Authorization header does not hold exactly one bearer token.")
    return token


def token_of(environ: MutableMapping[str, Any]) -> str:
    """The bearer token of a request; its header is read once, however many want to know whose token it is.

    Args:
        environ: of the request.

    Raises:
        Unauthenticated: there is none, or it does not come as it should.
    """
    token = environ.get(_TOKEN)
    if token is None:
        token = environ[_TOKEN] = bearer_token(environ.get("HTTP_AUTHORIZATION"))
    return str(token)


def check_not_in_query(query: str) -> None:
    """Refuse a token in the address (RFC 6750, section 2.3): addresses end up in logs and histories.

    Raises:
        Unauthenticated: there is one.
    """
    if "access_token=" in query and any(name == "access_token" for name, _ in parse_qsl(query)):
        raise invalid_request("A token in the address is not taken; send it as 'Authorization: Bearer TOKEN'.")


def invalid_request(reason: str) -> Unauthenticated:
    """The refusal of credentials that do not come as they should (RFC 6750, section 3.1)."""
    return Unauthenticated(reason, headers={"WWW-Authenticate": f'{CHALLENGE}, error="invalid_request"'})


def invalid_token() -> Unauthenticated:
    """The refusal of a token: the same for every cause, which the log alone tells."""
    words = "The token is not known or no longer valid."
    return Unauthenticated(words, headers={"WWW-Authenticate": f'{CHALLENGE}, error="invalid_token"'})


def digest(token: str) -> bytes:
    """What is stored and compared in place of a token: its SHA-256.

    The tokens are random (256 bits), so a slow password hash would only cost time.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


class TokenFiles:
    """The development profile's principals, each known by one token in a file.

    Args:
        files: token file by principal; ``None`` where the setting is empty.
        shortest: characters that a token must have.

    Raises:
        SetupError: a file is missing or empty, others may read it, or its token is too short.
    """

    def __init__(self, files: Mapping[Principal, Path | None], shortest: int = 1) -> None:
        given = {
            # The settings are called after them.
            principal.id: _read(f"{principal.id.replace('-', '_')}_token_file", path, shortest)
            for principal, path in files.items()
            if path is not None
        }
        self._digests = {identifier: digest(token) for identifier, token in given.items()}
        self._principals = {principal.id: principal for principal in files}

    def authenticate(self, token: str) -> Principal | None:
        """The principal whose token this is; every candidate is compared in constant time."""
        asked, found = digest(token), None
        for identifier, known in self._digests.items():
            if hmac.compare_digest(asked, known):
                found = self._principals[identifier]
        return found


def open_to_others(found: os.stat_result, user: int, groups: Collection[int]) -> bool:
    """Whether somebody else may read or change a secret file.

    Kubernetes mounts a Secret for a user that is not root as owned by root and readable by the pod's own group
    (``fsGroup``, mode 0440): that group is nobody else. A file of our own must not be open to any group.

    Args:
        found: what the file system says of the file.
        user: whom this process runs as.
        groups: that it belongs to.
    """
    mounted = found.st_uid != user and found.st_gid in groups
    allowed = stat.S_IRWXU | (stat.S_IRGRP if mounted else 0)
    return bool(stat.S_IMODE(found.st_mode) & ~allowed)


def _read(setting: str, path: Path, shortest: int) -> str:
    try:
        if open_to_others(path.stat(), os.geteuid(), {os.getegid(), *os.getgroups()}):
            raise SetupError(f"{setting}: {path} may be read by others; run: chmod 600 {path}")
        token = path.read_text().strip()
    except OSError as fault:
        raise SetupError(f"{setting}: {path} cannot be read: {fault.strerror}") from fault
    if not token:
        raise SetupError(f"{setting}: {path} is empty; delete it, and the next start makes a new one.")
    if len(token) < shortest or len(set(token)) < min(shortest, _DIFFERENT):
        raise SetupError(
            f"{setting}: the token in {path} could be guessed; {shortest} random characters are the least."
        )
    return token
