"""Seal every secret field of every kind anew, under the key that seals now: no new version, no change row.

Rows are sealed anew in small transactions, each locked only while it is written, so that everybody is served meanwhile. What is
sealed by that key already is left alone: a rotation that was cut off is begun again, and ends complete.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ambient_core.database import Database
from ambient_core.database.statements import quote
from ambient_core.database.transaction import Transaction
from ambient_core.kinds import Kind
from ambient_core.secrets import sealing
from ambient_core.secrets.keyring import Keyring, Unreadable, version_of

CHUNK = 100
Report = Callable[[str], None]
Row = dict[str, Any]


@dataclass(slots=True)
class Rotated:
    """What a rotation did.

    Args:
        fields: that were sealed anew.
        unreadable: each that could not be opened, in words.
    """

    fields: int = 0
    unreadable: list[str] = field(default_factory=list)


def rotate(database: Database, kinds: Iterable[Kind], keyring: Keyring, report: Report) -> Rotated:
    """Seal anew what is not sealed under the key that seals; what is not sealed at all is sealed as well.

    Args:
        database: to write to.
        kinds: that are served.
        keyring: with the key that seals now, and those that sealed before.
        report: is told of each kind that is done.

    Raises:
        Unavailable: the database does not answer; begin again.
    """
    done = Rotated()
    for kind in kinds:
        if not kind.secrets:
            continue
        before = done.fields
        # Again until nothing is left: a server that does not know the new key yet may have written in between.
        while _round(database, kind, keyring, done):
            pass
        report(f"{kind.plural}: {done.fields - before} secrets are sealed anew under key {keyring.sealing}")
    return done


def _round(database: Database, kind: Kind, keyring: Keyring, done: Rotated) -> bool:
    """One way through a kind's table; answers whether something was sealed anew."""
    sealed = 0
    done.unreadable = [words for words in done.unreadable if not words.startswith(f"{kind.plural} ")]
    for transaction, rows in _chunks(database, kind, keyring):
        for row in rows:
            anew = dict(_anew(kind, keyring, row, done))
            if anew:
                sealed += len(anew)
                transaction.raw(_update(kind, anew), {**anew, "id_": row["id"]})
    done.fields += sealed
    return sealed > 0


def _chunks(database: Database, kind: Kind, keyring: Keyring) -> Iterator[tuple[Transaction, list[Row]]]:
    """Rows with something to seal anew, locked, some at a time; each time committed when the next are asked for."""
    names = ("id", *sorted(kind.secrets))
    text, after = _select(kind, names), ""
    while True:
        with database.transaction() as transaction:
            transaction.begin()
            asked = {"after_": after, "seal_": f"enc:v{keyring.sealing}:%", "limit_": CHUNK}
            found = transaction.raw(text, asked).fetchall()
            if not found:
                return
            yield transaction, [dict(zip(names, row, strict=True)) for row in found]
        after = found[-1][0]


def _anew(kind: Kind, keyring: Keyring, row: Row, done: Rotated) -> Iterator[tuple[str, str]]:
    for name in sorted(kind.secrets):
        stored = row[name]
        if stored is None or version_of(stored) == keyring.sealing:
            continue
        try:
            bare = version_of(stored) is None
            plain = sealing.bare(kind, name, stored) if bare else sealing.opened(keyring, kind, row, name)
        except Unreadable as fault:
            done.unreadable.append(f"{kind.plural} {row['id']}: {fault}")
        else:
            yield name, sealing.sealed(keyring, kind, row["id"], name, plain)


def _select(kind: Kind, names: Iterable[str]) -> str:
    columns = ", ".join(map(quote, names))
    other = " OR ".join(f"{quote(name)} NOT LIKE %(seal_)s" for name in sorted(kind.secrets))
    return f"SELECT {columns} FROM {quote(kind.plural)} WHERE id > %(after_)s AND ({other}) ORDER BY id LIMIT %(limit_)s FOR UPDATE"


def _update(kind: Kind, names: Iterable[str]) -> str:
    sets = ", ".join(f"{quote(name)} = %({name})s" for name in names)
    return f"UPDATE {quote(kind.plural)} SET {sets} WHERE id = %(id_)s"
