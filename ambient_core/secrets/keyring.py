"""Secret text at rest: AES-256-GCM under a ring of numbered keys, bound to where it is kept.

Sealed text reads ``enc:v<version>:<base64 of nonce, ciphertext and tag>``. One key seals, every key of the ring opens, so keys can
be changed while old rows are still sealed with the one before.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from ambient_core.errors import AmbientError, SetupError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES = 32
_DIFFERENT = 16
"""Bytes of a random key that differ, at least; of four thousand million random keys one is pure ASCII, and hardly any has fewer."""
_NONCE_BYTES = 12
_SHAPE = re.compile(r"enc:v([1-9][0-9]{0,8}):([A-Za-z0-9+/]+={0,2})")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")
_WANTED = 'a keyring is JSON such as {"1": "<base64 of 32 random bytes>"}'


class Unreadable(AmbientError):
    """Sealed text that no key of this server opens, or that was put where it does not belong."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where secret text is kept; text that was sealed for one place opens in no other.

    Args:
        table: the kind's table.
        identifier: the object's id.
        field: the field's name.
    """

    table: str
    identifier: str
    field: str

    def associated_data(self) -> bytes:
        """The place as bytes; no two places have the same."""
        return orjson.dumps([self.table, self.identifier, self.field])


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys by version.

    Args:
        keys: 32 bytes by a version from 1 up; never printed.
        version: of the key that seals; the newest when 0.
    """

    keys: Mapping[int, bytes] = field(repr=False)
    version: int = 0

    def __post_init__(self) -> None:
        if not self.keys:
            raise SetupError(f"The keyring holds no key; {_WANTED}.")
        if self.version and self.version not in self.keys:
            raise SetupError(f"The keyring holds no key {self.version}, which shall seal.")
        for version, key in self.keys.items():
            if len(key) != _KEY_BYTES:
                raise SetupError(f"Key {version} of the keyring is {len(key)} bytes long, not {_KEY_BYTES}; {_WANTED}.")

    @property
    def sealing(self) -> int:
        """The version that seals."""
        return self.version or max(self.keys)

    @property
    def guessable(self) -> bool:
        """Whether the key that seals is none that chance would make: a word, zeros, a pattern."""
        key = self.keys[self.sealing]
        return len(set(key)) < _DIFFERENT or key.isascii()

    def seal(self, text: str, place: Place) -> str:
        """The text as it is stored; never twice the same."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = _cipher(self.keys[self.sealing]).encrypt(nonce, text.encode(), place.associated_data())
        return f"enc:v{self.sealing}:{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, place: Place) -> str:
        """The text that was sealed for this place.

        Raises:
            Unreadable: its key is not in the ring, it was changed, or it was sealed for another place.
        """
        version = version_of(sealed)
        if version is None:
            raise Unreadable(f"The {place.field} of {place.identifier} is not stored sealed; write it anew.")
        key = self.keys.get(version)
        if key is None:
            raise Unreadable(
                f"The {place.field} of {place.identifier} is sealed with key {version}, which this server's keyring lacks."
            )
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as in `_cipher`

        try:
            raw = base64.b64decode(sealed.rpartition(":")[2], validate=True)
            return _cipher(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], place.associated_data()).decode()
        except (binascii.Error, InvalidTag, ValueError):
            raise Unreadable(
                f"The {place.field} of {place.identifier} was changed where it is stored, or belongs elsewhere."
            ) from None


def version_of(stored: str) -> int | None:
    """The version of the key that sealed this; ``None`` for text that is not sealed."""
    found = _SHAPE.fullmatch(stored)
    return int(found[1]) if found else None


def new_keyring(before: str | None = None) -> str:
    """The JSON of a keyring with a random key: alone, or as the newest beside those of another keyring.

    Raises:
        SetupError: the other one is none.
    """
    keys = read_keyring(before).keys if before is not None else {}
    keys = {**keys, max(keys, default=0) + 1: secrets.token_bytes(_KEY_BYTES)}
    return orjson.dumps({str(version): base64.b64encode(key).decode() for version, key in keys.items()}).decode()


def read_keyring(text: str, version: int = 0) -> Keyring:
    """A keyring from its JSON.

    Args:
        text: the JSON.
        version: of the key that seals; the newest when 0.

    Raises:
        SetupError: it is none.
    """
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict):
        raise SetupError(f"The keyring is not a JSON object; {_WANTED}.")
    return Keyring({_version(name): _key(name, value) for name, value in given.items()}, version)


def _cipher(key: bytes) -> "AESGCM":
    # Not at the top: the control plane reads no secrets, and would keep 6 MB for them.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    return AESGCM(key)


def _version(name: str) -> int:
    if not _VERSION.fullmatch(name):
        raise SetupError(f"A version in the keyring is no whole number from 1 up; {_WANTED}.")
    return int(name)


def _key(version: str, value: object) -> bytes:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except ValueError:
        raise SetupError(f"Key {version} of the keyring is not base64; {_WANTED}.") from None
