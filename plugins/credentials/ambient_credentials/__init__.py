"""Credentials: secrets by which sessions reach other systems, kept sealed and told to sessions alone."""

from collections.abc import Iterator

from flask_smorest import Blueprint

from ambient_core import Kind, hookimpl
from ambient_credentials.model import Credential
from ambient_credentials.sessions import ambient_may, ambient_scope
from ambient_credentials.tokens import blueprint, fetch_token
from ambient_credentials.variables import ambient_session_variables


@hookimpl
def ambient_kinds() -> Iterator[Kind]:
    """The kind of this plugin."""
    yield Kind(Credential, actions=(fetch_token,))


@hookimpl
def ambient_blueprints() -> Iterator[Blueprint]:
    """Where runners of the predecessor fetch a token."""
    yield blueprint()


__all__ = [
    "Credential",
    "ambient_blueprints",
    "ambient_kinds",
    "ambient_may",
    "ambient_scope",
    "ambient_session_variables",
]
