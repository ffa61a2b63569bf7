"""API tokens: how they look, how they are made, and who comes with one.

A token is a record with an owner, permissions and an end; its secret is made by ``POST /tokens/{id}/secret`` and shown there once.
Made again, the old secret works on for as long as is asked for. What is kept is the secret's hash.
"""

import secrets
import time
import zlib
from typing import Any
from weakref import WeakKeyDictionary

import marshmallow as ma
import orjson
from flask import Request
from sqlalchemy import Column, DateTime, ForeignKey, LargeBinary, String, Table

from ambient_access.grants import KEPT, LIMIT
from ambient_access.settings import access_settings
from ambient_access.tokenstore import TokenStore
from ambient_core import Answer, Principal, Resource, Store, action, current, hookimpl
from ambient_core.database import Database
from ambient_core.identity import digest, invalid_token, token_of
from ambient_core.schemas.fields import Integer, Text, Time
from ambient_core.schemas.validators import Range

PREFIX = "ambient_"
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET, _CHECKSUM = 43, 6
_MOST_KEPT = 10_000

token_secrets = Table(
    "token_secrets",
    Resource.metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("token_id", String(63), ForeignKey("tokens.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("valid_until", DateTime(timezone=True)),
)

_FIND = (
    "SELECT tokens.id, tokens.permissions, tokens.user_id, tokens.service_account_id, service_accounts.name, "
    "tokens.last_used_at IS NULL OR tokens.last_used_at < now() - interval '1 minute', "
    "extract(epoch FROM least(tokens.expires_at, s.valid_until) - now()) "
    "FROM token_secrets AS s JOIN tokens ON tokens.id = s.token_id "
    "LEFT JOIN service_accounts ON service_accounts.id = tokens.service_account_id "
    "WHERE s.digest = %(digest)s AND tokens.expires_at > now() AND (s.valid_until IS NULL OR s.valid_until > now()) "
    "AND service_accounts.disabled IS NOT TRUE"
)
_PERSON = "SELECT users.name FROM users WHERE users.id = %(id)s AND NOT users.disabled"
_USED = (
    "UPDATE tokens SET last_used_at = now() WHERE id = %(id)s "
    "AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')"
)
_END = (
    "UPDATE token_secrets SET valid_until = least(valid_until, now() + %(overlap)s * interval '1 second') "
    "WHERE token_id = %(id)s"
)
_KEEP = "INSERT INTO token_secrets (digest, token_id) VALUES (%(digest)s, %(id)s)"

Seen = dict[bytes, tuple[float, Principal]]
_SEEN: "WeakKeyDictionary[Database, Seen]" = WeakKeyDictionary()


def new_secret() -> str:
    """A token that scanners of secrets recognise: a prefix, 256 random bits, and a checksum of them."""
    body = "".join(secrets.choice(_LETTERS) for _ in range(_SECRET))
    return PREFIX + body + checksum(body)


def checksum(body: str) -> str:
    """The last letters of a token: the CRC-32 of what is between prefix and them."""
    number, text = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM):
        number, place = divmod(number, len(_LETTERS))
        text = _LETTERS[place] + text
    return text


def is_well_formed(token: str) -> bool:
    """Whether a token could be one of ours; what was mistyped or invented is refused without a look into the database."""
    body, end = token[len(PREFIX) : -_CHECKSUM], token[-_CHECKSUM:]
    return token.isascii() and len(body) == _SECRET and end == checksum(body)


@hookimpl
def ambient_authenticate(request: Request) -> Principal | None:
    """Who owns this token, narrowed to what the token is for.

    Raises:
        Unauthenticated: it is no token any more, or its owner is kept out.
    """
    token = token_of(request.environ)
    if not token.startswith(PREFIX):
        return None
    if not is_well_formed(token):
        raise invalid_token()
    operation, key = current(), digest(token)
    seen = _SEEN.setdefault(operation.database, {})
    until, principal = seen.get(key, (0.0, None))
    if principal is None or time.monotonic() > until:
        seen.pop(key, None)
        principal, seconds = _found(key)
        if len(seen) >= _MOST_KEPT:
            seen.clear()
        seen[key] = (time.monotonic() + min(KEPT, seconds), principal)
    return principal


def _found(key: bytes) -> tuple[Principal, float]:
    transaction = current().transaction
    row = transaction.as_system(_FIND, {"digest": key}).fetchone()
    if row is None:
        raise invalid_token()
    identifier, permissions, user, account, name, unused, seconds = row
    if user is not None and (name := _person(user)) is None:
        raise invalid_token()
    attributes = {"token_id": identifier}
    if permissions is not None:
        attributes[LIMIT] = " ".join(permissions)
    if unused:
        transaction.as_system(_USED, {"id": identifier})
    kind, owner = ("person", user) if user is not None else ("service", account)
    return Principal(kind, owner, name, attributes), float(seconds)  # type: ignore[arg-type]


def _person(user: str) -> str | None:
    """The name of a person who may still come in; anybody may, where no plugin keeps users."""
    if "User" not in current().registry:
        return user
    row = current().transaction.as_system(_PERSON, {"id": user}).fetchone()
    return None if row is None else str(row[0])


class NewSecret(ma.Schema):
    """How a secret is made."""

    class Meta:
        """Faults of unknown names are named by the loader."""

        unknown = ma.EXCLUDE

    overlap = Integer(
        load_default=0,
        validate=Range(0, 2**31),
        metadata={"description": "Seconds that the secret before this one works on.", "example": 3600, "minimum": 0},
    )


class Secret(ma.Schema):
    """The secret of a token; shown once."""

    token = Text(required=True)
    expires_at = Time(required=True)


@action(path="secret", status=201, body=NewSecret, answer=Secret, fenced=True, secret=True, operation_id="issueToken")
def issue(store: Store, identifier: str, values: dict[str, Any]) -> Answer:
    """Make the secret of a token, and show it this once; an earlier one works on for as long as `overlap` says."""
    assert isinstance(store, TokenStore)
    row = store.row(identifier, lock=True)
    store.check_owner(row)
    overlap = min(values["overlap"], access_settings().token_maximum_overlap)
    store.transaction.raw(_END, {"id": row["id"], "overlap": overlap})
    token = new_secret()
    store.transaction.raw(_KEEP, {"digest": digest(token), "id": row["id"]})
    _SEEN.pop(store.transaction.database, None)
    body = {"token": token, "expires_at": row["expires_at"]}
    return Answer(orjson.dumps(body, option=orjson.OPT_UTC_Z), 201)
