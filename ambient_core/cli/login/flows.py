"""The ways to a first token: a browser on this machine, one on another device, and a machine's own secret."""

import time
from collections.abc import Callable
from typing import Any

from authlib.common.security import generate_token
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from ambient_core.cli.login.loopback import listening
from ambient_core.cli.login.provider import Denied, NoAnswer, Provider, answering, printable
from ambient_core.cli.login.wallet import Credential
from ambient_core.errors import SetupError

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
PATIENCE = 300.0
_PAUSE = 5.0
_SLOWER = 5.0


def by_browser(
    provider: Provider, show: Callable[[str], None], *, port: int = 0, patience: float = PATIENCE
) -> Credential:
    """Authorization code with PKCE, on a redirect to this machine (RFC 8252).

    Args:
        provider: where to log in.
        show: takes the address that a browser has to open.
        port: of the redirect; any free one for 0.
        patience: seconds to wait for the person.

    Raises:
        SetupError: the person or the provider refuses, or nobody comes.
    """
    verifier = generate_token(64)
    with listening(port) as loopback:
        url, _ = provider.session.create_authorization_url(
            provider.address("authorization", "login by a browser"),
            state=loopback.state,
            code_verifier=verifier,
            redirect_uri=loopback.address,
            **provider.scoped(),
            **_consent(provider),
        )
        show(url)
        code = loopback.code(provider.client.issuer, patience)
    return provider.fetch("authorization_code", code=code, redirect_uri=loopback.address, code_verifier=verifier)


def _consent(provider: Provider) -> dict[str, str]:
    """A login that lasts must be agreed to (OpenID Connect Core, section 11)."""
    return {"prompt": "consent"} if "offline_access" in provider.scope.split() else {}


def by_device(
    provider: Provider, show: Callable[[str, str], None], *, sleep: Callable[[float], None] = time.sleep
) -> Credential:
    """Device code (RFC 8628): the person opens an address anywhere, and types a code.

    Args:
        provider: where to log in.
        show: takes the address and the code.
        sleep: waits so many seconds.

    Raises:
        SetupError: the person or the provider refuses, or nobody comes in time.
    """
    url = provider.address("device_authorization", "login by a device code")
    verifier = generate_token(64)
    # Keycloak and Dex want PKCE here too where the client has it; who knows it not passes over it (RFC 6749, section 3.1).
    challenge = create_s256_code_challenge(verifier)  # type: ignore[no-untyped-call]
    body = {**provider.scoped(), "code_challenge": challenge, "code_challenge_method": "S256"}
    auth: Any = provider.session.client_auth(provider.session.token_endpoint_auth_method)
    with answering(provider.client.issuer):
        answer = provider.session.request("POST", url, data=body, auth=auth, withhold_token=True)
        given: dict[str, Any] = answer.json()
    if answer.status_code != 200:
        raise Denied(str(given.get("error", answer.status_code)), str(given.get("error_description", "")))
    where = given.get("verification_uri_complete") or given.get("verification_uri")
    if not where or not given.get("device_code") or not given.get("user_code"):
        raise SetupError(f"{provider.client.issuer} gave no device code.")
    show(printable(str(where)), printable(str(given["user_code"])))
    return _polled(provider, {"device_code": given["device_code"], "code_verifier": verifier}, given, sleep)


def _polled(
    provider: Provider, proof: dict[str, str], given: dict[str, Any], sleep: Callable[[float], None]
) -> Credential:
    pause = float(given.get("interval", _PAUSE))
    end = time.monotonic() + float(given.get("expires_in", PATIENCE))
    while time.monotonic() < end:
        sleep(pause)
        try:
            return provider.fetch(DEVICE, **proof)
        except NoAnswer:
            # The person may be half-way through; the provider will be back.
            pause += _SLOWER
        except Denied as fault:
            if fault.code == "slow_down":
                pause += _SLOWER
            elif fault.code != "authorization_pending":
                raise
    raise SetupError("Nobody logged in before the code ended; try again.")


def by_secret(provider: Provider) -> Credential:
    """Client credentials: a machine logs in as itself.

    Raises:
        SetupError: the provider refuses.
    """
    return provider.fetch("client_credentials", **provider.scoped())
