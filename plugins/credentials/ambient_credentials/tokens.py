"""``GET /credentials/{id}/token``: the one way by which a secret leaves, each time with a row in the change log."""

import marshmallow as ma
import orjson

from ambient_core import Answer, Conflict, Store, action, open_secret
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
