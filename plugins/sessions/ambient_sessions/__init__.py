"""Sessions of AI agents: rows, life cycle, runtimes and AG-UI streams."""

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from flask_smorest import Blueprint

from ambient_core import Kind, Reconciler, hookimpl
from ambient_sessions import hooks as ambient_hookspecs
from ambient_sessions.agui.address import put_endpoint
from ambient_sessions.agui.routes import blueprint as agui_blueprint
from ambient_sessions.explain import explain
from ambient_sessions.importing.actions import hand_over, import_session
from ambient_sessions.importing.messages import import_messages
from ambient_sessions.logs import blueprint as logs_blueprint
from ambient_sessions.messages import messages, push_message
from ambient_sessions.model import Session
from ambient_sessions.reconcile import SessionReconciler
from ambient_sessions.settings import SessionsSettings
from ambient_sessions.store import SessionStore, clone, issue_token, patch_status, start, stop
from ambient_sessions.tokens import ambient_authenticate, ambient_may, ambient_scope

if TYPE_CHECKING:
    import click


@hookimpl
def ambient_kinds() -> Iterator[Kind]:
    """The kind of this plugin."""
    kept = (start, stop, clone, patch_status, issue_token, put_endpoint, messages, push_message, explain)
    actions = (*kept, import_session, import_messages, hand_over)
    yield Kind(Session, store=SessionStore, actions=actions, beside={"run": "write", "logs": "read"})


@hookimpl
def ambient_settings() -> Iterator[type[SessionsSettings]]:
    """What this plugin can be told."""
    yield SessionsSettings


@hookimpl
def ambient_blueprints() -> Iterator[Blueprint]:
    """The AG-UI gateway and the logs, on the API and on an address of their own."""
    yield agui_blueprint()
    yield logs_blueprint()


@hookimpl
def ambient_reconcilers() -> Iterator[Reconciler]:
    """What keeps runners as the rows say."""
    yield SessionReconciler()


@hookimpl
def ambient_commands(cli: "click.Group") -> None:
    """``ambient import``."""
    # Not at the top: the servers have no use for it.
    cli.add_command(import_module("ambient_sessions.importing.command").command)


__all__ = [
    "Session",
    "ambient_authenticate",
    "ambient_blueprints",
    "ambient_commands",
    "ambient_hookspecs",
    "ambient_kinds",
    "ambient_may",
    "ambient_reconcilers",
    "ambient_scope",
    "ambient_settings",
]
