"""Secret fields of any kind, sealed on their way into a row: what is stored opens for its object and field alone.

A store's rules and hooks see what a caller gives as it is given. What `Store.row` reads is sealed; `open_secret` opens it.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from ambient_core.errors import Unavailable
from ambient_core.kinds import Kind
from ambient_core.kinds.rules import type_of
from ambient_core.secrets.keyring import Keyring, Place, Unreadable

if TYPE_CHECKING:
    from ambient_core.store import Store

log = logging.getLogger(__name__)


def seal_row(store: "Store", row: dict[str, Any]) -> None:
    """Seal the secret fields of a row that is going to be made."""
    for name in store.kind.secrets:
        if row[name] is not None:
            row[name] = sealed(_keyring(store), store.kind, row["id"], name, row[name])


def sealed_changes(store: "Store", current: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Values with their secret fields sealed, without those that are stored already: what is equal is no change.

    Args:
        store: that writes them.
        current: the locked row.
        values: by field.
    """
    changed = dict(values)
    for name in store.kind.secrets.intersection(values):
        if values[name] is None:
            continue
        if is_same(_keyring(store), store.kind, current, name, values[name]):
            del changed[name]
        else:
            changed[name] = sealed(_keyring(store), store.kind, current["id"], name, values[name])
    return changed


def opened_for(store: "Store", current: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A stored row with those secret fields open that a merge patch changes in part."""
    merged = [name for name in store.kind.secrets.intersection(changes) if isinstance(changes[name], dict)]
    return {**current, **{name: open_secret(store, current, name) for name in merged}}


def open_secret(store: "Store", row: Mapping[str, Any], name: str) -> Any:
    """The value of a secret field of a row that `Store.row` answered; ``None`` where there is none.

    Raises:
        Unreadable: no key of this server opens it.
        Unavailable: this server has no key at all.
    """
    if row[name] is None:
        return None
    try:
        return opened(_keyring(store), store.kind, row, name)
    except Unreadable as fault:
        # The caller can do nothing about it; whoever keeps the keys can.
        log.error("%s", fault)
        raise


def sealed(keyring: Keyring, kind: Kind, identifier: str, name: str, value: Any) -> str:
    """A value of a secret field as it is stored."""
    return keyring.seal(_text(kind, name, value), Place(kind.plural, identifier, name))


def opened(keyring: Keyring, kind: Kind, row: Mapping[str, Any], name: str) -> Any:
    """The value of a secret field that is stored.

    Raises:
        Unreadable: no key of this ring opens it.
    """
    text = keyring.open(row[name], Place(kind.plural, row["id"], name))
    return text if _is_text(kind, name) else orjson.loads(text)


def bare(kind: Kind, name: str, stored: str) -> Any:
    """The value of a secret field that is stored as it was before its column was one of sealed text."""
    if _is_text(kind, name):
        return stored
    try:
        return orjson.loads(stored)
    except orjson.JSONDecodeError:
        return stored


def is_same(keyring: Keyring, kind: Kind, row: Mapping[str, Any], name: str, value: Any) -> bool:
    """Whether a value is what is stored of a secret field; what cannot be opened is another, so that it can be written anew."""
    if row[name] is None or value is None:
        return row[name] is value
    try:
        stored = keyring.open(row[name], Place(kind.plural, row["id"], name))
    except Unreadable:
        return False
    return stored == _text(kind, name, value)


def _keyring(store: "Store") -> Keyring:
    if store.surroundings.keyring is None:
        raise Unavailable(
            f"This server has no keyring, so it neither takes nor opens a secret of a {store.kind.name}; its operator sets "
            "AMBIENT_KEYRING."
        )
    return store.surroundings.keyring


def _is_text(kind: Kind, name: str) -> bool:
    return isinstance(type_of(kind.table.columns[name]), sa.String | sa.Uuid)


def _text(kind: Kind, name: str, value: Any) -> str:
    if _is_text(kind, name):
        return str(value)
    if isinstance(value, datetime):
        # The same moment is the same value, whatever its offset.
        value = value.astimezone(UTC)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
