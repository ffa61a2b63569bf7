"""What the import writes: mirrored sessions, their messages, and whose they are. For the control plane alone."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
import orjson

from ambient_core import Answer, Conflict, Fault, Invalid, Store, action
from ambient_core.ids import new_id
from ambient_core.kinds import rules_of
from ambient_core.schemas import load, schemas_of
from ambient_core.schemas.fields import Integer, Items, Object, Shape, Time, broken
from ambient_core.schemas.fields import Text as TextField
from ambient_sessions.lifecycle import ACTIVE, Phase
from ambient_sessions.messages import NewMessage, add_message
from ambient_sessions.model import ConditionSchema, ReconciledRepositorySchema
from ambient_sessions.store import SessionStore

_FIND = "SELECT sessions.id FROM sessions WHERE imported_from = %(origin)s"
_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended(%(origin)s, 0))"
_OF_PROJECT = "SELECT sessions.id FROM sessions WHERE project_id = %(project)s AND imported_from IS NOT NULL AND mirrored = %(mirrored)s"
_HAS_MESSAGES = "SELECT 1 FROM session_messages WHERE session_id = %(id)s LIMIT 1"
_SHOWN = 5
_IDENTITY = ("kube_namespace", "kube_cr_name", "kube_cr_uid")


def _check_part(value: str) -> None:
    if not value or "/" in value or len(value) > 253:
        raise broken("format", "must be a name of Kubernetes.")


def _check_phase(value: str) -> None:
    if value not in set(Phase):
        raise broken("enum", f"must be one of {', '.join(Phase)}.")


def _check_owner(value: str) -> None:
    if value not in ("ambient", "legacy"):
        raise broken("enum", "must be ambient or legacy.")


class _Loaded(ma.Schema):
    class Meta:
        """Faults of unknown names are named by the loader."""

        unknown = ma.EXCLUDE


class SessionOrigin(_Loaded):
    """The AgenticSession that a session is read from."""

    namespace = TextField(required=True, validate=_check_part, metadata={"example": "website"})
    name = TextField(required=True, validate=_check_part, metadata={"example": "session-1720000000"})
    uid = TextField(required=True, validate=_check_part, metadata={"example": "0f8b6f0e-9a55-4d1f-8f3e-3c9d7a1b2c4d"})


class SessionState(_Loaded):
    """Where a session stands on the legacy platform."""

    created_by = TextField(metadata={"example": "ada"})
    phase = TextField(validate=_check_phase, metadata={"enum": [phase.value for phase in Phase]})
    conditions = Items(Shape(ConditionSchema))
    reconciled_repos = Items(Shape(ReconciledRepositorySchema))
    start_time = Time()
    completion_time = Time()


class SessionImport(_Loaded):
    """A session of the legacy platform, as it is there now."""

    origin = Shape(SessionOrigin, required=True)
    session = Object(
        required=True,
        metadata={
            "description": "What it shall do: a body for making a session.",
            "example": {"project_id": "website", "name": "Tidy the readme", "prompt": "Look around and report."},
        },
    )
    state = Shape(SessionState, required=True)


class HandOver(_Loaded):
    """Whose the imported sessions of a project shall be."""

    project_id = TextField(required=True, metadata={"example": "website"})
    owner = TextField(
        required=True, validate=_check_owner, metadata={"enum": ["ambient", "legacy"], "example": "ambient"}
    )


class HandedOver(ma.Schema):
    """How many sessions changed hands."""

    project_id = TextField(required=True)
    owner = TextField(required=True)
    sessions = Integer(required=True)


@action(on="collection", path="import", body=SessionImport, fenced=True, operation_id="importSession")
def import_session(store: Store, values: dict[str, Any]) -> Answer:
    """Mirror a session of the legacy platform; for the control plane alone.

    The first time it is made, from then on it is brought to what it is there. Repeating it without news changes nothing.
    """
    origin = values["origin"]
    key = f"{origin['namespace']}/{origin['name']}/{origin['uid']}"
    written = _values(store, values["session"]) | _state(values["state"], origin)
    store.transaction.begin()
    store.transaction.raw(_ALONE, {"origin": key})
    found = store.transaction.raw(_FIND + store.scope.text, {**store.scope.parameters, "origin": key}).fetchone()
    now = store.transaction.now()
    if found is None:
        assert isinstance(store, SessionStore)
        made = store.take_in({**written, "imported_from": key, "mirrored": True, "phase_changed_at": now})
        return Answer(made.body, version=made.version)
    row = store.row(found[0], lock=True)
    if not row["mirrored"]:
        raise Conflict(
            f"The session {row['id']} was handed over; the legacy platform's news of it are not taken any more."
        )
    if row["phase"] != written["phase"]:
        written["phase_changed_at"] = now
    written.pop("project_id")
    return store.write(row["id"], written)


def _values(store: Store, body: Mapping[str, Any]) -> dict[str, Any]:
    """Every field that a caller may give: as given, or as it is when nothing is said.

    Raises:
        Invalid: naming every fault, below ``/session``.
    """
    access = {column.name: rules_of(column).access for column in store.kind.table.columns}
    try:
        given = load(schemas_of(store.kind).create, body, access)
    except Invalid as fault:
        raise Invalid.of([Fault(f"/session{f.field}", f.rule, f.reason) for f in fault.faults]) from None
    whole = {column.name: rules_of(column).default for column in store.kind.writable} | given
    store.check(dict(whole), None)
    return whole


def _state(state: Mapping[str, Any], origin: Mapping[str, str]) -> dict[str, Any]:
    names = ("phase", "conditions", "reconciled_repos", "start_time", "completion_time")
    return {
        **{name: state.get(name) for name in names},
        "created_by": state.get("created_by") or "legacy",
        "kube_namespace": origin["namespace"],
        "kube_cr_name": origin["name"] if len(origin["name"]) <= 63 else None,
        "kube_cr_uid": origin["uid"],
    }


@action(
    on="collection", path="handover", body=HandOver, answer=HandedOver, fenced=True, operation_id="handOverSessions"
)
def hand_over(store: Store, values: dict[str, Any]) -> Answer:
    """Hand the imported sessions of a project over to us, or back; for the control plane alone.

    All of them or none: nothing changes hands while one of them runs.
    """
    ours = values["owner"] == "ambient"
    store.transaction.begin()
    asked = {**store.scope.parameters, "project": values["project_id"], "mirrored": ours}
    found = store.transaction.raw(f"{_OF_PROJECT}{store.scope.text} ORDER BY id", asked).fetchall()
    rows = [store.row(identifier, lock=True) for (identifier,) in found]
    if busy := [row for row in rows if row["phase"] in ACTIVE]:
        shown = ", ".join(f"{row['name']} ({row['id']}, {row['phase']})" for row in busy[:_SHOWN])
        more = f" and {len(busy) - _SHOWN} more" if len(busy) > _SHOWN else ""
        raise Conflict(f"Nothing was handed over: these sessions run, stop them first: {shown}{more}.")
    for row in rows:
        store.write(row["id"], _taken(store, row) if ours else {"mirrored": True, "pending_message_id": None})
    return Answer(orjson.dumps({**values, "sessions": len(rows)}))


def _taken(store: Store, row: Mapping[str, Any]) -> dict[str, Any]:
    """What a session is as ours: its custom resource was the legacy platform's, and its prompt waits if it never ran."""
    taken = {"mirrored": False, **dict.fromkeys(_IDENTITY)}
    heard = store.transaction.raw(_HAS_MESSAGES, {"id": row["id"]}).fetchone()
    if row["prompt"] and row["start_time"] is None and heard is None:
        message = NewMessage(new_id(), row["id"], "user", row["prompt"])
        add_message(store, message)
        taken["pending_message_id"] = message.id
    return taken
