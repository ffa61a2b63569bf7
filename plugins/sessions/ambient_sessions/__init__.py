"""Sessions of AI agents: rows, life cycle, runtimes and AG-UI streams."""

from collections.abc import Iterator

from ambient_core import Kind, hookimpl
from ambient_sessions import hooks as ambient_hookspecs
from ambient_sessions.messages import messages, push_message
from ambient_sessions.model import Session
from ambient_sessions.store import SessionStore, clone, issue_token, patch_status, start, stop
from ambient_sessions.tokens import ambient_authenticate, ambient_may, ambient_scope


@hookimpl
def ambient_kinds() -> Iterator[Kind]:
    """The kind of this plugin."""
    actions = (start, stop, clone, patch_status, issue_token, messages, push_message)
    yield Kind(Session, store=SessionStore, actions=actions)


__all__ = ["Session", "ambient_authenticate", "ambient_hookspecs", "ambient_kinds", "ambient_may", "ambient_scope"]
