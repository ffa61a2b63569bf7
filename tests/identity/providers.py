"""What a real provider of the tests is: one suite runs against each."""

from typing import Any, Protocol

import pytest

NODE = pytest.mark.xdist_group("provider")
KEYCLOAK = (
    pytest.mark.keycloak,
    pytest.mark.xdist_group("keycloak"),
    # The first test waits until it is fetched and prepared, where that was never done.
    pytest.mark.timeout(600),
)
"""Tests of each run in a process of their own, so that both providers are asked at the same time."""


class Provider(Protocol):
    """A provider with the people ada (of ops and dev) and ben (of dev), the public client ``cli`` and the machine ``robot``."""

    @property
    def issuer(self) -> str:
        """As its tokens say it."""
        ...

    def person(self, login: str) -> dict[str, Any]:
        """The tokens of a person who signs in (authorization code with PKCE)."""
        ...

    def machine(self) -> str:
        """The access token of the machine (client credentials)."""
        ...

    def rotate(self) -> None:
        """Sign with a new key from now on."""
        ...

    def down(self) -> None:
        """Answer nobody."""
        ...

    def up(self) -> None:
        """Answer again."""
        ...
