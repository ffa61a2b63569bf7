"""The way in for people and services of an identity provider (OpenID Connect), on every surface.

It is a plugin like any other: a token that is no signed one is left to whoever knows it.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from flask import Request

from ambient_core import metrics
from ambient_core.config import Settings
from ambient_core.hooks import hookimpl
from ambient_core.identity import CONTROL_PLANE, Person, Principal, invalid_token, token_of
from ambient_core.identity.claims import Refused
from ambient_core.identity.issuers import Configured, Issuer
from ambient_core.identity.verification import UNKNOWN_ISSUER, KeySets, Verified, Verifier

log = logging.getLogger(__name__)
CONFIRMED = 3.0
"""Seconds for which a person need not be asked for again."""

Implementations = Callable[[], Sequence[tuple[str, Callable[..., Any]]]]


class OidcAccess:
    """Knows whom the configured identity providers vouch for.

    Args:
        settings: name the providers.
        implementations: of ``ambient_person``.

    Raises:
        SetupError: the providers are not configured as they must be.
    """

    def __init__(self, settings: Settings, implementations: Implementations) -> None:
        self._configured = Configured(settings)
        self._keys = KeySets(settings.oidc_cooldown)
        self._verifier = Verifier(self._configured.now(), self._keys.of)
        self._implementations = implementations

    @hookimpl
    def ambient_authenticate(self, request: Request) -> Principal | None:
        """The principal of a token of one of the providers."""
        issuers = self._configured.now()
        if issuers is not self._verifier.issuers:
            # What was verified by other rules is verified again.
            self._verifier = Verifier(issuers, self._keys.of)
        try:
            verified = self._verifier.verify(token_of(request.environ))
            return self._principal(verified) if verified is not None else None
        except Refused as refused:
            metrics.observe_refused_token(refused.rule)
            log.info("a token is refused", extra={"rule": refused.rule})
            if refused.rule == UNKNOWN_ISSUER:
                # A plugin may trust somebody whom we do not know.
                return None
            raise invalid_token() from None

    def _principal(self, verified: Verified) -> Principal:
        now = time.monotonic()
        if verified.principal is None or now >= verified.confirmed_until:
            verified.principal = self._confirmed(verified)
            verified.confirmed_until = now + CONFIRMED
        return verified.principal

    def _confirmed(self, verified: Verified) -> Principal:
        service = service_of(verified.issuer, verified.person)
        if service is not None:
            return service
        for _, function in self._implementations():
            found = function(person=verified.person)
            if isinstance(found, Principal):
                return found
        return principal_of(verified.person)


def service_of(issuer: Issuer, person: Person) -> Principal | None:
    """The service that a subject stands for; ``None`` for a person.

    Raises:
        Refused: a service account of the cluster that is not configured as any.
    """
    name = issuer.services.get(person.subject)
    if name is None:
        if issuer.expected.kind == "kubernetes":
            raise Refused("unknown_service")
        return None
    if name == CONTROL_PLANE.id:
        return CONTROL_PLANE
    attributes = {"issuer": person.issuer, "subject": person.subject}
    return Principal("service", name, name, attributes, person.groups, person.roles)


def principal_of(person: Person) -> Principal:
    """A person as a principal where no plugin keeps people: issuer and subject together are the id."""
    attributes = {"issuer": person.issuer, "subject": person.subject, "username": person.username}
    identifier = f"{person.issuer}#{person.subject}"
    return Principal("person", identifier, person.name or person.username, attributes, person.groups, person.roles)
