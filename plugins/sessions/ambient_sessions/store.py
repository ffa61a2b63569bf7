"""Keeps sessions: the first message is part of the creation, and the life cycle is part of every action."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from ambient_core import Answer, Conflict, Fault, Invalid, Store, action
from ambient_core.access.leadership import PARAMETER, check_fence
from ambient_core.http.preconditions import Precondition
from ambient_core.ids import new_id
from ambient_core.schemas.fields import Integer, Items, Shape, Time, broken
from ambient_core.schemas.fields import Text as TextField
from ambient_core.schemas.validators import Length, Range
from ambient_sessions import tokens
from ambient_sessions.checks import address_faults, runner_faults
from ambient_sessions.lifecycle import (
    ENDED,
    RUNNING_OR_ENDED,
    TERMINAL,
    Phase,
    check_runners,
    reported,
    started,
    stopped,
)
from ambient_sessions.messages import NewMessage, add_message
from ambient_sessions.model import ConditionSchema, ReconciledRepositorySchema
from ambient_sessions.ownership import check_owned
from ambient_sessions.room import check_room
from ambient_sessions.settings import sessions_settings

_CLONED = (
    "project_id",
    "agent_id",
    "prompt",
    "repo_url",
    "repos",
    "llm_model",
    "llm_temperature",
    "llm_max_tokens",
    "timeout",
    "inactivity_timeout",
    "stop_on_run_finished",
    "environment_variables",
    "resource_overrides",
    "labels",
    "annotations",
    "skills",
)


class SessionStore(Store):
    """The five verbs of sessions."""

    def check(self, values: dict[str, Any], current: Mapping[str, Any] | None) -> None:
        """Say who made it, and take local repositories only where the settings do."""
        if current is not None:
            check_owned(current)
        else:
            # Given by code alone: of a session that was made elsewhere.
            values["created_by"] = values.get("created_by") or self.principal.id
        faults = address_faults(values, local=sessions_settings().allow_local_repositories)
        if not values.get("mirrored"):
            # Of what the legacy platform took, a runtime leaves out what it cannot use.
            faults += runner_faults(values)
        if current is not None and values.get("parent_session_id") == current["id"]:
            faults.append(Fault("/parent_session_id", "self", "is the session itself; name another one, or none."))
        if faults:
            raise Invalid.of(faults)

    def create(self, values: Mapping[str, Any]) -> Answer:
        """Make a session; its prompt is its first message, in the same transaction."""
        prompt = values.get("prompt")
        if not prompt:
            return super().create(values)
        self.transaction.begin()
        message = new_id()
        answer = super().create({**values, "pending_message_id": message})
        session = answer.headers["Location"].rsplit("/", 1)[1]
        add_message(self, NewMessage(message, session, "user", prompt))
        return answer

    def take_in(self, values: Mapping[str, Any]) -> Answer:
        """Make a session that has lived elsewhere: its prompt was answered there, and is no message here."""
        return super().create(values)

    def delete(self, identifier: str, condition: Precondition | None = None) -> None:
        """Delete a session that is ours."""
        check_owned(self.require(identifier, condition))
        super().delete(identifier, condition)


@action(until=RUNNING_OR_ENDED, explicit=True)
def start(store: Store, identifier: str) -> Answer:
    """Start a session that is not running.

    It becomes Pending; the control plane does the rest.
    """
    row = store.row(identifier, lock=True)
    check_owned(row)
    written = started(row, store.transaction.now())
    check_room(store, row)
    return store.write(identifier, written)


@action(until=ENDED, explicit=True)
def stop(store: Store, identifier: str) -> Answer:
    """Stop a session that is pending, creating or running."""
    row = store.row(identifier, lock=True)
    check_owned(row)
    return store.write(identifier, stopped(row, store.transaction.now(), store.principal.name))


@action(status=201, fenced=True)
def clone(store: Store, identifier: str) -> Answer:
    """Make a new session with the same task and settings, as a child of this one."""
    row = store.row(identifier)
    values = {name: row[name] for name in _CLONED if row[name] is not None}
    name = f"{row['name'][:249]}-clone"
    return store.surroundings.open("Session", "create").create({**values, "name": name, "parent_session_id": row["id"]})


def _check_phase(value: str) -> None:
    if value not in set(Phase):
        raise broken("enum", f"must be one of {', '.join(Phase)}.")


class SessionStatusPatch(ma.Schema):
    """What the control plane saw, or the session's runner says of itself."""

    class Meta:
        """Faults of unknown names are named by the loader."""

        unknown = ma.EXCLUDE

    starts = Integer(
        required=True, metadata={"description": "Which start this is about; news of an earlier one are refused."}
    )
    if_version = Integer(
        metadata={"description": "Version of the session that this was decided on; refused when it is another by now."}
    )
    phase = TextField(validate=_check_phase, metadata={"enum": [phase.value for phase in Phase]})
    conditions = Items(Shape(ConditionSchema))
    reconciled_repos = Items(Shape(ReconciledRepositorySchema))
    start_time = Time()
    completion_time = Time()
    observed_version = Integer()
    kube_cr_name = TextField()
    kube_cr_uid = TextField()
    kube_namespace = TextField()
    sdk_session_id = TextField(validate=Length(0, 255))
    sdk_restart_count = Integer(validate=Range(0, 2**31 - 1))


@action(
    method="PATCH",
    path="status",
    body=SessionStatusPatch,
    parameters=[PARAMETER],
    fenced=True,
    operation_id="patchSessionStatus",
)
def patch_status(store: Store, identifier: str, values: dict[str, Any]) -> Answer:
    """Write what was seen of a session.

    It is for the control plane; the session's own runner writes ``sdk_session_id``, ``sdk_restart_count`` and
    ``reconciled_repos``.
    """
    check_fence(store.transaction)
    if store.principal.kind == "session":
        check_runners(values)
    row = store.row(identifier, lock=True)
    check_owned(row)
    written = reported(row, values, store.transaction.now())
    if written.get("phase") in TERMINAL and row["phase"] not in TERMINAL:
        tokens.revoke(identifier, store.transaction)
    return store.write(identifier, written)


class SessionToken(ma.Schema):
    """The token of a session; shown once."""

    token = TextField(required=True)


@action(
    path="token",
    status=201,
    answer=SessionToken,
    parameters=[PARAMETER],
    fenced=True,
    secret=True,
    operation_id="issueSessionToken",
)
def issue_token(store: Store, identifier: str) -> Answer:
    """Make a token of this start of a session; for the control plane alone. It is dead when the start has ended."""
    check_fence(store.transaction)
    row = store.row(identifier, lock=True)
    check_owned(row)
    if row["phase"] is None or row["phase"] in TERMINAL:
        raise Conflict("A session that does not run has no token; start it first.")
    token = tokens.issue(row["id"], store.transaction)
    return Answer(b'{"token":"' + token.encode() + b'"}', 201)
