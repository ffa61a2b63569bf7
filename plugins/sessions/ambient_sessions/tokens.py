"""The identity of a running session: one random token a start, stored as a hash, dead when the session ends."""

import secrets
from typing import Any

from flask import Request
from sqlalchemy import Column, ColumnElement, DateTime, ForeignKey, LargeBinary, String, Table, text

from ambient_core import Kind, Principal, Resource, current, hookimpl
from ambient_core.identity import CONTROL_PLANE, digest, token_of

PREFIX = "ambs_"

session_tokens = Table(
    "session_tokens",
    Resource.metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("session_id", String(63), ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("issued_at", DateTime(timezone=True), server_default=text("now()"), nullable=False),
)

_FIND = (
    "SELECT sessions.id, sessions.name, sessions.project_id, sessions.agent_id FROM session_tokens "
    "JOIN sessions ON sessions.id = session_tokens.session_id WHERE session_tokens.digest = %(digest)s "
    "AND sessions.phase IN ('Pending', 'Creating', 'Running', 'Stopping')"
)
_KEEP = "INSERT INTO session_tokens (session_id, digest) VALUES (%(id)s, %(digest)s)"
_OWN = {
    *(("Session", verb) for verb in ("get", "messages", "push_message", "patch_status")),
    *(("Skill", verb) for verb in ("list", "get")),
    *(("Credential", verb) for verb in ("list", "get", "fetch_token")),
}
_CONTROL_PLANE_ONLY = {
    "patch_status",
    "issue_token",
    "put_endpoint",
    "import_session",
    "import_messages",
    "hand_over",
}


def issue(session_id: str, transaction: Any) -> str:
    """Make a token of a session, alive beside earlier ones of the same start until the session ends."""
    token = PREFIX + secrets.token_urlsafe(32)
    transaction.raw(_KEEP, {"id": session_id, "digest": digest(token)})
    return token


def revoke(session_id: str, transaction: Any) -> None:
    """Forget the tokens of a session."""
    transaction.raw("DELETE FROM session_tokens WHERE session_id = %(id)s", {"id": session_id})


@hookimpl
def ambient_authenticate(request: Request) -> Principal | None:
    """The session whose token this is, while it is alive."""
    token = token_of(request.environ)
    if not token.startswith(PREFIX):
        return None
    found = current().transaction.as_system(_FIND, {"digest": digest(token)}).fetchone()
    if found is None:
        return None
    identifier, name, project, agent = found
    own = {"session_id": identifier, "project_id": project, **({} if agent is None else {"agent_id": agent})}
    return Principal("session", identifier, name, own)


@hookimpl
def ambient_may(principal: Principal, verb: str, kind: Kind) -> bool | None:
    """A session may read itself, its project's skills and its credentials, write its messages, and of its status what its runner says.

    All else of a status, and a session's token, is for the control plane alone.
    """
    if principal.kind == "session":
        return (kind.name, verb) in _OWN
    if kind.name == "Session" and verb in _CONTROL_PLANE_ONLY:
        return principal == CONTROL_PLANE
    return None


@hookimpl
def ambient_scope(principal: Principal, kind: Kind) -> "ColumnElement[bool] | None":
    """A session sees itself, and what lives in its project; of what lives in none, what its own plugin says."""
    if principal.kind != "session":
        return None
    columns = kind.table.c
    if kind.name == "Session":
        return columns.id == principal.attributes["session_id"]
    if "project_id" not in columns:
        return None
    return columns.project_id == principal.attributes["project_id"]
