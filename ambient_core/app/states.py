"""``/v1/controlplane/states``: the control plane says what it knows of each object."""

from typing import Any

import marshmallow as ma
from flask import Response

from ambient_core.access.leadership import PARAMETER, check_fence
from ambient_core.errors import Forbidden
from ambient_core.http.answer import Answer
from ambient_core.http.body import JSON, parse
from ambient_core.identity import CONTROL_PLANE
from ambient_core.openapi import documents
from ambient_core.rest import check_parameters, once
from ambient_core.rest.operation import current
from ambient_core.schemas import load
from ambient_core.schemas.fields import Integer, Items, Number, Object, Shape
from ambient_core.schemas.fields import Text as TextField
from ambient_core.store.states import keep_states

PATH = "/v1/controlplane/states"


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
    return once(_kept)


def _kept(raw: bytes) -> Answer:
    given = load(ObjectStates(), parse(raw), {})
    keep_states(current().transaction, given["states"], given.get("gone") or [])
    return Answer(b"", 204)


DOCUMENT: dict[str, Any] = {
    "operationId": "putControlPlaneStates",
    "summary": "Keep what is known of objects; for the control plane alone.",
    "tags": ["core"],
    "parameters": [PARAMETER, "IdempotencyKey"],
    "requestBody": {"required": True, "content": {JSON: {"schema": ObjectStates}}},
    "responses": {"204": {"description": "Done."}, **documents.refusals((400, 401, 403, 409, 413, 415, 422, 500, 503))},
}
