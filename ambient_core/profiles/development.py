"""The development profile's way in: two principals, each with one token in a file, who may do everything.

It is a plugin like any other, so that the profile with real identity replaces it without a change in the core.
"""

from flask import Request

from ambient_core.config import Settings
from ambient_core.hooks import hookimpl
from ambient_core.identity import CONTROL_PLANE, DEVELOPER, Principal, TokenFiles, token_of
from ambient_core.kinds import Kind


class DevelopmentAccess:
    """Knows the developer and the control plane by their token files.

    Args:
        settings: names the two files.

    Raises:
        SetupError: a file is missing, empty or readable by others.
    """

    def __init__(self, settings: Settings) -> None:
        self._tokens = TokenFiles(
            {DEVELOPER: settings.developer_token_file, CONTROL_PLANE: settings.control_plane_token_file}
        )

    @hookimpl
    def ambient_authenticate(self, request: Request) -> Principal | None:
        """The principal of the bearer token, if it is one of the two."""
        return self._tokens.authenticate(token_of(request.environ))

    @hookimpl
    def ambient_may(self, principal: Principal, verb: str, kind: Kind) -> bool | None:
        """Both may everything that no plugin refuses."""
        return True if principal in (DEVELOPER, CONTROL_PLANE) else None
