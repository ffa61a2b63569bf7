"""Idempotency-Key: a write that is sent twice happens once (IETF draft-ietf-httpapi-idempotency-key-header).

The record is written in the transaction of the write itself, so there is never one without the other.
"""

import hashlib
import re
from typing import Any

import orjson
from psycopg import sql
from sqlalchemy import Column, DateTime, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import JSON

from ambient_core.database.transaction import Transaction
from ambient_core.errors import BadQuery, Conflict, Unprocessable
from ambient_core.kinds import Resource
from ambient_core.store import Answer

MAXIMUM_KEY = 255

idempotency_keys = Table(
    "idempotency_keys",
    Resource.metadata,
    Column("principal", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("operation", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), server_default=text("now()"), nullable=False),
    Index(None, "created_at"),
)

# Two statements, because the second has to see what was committed before the lock was had.
_BEGIN = sql.SQL(
    "SELECT pg_try_advisory_xact_lock({number}); SELECT operation, fingerprint, status, headers, body FROM idempotency_keys "
    "WHERE principal = {principal} AND key = {key} AND created_at > now() - interval '24 hours'"
)
_KEEP = (
    "INSERT INTO idempotency_keys (principal, key, operation, fingerprint, status, headers, body) "
    "VALUES (%(principal)s, %(key)s, %(operation)s, %(fingerprint)s, %(status)s, %(headers)s::json, %(body)s) "
    "ON CONFLICT (principal, key) DO UPDATE SET operation = excluded.operation, fingerprint = excluded.fingerprint, "
    "status = excluded.status, headers = excluded.headers, body = excluded.body, created_at = now()"
)

_STRING = re.compile(r'"((?:[^"\\]|\\["\\])*)"')


def key_of(header: str) -> str:
    """Read the header: a string of structured fields (``"abc"``, RFC 8941), or the same without its quotes.

    Raises:
        BadQuery: the key is empty, too long or not printable.
    """
    text = header.strip()
    quoted = _STRING.fullmatch(text)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text
    if not key or len(key) > MAXIMUM_KEY or not (key.isprintable() and key.isascii()) or (not quoted and '"' in key):
        raise BadQuery(f'Idempotency-Key must have 1 to {MAXIMUM_KEY} printable ASCII characters, as abc or as "abc".')
    return key


class Once:
    """One use of a key within a request's transaction.

    Args:
        transaction: the request's transaction; an explicit one is opened.
        principal: whose key it is.
        key: what the caller sent.
        operation: method and path, so that a key belongs to one address.
        raw: the body as it came.

    Raises:
        BadQuery: the key is empty, too long or not printable.
    """

    def __init__(self, transaction: Transaction, principal: str, key: str, operation: str, raw: bytes) -> None:
        self._transaction = transaction
        self._record: dict[str, Any] = {
            "principal": principal,
            "key": key_of(key),
            "operation": operation,
            "fingerprint": hashlib.sha256(raw).digest(),
        }

    def earlier(self) -> Answer | None:
        """The first answer to the same request, or ``None`` when this is the first.

        Raises:
            Conflict: the first one is still under way.
            Unprocessable: the key was used for another request.
        """
        digest = hashlib.sha256(f"{self._record['principal']}\0{self._record['key']}".encode()).digest()[:8]
        number = int.from_bytes(digest, "big", signed=True)
        names = {name: sql.Literal(self._record[name]) for name in ("principal", "key")}
        locked, records = self._transaction.begin_with(_BEGIN.format(number=sql.Literal(number), **names))
        if not locked[0][0]:
            raise Conflict("A request with this Idempotency-Key is under way; try again.", headers={"Retry-After": "1"})
        found = records[0] if records else None
        if found is None:
            return None
        operation, fingerprint, status, headers, body = found
        if operation != self._record["operation"] or bytes(fingerprint) != self._record["fingerprint"]:
            raise Unprocessable("This Idempotency-Key belongs to another request; use a new key for each one.")
        version = headers.pop("version", None)
        return Answer(bytes(body), status, version, {**headers, "Idempotency-Replayed": "true"})

    def keep(self, answer: Answer) -> None:
        """Store the answer, to be committed with the write."""
        headers = orjson.dumps({**answer.headers, "version": answer.version}).decode()
        self._transaction.end_with(
            _KEEP, {**self._record, "status": answer.status, "headers": headers, "body": answer.body}
        )
