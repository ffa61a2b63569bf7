"""Secret fields in a backup: they are in it as they are stored, and never come into the database in any other way than sealed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ambient_core.database.statements import quote
from ambient_core.database.transaction import Transaction
from ambient_core.errors import SetupError
from ambient_core.kinds import Kind
from ambient_core.secrets import sealing
from ambient_core.secrets.keyring import Keyring, version_of

Row = dict[str, Any]


class Secrets:
    """What an import does with secret fields.

    Args:
        keyring: of the system that is read into; ``None`` where it has none.
    """

    def __init__(self, keyring: Keyring | None) -> None:
        self._keyring = keyring

    def sealed(self, kind: Kind, row: Row) -> Row:
        """A row with its secret fields sealed: those that are so already must open here.

        Raises:
            Unreadable: saying which field does not open.
        """
        given = [name for name in kind.secrets if row.get(name) is not None]
        return {**row, **{name: self._one(kind, row, name) for name in given}}

    def differing(self, transaction: Transaction, kind: Kind, row: Row, names: Sequence[str]) -> list[str]:
        """Which of these fields differ from what is here: sealed text is never twice the same, and may say the same."""
        asked = sorted(kind.secrets.intersection(names))
        if not asked:
            return [*names]
        stored = _stored(transaction, kind, row["id"], asked)
        return [name for name in names if name not in asked or not self._is_same(kind, stored, row, name)]

    def _one(self, kind: Kind, row: Row, name: str) -> str:
        value = row[name]
        if isinstance(value, str) and version_of(value) is not None:
            sealing.opened(self._given(), kind, row, name)
            return value
        return sealing.sealed(self._given(), kind, row["id"], name, value)

    def _is_same(self, kind: Kind, stored: Mapping[str, Any], row: Row, name: str) -> bool:
        if row.get(name) is None:
            return stored[name] is None
        return sealing.is_same(self._given(), kind, stored, name, sealing.opened(self._given(), kind, row, name))

    def _given(self) -> Keyring:
        if self._keyring is None:
            raise SetupError(
                "The backup has secrets, and keyring is not set; give AMBIENT_KEYRING or AMBIENT_KEYRING_FILE."
            )
        return self._keyring


def _stored(transaction: Transaction, kind: Kind, identifier: str, names: Iterable[str]) -> dict[str, Any]:
    columns = ["id", *names]
    text = f"SELECT {', '.join(map(quote, columns))} FROM {quote(kind.plural)} WHERE id = %(id)s"
    found = transaction.raw(text, {"id": identifier}).fetchone()
    return dict(zip(columns, found or [identifier, *(None for _ in names)], strict=True))
