"""Idempotency-Key: a write that is sent twice happens once (IETF draft-ietf-httpapi-idempotency-key-header).

The record is written in the transaction of the write itself, so there is never one without the other. An answer that holds a secret
is kept sealed.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
from psycopg import sql
from sqlalchemy import Column, DateTime, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import JSON

from ambient_core.database import Database
from ambient_core.database.transaction import Transaction
from ambient_core.errors import BadQuery, Conflict, Unprocessable
from ambient_core.kinds import Resource
from ambient_core.secrets.keyring import Keyring, Place, Unreadable
from ambient_core.secrets.rotation import Rotated
from ambient_core.store import Answer

MAXIMUM_KEY = 255
REPLAYED = "Idempotency-Replayed"
"""The header of an answer that was given before."""

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

_FORGET = "DELETE FROM idempotency_keys WHERE principal = %(principal)s AND key = %(key)s AND body = %(body)s"

_CHUNK = 100
_SEALED_OTHERWISE = (
    "SELECT principal, key, body FROM idempotency_keys WHERE (principal, key) > (%(principal)s, %(key)s) "
    "AND created_at > now() - interval '24 hours' AND body LIKE %(sealed)s AND body NOT LIKE %(anew)s "
    f"ORDER BY principal, key LIMIT {_CHUNK} FOR UPDATE"
)
_RESEAL = "UPDATE idempotency_keys SET body = %(body)s WHERE principal = %(principal)s AND key = %(key)s"

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


class Secrecy(NamedTuple):
    """How an answer is kept that holds a secret.

    Args:
        keyring: seals it; without one the answer is told once and kept nowhere.
    """

    keyring: Keyring | None


class Once:
    """One use of a key within a request's transaction.

    Args:
        transaction: the request's transaction; an explicit one is opened.
        principal: whose key it is.
        key: what the caller sent.
        operation: method and path, so that a key belongs to one address.
        raw: the body as it came.

    Attributes:
        secrecy: how the answer is kept, where it holds a secret.

    Raises:
        BadQuery: the key is empty, too long or not printable.
    """

    def __init__(self, transaction: Transaction, principal: str, key: str, operation: str, raw: bytes) -> None:
        self.secrecy: Secrecy | None = None
        self._transaction = transaction
        self._record: dict[str, Any] = {
            "principal": principal,
            "key": key_of(key),
            "operation": operation,
            "fingerprint": hashlib.sha256(raw).digest(),
        }
        self._digest = _digest(principal, self._record["key"])

    def earlier(self) -> Answer | None:
        """The first answer to the same request, or ``None`` when this is the first.

        Raises:
            Conflict: the first one is still under way, or told a secret that could not be kept.
            Unprocessable: the key was used for another request.
            Unreadable: its answer holds a secret that no key of this server opens.
        """
        number = int.from_bytes(self._digest[:8], "big", signed=True)
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
        return Answer(self._opened(bytes(body)), status, version, {**headers, REPLAYED: "true"})

    def keep(self, answer: Answer) -> None:
        """Store the answer, to be committed with the write."""
        headers = orjson.dumps({**answer.headers, "version": answer.version}).decode()
        body = self._sealed(answer.body)
        self._transaction.end_with(_KEEP, {**self._record, "status": answer.status, "headers": headers, "body": body})

    def forget(self, transaction: Transaction, answer: Answer) -> None:
        """What was answered did not come true after all: the key is free again, unless it has another answer by now.

        Args:
            transaction: that undoes it.
        """
        transaction.raw(_FORGET, {**self._record, "body": answer.body})

    def _sealed(self, body: bytes) -> bytes:
        if self.secrecy is None:
            return body
        keyring = self.secrecy.keyring
        return keyring.seal(body.decode(), self._place).encode() if keyring is not None else b""

    def _opened(self, body: bytes) -> bytes:
        if self.secrecy is None:
            return body
        if self.secrecy.keyring is None or not body:
            raise Conflict(
                "This request was done. It answered a secret, and this server has no keyring to keep that with: ask for "
                "another secret, with a new Idempotency-Key."
            )
        return self.secrecy.keyring.open(body.decode(), self._place).encode()

    @property
    def _place(self) -> Place:
        return _place(self._digest)


def reseal(database: Database, keyring: Keyring, report: Callable[[str], None]) -> Rotated:
    """Seal kept answers that hold a secret anew, under the key that seals: those that can still be told again.

    Args:
        database: where they are kept.
        keyring: with the key that seals now, and those that sealed before.
        report: is told when it is done.

    Raises:
        Unavailable: the database does not answer; begin again.
    """
    done = Rotated()
    anew = f"enc:v{keyring.sealing}:%".encode()
    asked: dict[str, Any] = {"principal": "", "key": "", "sealed": b"enc:v%", "anew": anew}
    while True:
        with database.transaction() as transaction:
            transaction.begin()
            rows = transaction.raw(_SEALED_OTHERWISE, asked).fetchall()
            for principal, key, body in rows:
                try:
                    place = _place(_digest(principal, key))
                    sealed = keyring.seal(keyring.open(bytes(body).decode(), place), place).encode()
                except Unreadable as fault:
                    done.unreadable.append(f"answer kept for {principal}: {fault}")
                    continue
                transaction.raw(_RESEAL, {"principal": principal, "key": key, "body": sealed})
                done.fields += 1
        if not rows:
            break
        asked["principal"], asked["key"] = rows[-1][:2]
    report(f"answers kept for an Idempotency-Key: {done.fields} are sealed anew under key {keyring.sealing}")
    return done


def _digest(principal: str, key: str) -> bytes:
    return hashlib.sha256(f"{principal}\0{key}".encode()).digest()


def _place(digest: bytes) -> Place:
    return Place(idempotency_keys.name, digest.hex(), "body")
