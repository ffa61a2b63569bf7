"""``GET /credentials/{id}/token``: the one way by which a secret leaves, each time with a row in the change log.

Runners of the predecessor know it below their project, and know what they may fetch by a variable (`ambient_credentials.variables`).
"""

from typing import Any

import marshmallow as ma
import orjson
from flask import Response, request
from flask_smorest import Blueprint

from ambient_core import Answer, Conflict, Store, action, current, open_secret
from ambient_core.errors import BASE_PATH
from ambient_core.openapi import documents
from ambient_core.rest import response_of
from ambient_core.rest.parameters import PROJECT_HEADER, agree, check_parameters, negotiate
from ambient_core.schemas.fields import Text


class CredentialToken(ma.Schema):
    """A credential's token; kept nowhere on its way."""

    credential_id = Text(required=True)
    provider = Text(required=True)
    token = Text(required=True)


@action(
    path="token",
    method="GET",
    answer=CredentialToken,
    secret=True,
    errors=(409,),
    operation_id="fetchCredentialToken",
)
def fetch_token(store: Store, identifier: str) -> Answer:
    """Answer the token of a credential to a session that has it; the change log says who fetched it and when."""
    row = store.row(identifier)
    token = open_secret(store, row, "token")
    if token is None:
        raise Conflict(f"The credential {row['name']} has no token; write one into it first.")
    # Before the answer: what is not written down is not told.
    store.note(identifier)
    body = {"credential_id": row["id"], "provider": row["provider"], "token": token}
    return Answer(orjson.dumps(body), headers={"Cache-Control": "no-store"})


def blueprint() -> Blueprint:
    """The same address as runners of the predecessor have it: below the session's project."""
    made = Blueprint(
        "project_credentials", __name__, url_prefix=f"{BASE_PATH}/projects", description="Credentials of a session."
    )
    view = made.doc(**_DOCUMENT)(fetch_below_project)
    path = "/<string:id>/credentials/<string:credential_id>/token"
    made.add_url_rule(path, endpoint="token", view_func=view, methods=["GET"])
    return made


def fetch_below_project(id: str, credential_id: str) -> Response:  # noqa: A002
    """Answer the token of a credential to a session of this project that has it, and note the fetch."""
    negotiate("application/json")
    store = current().store("Credential", "fetch_token")
    check_parameters()
    agree(request.headers.get(PROJECT_HEADER), id, "the path")
    if store.principal.attributes.get("project_id") != id:
        raise store.not_found(credential_id)
    return response_of(fetch_token.function(store, credential_id))


_DOCUMENT: dict[str, Any] = {
    "operationId": "fetchProjectCredentialToken",
    "summary": "Answer the token of a credential to a session of this project that has it; as fetchCredentialToken.",
    "description": "Where runners of the predecessor ask, by the ids in their variable CREDENTIAL_IDS.",
    "tags": ["credentials"],
    "responses": {
        "200": {"description": "The token.", "content": {documents.JSON: {"schema": CredentialToken}}},
        **documents.refusals((400, 401, 403, 404, 406, 409, 500, 503, 504)),
    },
}
