"""Who is asking: the principal, and the two built-in ones of the development profile."""

import hashlib
import hmac
import os
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ambient_core.errors import SetupError, Unauthenticated

MAXIMUM_TOKEN = 16 * 1024


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


DEVELOPER = Principal("person", "developer", "Developer")
CONTROL_PLANE = Principal("service", "control-plane", "Control plane")


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
        raise Unauthenticated("The Authorization header does not hold exactly one bearer token.")
    return token


def digest(token: str) -> bytes:
    """What is stored and compared in place of a token: its SHA-256.

    The tokens are random (256 bits), so a slow password hash would only cost time.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


class TokenFiles:
    """The development profile's principals, each known by one token in a file.

    Args:
        files: token file by principal; ``None`` where the setting is empty.

    Raises:
        SetupError: a file is missing or empty, or others may read it.
    """

    def __init__(self, files: Mapping[Principal, Path | None]) -> None:
        self._digests = {principal.id: digest(_read(path)) for principal, path in files.items() if path is not None}
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


def _read(path: Path) -> str:
    try:
        if open_to_others(path.stat(), os.geteuid(), {os.getegid(), *os.getgroups()}):
            raise SetupError(f"The token file {path} may be read by others; run: chmod 600 {path}")
        token = path.read_text().strip()
    except OSError as fault:
        raise SetupError(f"The token file {path} cannot be read: {fault.strerror}") from fault
    if not token:
        raise SetupError(f"The token file {path} is empty; delete it, and the next start makes a new one.")
    return token
