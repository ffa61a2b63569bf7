"""Credentials: secrets by which sessions reach other systems, kept sealed and told to sessions alone."""

from collections.abc import Iterator

from ambient_core import Kind, hookimpl
from ambient_credentials.model import Credential
from ambient_credentials.sessions import ambient_may, ambient_scope
from ambient_credentials.tokens import fetch_token


@hookimpl
def ambient_kinds() -> Iterator[Kind]:
    """The kind of this plugin."""
    yield Kind(Credential, actions=(fetch_token,))


__all__ = ["Credential", "ambient_kinds", "ambient_may", "ambient_scope"]
