"""What a server says of itself: where to log in (RFC 9728), and who we are to it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from ambient_core.errors import BASE_PATH, SetupError
from ambient_core.identity import RESOURCE_METADATA

_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Offer:
    """A way to log in that the server names.

    Args:
        issuer: the provider.
        client_id: for the command line.
        scopes: to ask for.
        takes: which token the server takes.
    """

    issuer: str
    client_id: str
    scopes: tuple[str, ...]
    takes: str


def offers(server: str) -> list[Offer]:
    """How the command line logs in to a server.

    Raises:
        SetupError: it does not say, or says it of another address.
    """
    found = _asked(server, RESOURCE_METADATA)
    if found is None:
        raise SetupError(f"{server} does not say how to log in; give --issuer and --client-id.")
    said = str(found.get("resource", ""))
    if _origin(said) != _origin(server):
        raise SetupError(
            f"{server} calls itself {said[:200]!r}, so its word on where to log in is not taken (RFC 9728, 3.3). Use that address, "
            "or give --issuer and --client-id; whoever runs it sets public_url (AMBIENT_PUBLIC_URL)."
        )
    return [
        Offer(str(one["issuer"]), str(one["client_id"]), tuple(map(str, one.get("scopes", []))), _kind(one))
        for one in found.get("ambient_logins", [])
    ]


def chosen(server: str, issuer: str = "") -> Offer:
    """The one way, or that of a provider.

    Raises:
        SetupError: there is none, or more than one.
    """
    found = [one for one in offers(server) if issuer in ("", one.issuer)]
    if not found:
        words = f" at {issuer}" if issuer else ""
        raise SetupError(
            f"{server} names no client to log in with{words}; give --issuer and --client-id. Whoever runs it sets "
            "oidc_login_client (AMBIENT_OIDC_LOGIN_CLIENT)."
        )
    if len(found) > 1:
        raise SetupError(f"{server} trusts several; give --issuer with one of: {', '.join(o.issuer for o in found)}.")
    return found[0]


def whoami(server: str, token: str) -> dict[str, Any]:
    """Who a token's holder is to the server.

    Raises:
        SetupError: it does not answer, or does not take the token.
    """
    found = _asked(server, f"{BASE_PATH}/whoami", token)
    if found is None:
        raise SetupError(f"{server} cannot say who you are; it is no Ambient API, or an older one.")
    return found


def _kind(offer: dict[str, Any]) -> str:
    return "id" if offer.get("token") == "id" else "access"


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    try:
        return parts.scheme, parts.hostname or "", parts.port or usual
    except ValueError:
        return "", "", None


def _asked(server: str, path: str, token: str = "") -> dict[str, Any] | None:
    """The document at an address; nothing where there is none."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = httpx.get(server + path, headers=headers, timeout=_TIMEOUT, follow_redirects=False, trust_env=False)
        if answer.status_code == 401:
            raise SetupError(
                f"{server} does not take the token; is it for this server? Its log says which rule refused it."
            )
        body = answer.json() if answer.status_code == 200 else None
    except httpx.HTTPError as fault:
        raise SetupError(f"The API at {server} does not answer ({type(fault).__name__}).") from None
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
