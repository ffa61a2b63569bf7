"""An identity provider as a client meets it: its discovery document, and its tokens (Authlib over httpx2)."""

import base64
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2
import orjson
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client

from ambient_core.cli.login.wallet import Client, Credential
from ambient_core.errors import SetupError
from ambient_core.identity.issuers import is_safe_url

TIMEOUT = 10.0
EARLY = 60.0
"""Seconds before its end at which a token is renewed; for a short-lived one a quarter of its life."""

_DISCOVERY = "/.well-known/openid-configuration"


class NoAnswer(SetupError):
    """The provider could not be reached, or is broken; what was known before still holds."""


class Denied(SetupError):
    """The provider says no.

    Args:
        code: of OAuth, such as ``access_denied``.
        description: in the provider's words, if it has any.
    """

    def __init__(self, code: str, description: str = "") -> None:
        words = f"{code}: {description}" if description else code
        super().__init__(f"The identity provider refuses ({printable(words)[:300]}).")
        self.code = code


class Provider:
    """A provider whose addresses are known.

    Args:
        client: who we are there.
        document: of its discovery.
        session: over which it is asked.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        client: Client,
        document: Mapping[str, Any],
        session: OAuth2Client,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.client = client
        self.session = session
        self._document = document
        self._clock = clock

    @property
    def scope(self) -> str:
        """What is asked for, without what the provider does not have."""
        offered = self._document.get("scopes_supported")
        missing = {"offline_access"} - set(offered) if isinstance(offered, list) else set()
        return " ".join(scope for scope in self.client.scopes if scope not in missing)

    def address(self, name: str, what: str) -> str:
        """One of its addresses.

        Raises:
            SetupError: it has none of this name, or none that is safe.
        """
        url = self._document.get(f"{name}_endpoint")
        if not isinstance(url, str):
            raise SetupError(f"{self.client.issuer} offers no {what} (its discovery names no {name}_endpoint).")
        if not is_safe_url(url.partition("?")[0]):
            raise SetupError(f"{self.client.issuer} names {url!r} as {name}_endpoint, which is not safe to use.")
        return url

    def fetch(self, grant: str, **parameters: Any) -> Credential:
        """A token by a grant.

        Raises:
            SetupError: the provider does not answer, refuses, or gives no such token.
        """
        url = self.address("token", "tokens")
        with answering(self.client.issuer):
            given = self.session.fetch_token(url, grant_type=grant, **parameters)
        return self._credential(given)

    def renew(self, credential: Credential) -> Credential:
        """The next token of a login.

        Raises:
            Denied: the login is over.
            NoAnswer: the provider does not answer.
        """
        if credential.client_secret:
            return self.fetch("client_credentials", **self.scoped())
        url = self.address("token", "tokens")
        with answering(self.client.issuer):
            given = self.session.refresh_token(url, refresh_token=credential.refresh_token)
        return self._credential(given, credential.refresh_token)

    def scoped(self) -> dict[str, str]:
        """The parameter ``scope``, where there is anything to say."""
        return {"scope": self.scope} if self.scope else {}

    def revoke(self, credential: Credential) -> bool:
        """Have the provider forget a login; whether it can.

        Raises:
            SetupError: it does not answer, or refuses.
        """
        if "revocation_endpoint" not in self._document:
            return False
        url = self.address("revocation", "revocation")
        tokens = {"refresh_token": credential.refresh_token, "access_token": credential.token}
        with answering(self.client.issuer):
            for hint, token in tokens.items():
                if token and (hint == "refresh_token" or self.client.takes == "access"):
                    answer = self.session.revoke_token(url, token=token, token_type_hint=hint)  # type: ignore[no-untyped-call]
                    # It may have none but refresh tokens to take back (RFC 7009, section 2.2.1).
                    if answer.status_code >= 400 and hint == "refresh_token":
                        raise Denied(f"status {answer.status_code}")
        return True

    def _credential(self, given: Mapping[str, Any], refresh_token: str = "") -> Credential:
        token = given.get("id_token" if self.client.takes == "id" else "access_token")
        if not isinstance(token, str) or not token:
            raise SetupError(f"{self.client.issuer} gave no {self.client.takes} token; is 'openid' among the scopes?")
        now = self._clock()
        lasts = given.get("expires_in") if self.client.takes == "access" else None
        end = now + float(lasts) if isinstance(lasts, (int, float)) else expiry_of(token)
        renew_at = end - min(EARLY, max(end - now, 0) / 4) if end is not None else None
        kept = given.get("refresh_token") or refresh_token
        return Credential(token, end, renew_at, str(kept), self.client.secret)


@contextmanager
def provider_of(client: Client) -> Iterator[Provider]:
    """The provider of a client, by its discovery document; redirects are not followed.

    Raises:
        SetupError: it does not answer, or as another.
    """
    if not is_safe_url(client.issuer):
        raise SetupError(f"issuer is {client.issuer!r}; it must be an https:// address (http:// only on this machine).")
    session = OAuth2Client(
        client_id=client.client_id,
        client_secret=client.secret or None,
        code_challenge_method="S256",
        timeout=TIMEOUT,
        follow_redirects=False,
    )
    with session:
        with answering(client.issuer):
            answer = session.request("GET", client.issuer.rstrip("/") + _DISCOVERY, withhold_token=True)
            document = answer.json() if answer.status_code == 200 else None
        if not isinstance(document, dict):
            raise NoAnswer(f"{client.issuer} has no discovery document (it answered {answer.status_code}).")
        if document.get("issuer") != client.issuer:
            raise SetupError(f"{client.issuer} says that it is {document.get('issuer')!r}; give the address it says.")
        yield Provider(client, document, session)


@contextmanager
def answering(issuer: str) -> Iterator[None]:
    """Turn what can go wrong while a provider is asked into our words, which hold no secret.

    Raises:
        Denied: it says no.
        NoAnswer: it says nothing that can be used.
    """
    try:
        yield
    except OAuthError as fault:
        raise Denied(str(fault.error), str(fault.description or "")) from None
    except httpx2.HTTPStatusError as fault:
        raise NoAnswer(f"The identity provider {issuer} answered {fault.response.status_code}.") from None
    except (httpx2.HTTPError, ValueError) as fault:
        raise NoAnswer(f"The identity provider {issuer} does not answer ({type(fault).__name__}).") from None


def printable(text: str) -> str:
    """A stranger's words without what a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in text)


def expiry_of(token: str) -> float | None:
    """When a signed token says it ends. It is only planned by, and never believed: that is for the server."""
    try:
        payload = token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"])
    except (ValueError, KeyError, IndexError, TypeError):
        return None
