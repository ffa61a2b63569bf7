"""The production profile's own way in: the control plane, by a token file; everybody else comes by an identity provider."""

from flask import Request

from ambient_core.config import Settings
from ambient_core.errors import SetupError
from ambient_core.hooks import hookimpl
from ambient_core.identity import CONTROL_PLANE, Principal, TokenFiles, token_of
from ambient_core.identity.issuers import issuers_of
from ambient_core.kinds import Kind
from ambient_core.plugins import Plugins, disabled

MINIMUM_TOKEN = 32


class ControlPlaneAccess:
    """Knows the control plane by a token file, unless an issuer knows it: then the file is only what it shows.

    Args:
        settings: names the file.

    Raises:
        SetupError: the file is missing, readable by others, or its token could be guessed.
    """

    def __init__(self, settings: Settings) -> None:
        known = any(CONTROL_PLANE.id in issuer.services.values() for issuer in issuers_of(settings))
        file = None if known else settings.control_plane_token_file
        self._tokens = TokenFiles({CONTROL_PLANE: file}, shortest=MINIMUM_TOKEN)

    @hookimpl
    def ambient_authenticate(self, request: Request) -> Principal | None:
        """The control plane, if it is its token."""
        return self._tokens.authenticate(token_of(request.environ))

    @hookimpl
    def ambient_may(self, principal: Principal, verb: str, kind: Kind) -> bool | None:
        """The control plane may everything that no plugin refuses; one that keeps roles refuses what its role does not allow."""
        return True if principal == CONTROL_PLANE else None


def check_authorization(settings: Settings, plugins: Plugins) -> None:
    """Refuse to go on in production where nothing decides who may do what.

    Raises:
        SetupError: the plugin that is to do it does not serve; says why.
    """
    name = settings.authorization
    if settings.profile != "production" or name in plugins.modules:
        return
    if not name:
        raise SetupError(
            "authorization is not set, and the production profile does not start without it: nothing would decide who may do "
            "what. Name the plugin that does, such as 'access'."
        )
    reason = next((entry.reason for entry in plugins.set_aside if entry.name == name), "")
    why = reason or ("plugins_disabled names it." if name in disabled(settings) else "it is not installed.")
    raise SetupError(
        f"authorization names the plugin {name!r}, which does not serve, so nothing decides who may do what: {why}"
    )
