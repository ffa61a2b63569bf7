"""What the control plane knows of each object: what it saw, what it waits for, and when it looks again.

Kept beside the objects, so that writing it counts no version and wakes nobody. Any copy of the API can read it.
"""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
import orjson
from flask import Response, request
from sqlalchemy import BigInteger, Column, DateTime, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from ambient_core.access.leadership import PARAMETER, check_fence
from ambient_core.database.transaction import Transaction
from ambient_core.errors import Forbidden
from ambient_core.http.body import JSON, json_body
from ambient_core.identity import CONTROL_PLANE
from ambient_core.kinds import Resource
from ambient_core.openapi import documents
from ambient_core.rest import check_parameters
from ambient_core.rest.operation import current
from ambient_core.schemas import load
from ambient_core.schemas.fields import Integer, Items, Number, Object, Shape
from ambient_core.schemas.fields import Text as TextField

PATH = "/v1/controlplane/states"

reconcile_states = Table(
    "reconcile_states",
    Resource.metadata,
    Column("kind", Text, primary_key=True),
    Column("object_id", Text, primary_key=True),
    Column("waiting_for", Text),
    Column("since", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("attempts", BigInteger, nullable=False, server_default=text("0")),
    Column("last_error", Text),
    Column("next_at", DateTime(timezone=True)),
    Column("seen", JSONB),
    Column("at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
)
_KEEP = (
    "INSERT INTO reconcile_states (kind, object_id, waiting_for, attempts, last_error, next_at, seen) "
    "SELECT kind, id, waiting_for, coalesce(attempts, 0), last_error, now() + next_in * interval '1 second', seen "
    "FROM json_to_recordset(%(states)s::json) AS given (kind text, id text, waiting_for text, attempts bigint, "
    "last_error text, next_in double precision, seen jsonb) ON CONFLICT (kind, object_id) DO UPDATE SET "
    "since = CASE WHEN reconcile_states.waiting_for IS NOT DISTINCT FROM excluded.waiting_for "
    "THEN reconcile_states.since ELSE now() END, waiting_for = excluded.waiting_for, attempts = excluded.attempts, "
    "last_error = excluded.last_error, next_at = excluded.next_at, seen = excluded.seen, at = now()"
)
_FORGET = (
    "DELETE FROM reconcile_states USING json_to_recordset(%(gone)s::json) AS given (kind text, id text) "
    "WHERE reconcile_states.kind = given.kind AND object_id = given.id"
)
_READ = (
    "SELECT waiting_for, since, attempts, last_error, CASE WHEN next_at > now() THEN next_at END, seen, at "
    "FROM reconcile_states WHERE kind = %(kind)s AND object_id = %(id)s"
)


class _Key(ma.Schema):
    """Which object."""

    kind = TextField(required=True, metadata={"maxLength": 63})
    id = TextField(required=True, metadata={"maxLength": 63})


class ObjectState(_Key):
    """What the control plane knows of one object."""

    waiting_for = TextField(metadata={"description": "What is waited for; absent when nothing is."})
    attempts = Integer(metadata={"description": "Tries in a row that did not come through."})
    last_error = TextField(metadata={"description": "In the other side's words."})
    next_in = Number(metadata={"description": "Seconds until the next look, when there is one without news."})
    seen = Object(metadata={"description": "What was seen of it, as its reconciler says."})


class ObjectStates(ma.Schema):
    """News of many objects."""

    states = Items(Shape(ObjectState), required=True)
    gone = Items(Shape(_Key), metadata={"description": "Objects that are deleted, and of which nothing is left."})


def put_states() -> Response:
    """Keep what is known of objects; for the control plane alone."""
    operation = current()
    check_parameters()
    if operation.principal.actor != CONTROL_PLANE.actor:
        raise Forbidden("Only the control plane says what it knows.")
    check_fence(operation.transaction)
    given = load(ObjectStates(), json_body(request), {})
    operation.transaction.begin()
    operation.transaction.raw(_KEEP, {"states": orjson.dumps(given["states"]).decode()})
    operation.transaction.raw(_FORGET, {"gone": orjson.dumps(given.get("gone") or []).decode()})
    return Response(status=204)


def read_state(transaction: Transaction, kind: str, identifier: str) -> Mapping[str, Any]:
    """What is known of one object; empty when nothing is."""
    row = transaction.raw(_READ, {"kind": kind, "id": identifier}).fetchone()
    if row is None:
        return {}
    names = ("waiting_for", "since", "attempts", "last_error", "next_at", "seen", "at")
    return {name: value for name, value in zip(names, row, strict=True) if value is not None}


DOCUMENT: dict[str, Any] = {
    "operationId": "putControlPlaneStates",
    "summary": "Keep what is known of objects; for the control plane alone.",
    "tags": ["core"],
    "parameters": [PARAMETER],
    "requestBody": {"required": True, "content": {JSON: {"schema": ObjectStates}}},
    "responses": {"204": {"description": "Done."}, **documents.refusals((400, 401, 403, 409, 413, 415, 500, 503))},
}
