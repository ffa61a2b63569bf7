"""Access: roles, who has them where, and the accounts and tokens of machines."""

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from flask_smorest import Blueprint

from ambient_access.model import Role, RoleBinding, ServiceAccount, Token
from ambient_access.owners import ambient_before_write
from ambient_access.review import blueprint
from ambient_access.rules import ambient_may, ambient_scope
from ambient_access.settings import AccessSettings
from ambient_access.standing import ambient_admit
from ambient_access.stores import RoleBindingStore, RoleStore, ServiceAccountStore, permissions
from ambient_access.tokens import ambient_authenticate, issue
from ambient_access.tokenstore import TokenStore
from ambient_core import Kind, hookimpl

if TYPE_CHECKING:
    import click


@hookimpl
def ambient_kinds() -> Iterator[Kind]:
    """The kinds of this plugin."""
    yield Kind(Role, store=RoleStore, actions=(permissions,))
    yield Kind(RoleBinding, store=RoleBindingStore)
    yield Kind(ServiceAccount, store=ServiceAccountStore)
    yield Kind(Token, store=TokenStore, actions=(issue,))


@hookimpl
def ambient_blueprints() -> Iterator[Blueprint]:
    """Who may do what, and why."""
    yield blueprint()


@hookimpl
def ambient_commands(cli: "click.Group") -> None:
    """``ambient access`` and ``ambient admin``."""
    # Not at the top: the servers have no use for them.
    commands = import_module("ambient_access.commands")
    cli.add_command(commands.access)
    cli.add_command(commands.admin)


@hookimpl
def ambient_settings() -> Iterator[type[AccessSettings]]:
    """What this plugin can be told."""
    yield AccessSettings


__all__ = [
    "Role",
    "RoleBinding",
    "ServiceAccount",
    "Token",
    "ambient_admit",
    "ambient_authenticate",
    "ambient_before_write",
    "ambient_blueprints",
    "ambient_commands",
    "ambient_kinds",
    "ambient_may",
    "ambient_scope",
    "ambient_settings",
]
