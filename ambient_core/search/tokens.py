"""Page tokens: where the next page starts, opaque and signed.

A token is bound to the list's query, its order and the caller: it is nothing that a caller could make, change, or use for
another list. The key is a row of the database, so every worker and replica takes every other's tokens.
"""

import base64
import binascii
import hmac
from functools import lru_cache

import orjson
from sqlalchemy import Column, LargeBinary, Table, Text

from ambient_core.database.transaction import Transaction
from ambient_core.errors import BadQuery
from ambient_core.kinds import Resource

_MAC = 16
_LONGEST = 8192
_REFUSED = (
    "page_token is none that this list gave to you: it was changed, or it belongs to another query, order or caller; "
    "start again without it."
)

signing_keys = Table(
    "signing_keys",
    Resource.metadata,
    Column("name", Text, primary_key=True),
    Column("key", LargeBinary, nullable=False),
)


class Signer:
    """Makes and reads page tokens; the key is read once."""

    def __init__(self) -> None:
        self._key: bytes | None = None

    def sign(self, transaction: Transaction, binding: bytes, page: int, after: tuple[str | None, ...]) -> str:
        """The token of a page.

        Args:
            binding: what it is bound to.
            page: the number of the page that it leads to.
            after: the last object before it, as its values of the order's terms.
        """
        return _token(self._secret(transaction), binding, page, after)

    def read(self, transaction: Transaction, binding: bytes, token: str) -> tuple[int, tuple[str | None, ...]]:
        """The page and the values that a token was made of.

        Raises:
            BadQuery: it was changed, or is bound to something else.
        """
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise BadQuery(_REFUSED) from None
        mac, payload = raw[:_MAC], raw[_MAC:]
        wanted = hmac.digest(self._secret(transaction), binding + payload, "sha256")[:_MAC]
        if len(token) > _LONGEST or not hmac.compare_digest(mac, wanted):
            raise BadQuery(_REFUSED)
        page, *after = orjson.loads(payload)
        return int(page), tuple(after)

    def _secret(self, transaction: Transaction) -> bytes:
        if self._key is None:
            found = transaction.raw("SELECT key FROM signing_keys WHERE name = 'page_token'").fetchone()
            assert found is not None, "the migration that makes the table fills it"
            self._key = bytes(found[0])
        return self._key


@lru_cache(maxsize=512)
def _token(key: bytes, binding: bytes, page: int, after: tuple[str | None, ...]) -> str:
    """The same page is asked for again and again; its token is made once."""
    payload = orjson.dumps([page, *after])
    mac = hmac.digest(key, binding + payload, "sha256")[:_MAC]
    return base64.urlsafe_b64encode(mac + payload).rstrip(b"=").decode()
