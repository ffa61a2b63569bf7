"""``ambient db import``: rows into an empty or a running system, as often as one likes.

What is there already is left alone, so that an import that was cut off is begun again. Objects go through the change log
like every other write: a change row each, in the statement that writes the object, with the version that it had.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, BinaryIO

import orjson
import psycopg

from ambient_core.backup.reading import Backup, Run
from ambient_core.backup.secrets import Secrets
from ambient_core.backup.sections import Section
from ambient_core.database import Database, statements
from ambient_core.database.statements import quote
from ambient_core.database.transaction import Transaction
from ambient_core.kinds import STAMPS
from ambient_core.secrets.keyring import Keyring, Unreadable

ACTOR = "service:import"
VERB = "import"
CHUNK = 1000
_SHOWN = 100
_UNFIT = (psycopg.IntegrityError, psycopg.DataError)
Report = Callable[[str], None]
Row = dict[str, Any]


@dataclass(slots=True)
class Imported:
    """What an import did.

    Args:
        created: rows by table.
        changed: rows that were overwritten, by table.
        unchanged: rows that were there already, by table.
        conflicts: rows that were left out, by table.
        words: of the first conflicts, for people.
    """

    created: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)
    conflicts: Counter[str] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)

    def conflict(self, table: str, words: str) -> None:
        """Note a row that was left out."""
        self.conflicts[table] += 1
        if len(self.words) < _SHOWN:
            self.words.append(f"{table} {words}")


class Import:
    """Brings the rows of a backup into a database.

    Args:
        database: to write to.
        sections: what is here, by name of the table.
        keyring: of the system; ``None`` where it has none.
        overwrite: whether objects that are here and differ become as the backup has them.
    """

    def __init__(
        self, database: Database, sections: Mapping[str, Section], keyring: Keyring | None, *, overwrite: bool = False
    ) -> None:
        self._database = database
        self._sections = sections
        self._secrets = Secrets(keyring)
        self._overwrite = overwrite
        self._late: dict[str, list[Row]] = {}
        self.done = Imported()

    def read(self, source: BinaryIO, revisions: Sequence[str], report: Report) -> Imported:
        """Read a backup to its end.

        Raises:
            SetupError: it is none that can be read here, or it is not whole; what came of it is kept.
            Unavailable: the database does not answer; begin again.
        """
        backup = Backup(source)
        backup.check(revisions, self._sections.keys())
        last = ""
        for run in backup.runs(CHUNK):
            if last and run.table != last:
                self._finish(last, report)
            last = run.table
            self._take(run)
        if last:
            self._finish(last, report)
        self._settle()
        return self.done

    def _take(self, run: Run) -> None:
        section = self._sections[run.table]
        rows = self._sealed(section, run.rows)
        try:
            if rows:
                self._write(section, rows)
        except _UNFIT:
            # One of them does not fit: the others do.
            for row in rows:
                self._take_one(section, row)

    def _sealed(self, section: Section, rows: list[Row]) -> list[Row]:
        """The rows with their secret fields sealed, without those whose secrets do not open here."""
        if section.kind is None or not section.kind.secrets:
            return rows
        found = []
        for row in rows:
            try:
                found.append(self._secrets.sealed(section.kind, row))
            except Unreadable as fault:
                self.done.conflict(section.table.name, f"{_name(section, row)}: {fault}")
        return found

    def _take_one(self, section: Section, row: Row) -> None:
        try:
            self._write(section, [row])
        except psycopg.errors.ForeignKeyViolation:
            # What it refers to may still come.
            self._late.setdefault(section.table.name, []).append(row)
        except _UNFIT as fault:
            self.done.conflict(section.table.name, f"{_name(section, row)}: {_rule(fault)}")

    def _finish(self, table: str, report: Report) -> None:
        self._retry(table)
        done = self.done
        report(
            f"{table}: {done.created[table]} created, {done.changed[table]} changed, {done.unchanged[table]} unchanged"
        )

    def _retry(self, table: str) -> None:
        """Try those again whose reference was not there, for as long as that helps."""
        while late := self._late.pop(table, []):
            for row in late:
                self._take_one(self._sections[table], row)
            if len(self._late.get(table, [])) == len(late):
                return

    def _settle(self) -> None:
        for table in [*self._late]:
            self._retry(table)
        for table, rows in self._late.items():
            for row in rows:
                self.done.conflict(table, f"{_name(self._sections[table], row)}: what it refers to is not there")

    def _write(self, section: Section, rows: list[Row]) -> None:
        """Write rows in one statement, and say of those that were there already what they are."""
        counted = Imported()
        with self._database.transaction() as transaction:
            transaction.begin()
            written = self._insert(transaction, section, rows)
            table = section.table.name
            counted.created[table] = len(written)
            left = [row for row in rows if _key(section, row) not in written]
            if left and section.kind is not None:
                self._compare(transaction, section, left, counted)
            else:
                counted.unchanged[table] = len(left)
            if section.kind is not None and (counted.created or counted.changed):
                transaction.announce()
        self._add(counted)

    def _add(self, counted: Imported) -> None:
        for name in ("created", "changed", "unchanged", "conflicts"):
            getattr(self.done, name).update(getattr(counted, name))
        self.done.words += counted.words[: _SHOWN - len(self.done.words)]

    def _insert(self, transaction: Transaction, section: Section, rows: list[Row]) -> set[tuple[str, ...]]:
        given = tuple(name for name in section.columns if name in rows[0])
        text = _insertion(section, given)
        parameters = {"rows_": orjson.dumps(rows).decode(), "actor_": ACTOR, "verb_": VERB, **transaction.origin}
        found = transaction.raw(text, parameters).fetchall()
        if section.kind is not None:
            return {(identifier,) for _, _, identifier, _, _ in found}
        return {tuple(map(str, key)) for key in found}

    def _compare(self, transaction: Transaction, section: Section, rows: list[Row], counted: Imported) -> None:
        table = section.table.name
        given = tuple(name for name in section.columns if name in rows[0])
        text, parameters = _comparison(section, given), {"rows_": orjson.dumps(rows).decode()}
        found = dict(transaction.raw(text, parameters).fetchall())
        for row in rows:
            identifier = str(row["id"])
            differing = self._differing(transaction, section, row, found.get(identifier))
            if identifier not in found:
                counted.conflict(table, f"{identifier}: another object has its unique fields")
            elif not differing:
                counted.unchanged[table] += 1
            elif not self._overwrite:
                counted.conflict(table, f"{identifier}: it is here and differs in {', '.join(sorted(differing))}")
            else:
                self._change(transaction, section, row, differing)
                counted.changed[table] += 1

    def _differing(
        self, transaction: Transaction, section: Section, row: Row, names: Sequence[str] | None
    ) -> Sequence[str] | None:
        assert section.kind is not None
        return self._secrets.differing(transaction, section.kind, row, names) if names else names

    def _change(self, transaction: Transaction, section: Section, row: Row, names: Sequence[str]) -> None:
        assert section.kind is not None
        values = {name: row.get(name) for name in names if name not in STAMPS}
        text = statements.update(section.kind, tuple(sorted(values)))
        bound = statements.bind(section.kind, values)
        own = {"id_": row["id"], "version_": None, "actor_": ACTOR, "verb_": VERB}
        transaction.raw(text, {**bound, **own, **transaction.origin})


@lru_cache(maxsize=256)
def _insertion(section: Section, given: tuple[str, ...]) -> str:
    columns, table = ", ".join(map(quote, given)), quote(section.table.name)
    write = (
        f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} "
        f"FROM json_populate_recordset(NULL::{table}, %(rows_)s::json) ON CONFLICT DO NOTHING RETURNING "
    )
    if section.kind is not None:
        return statements.logged(section.kind, f"{write}*", "%(verb_)s")
    return write + ", ".join(f"{quote(name)}::text" for name in section.key)


@lru_cache(maxsize=256)
def _comparison(section: Section, given: tuple[str, ...]) -> str:
    """Answers, for each row that is here by its id, the names of the columns in which it differs."""
    table = quote(section.table.name)
    own = [name for name in given if name not in ("id", *STAMPS)]
    # As JSON: there is no equality of json, and jsonb knows no order of keys.
    pairs = ", ".join(
        f"CASE WHEN to_jsonb(g.{quote(name)}) IS DISTINCT FROM to_jsonb(t.{quote(name)}) THEN '{name}' END"
        for name in own
    )
    differing = f"array_remove(ARRAY[{pairs}]::text[], NULL)" if own else "ARRAY[]::text[]"
    return (
        f"SELECT t.id, {differing} FROM json_populate_recordset(NULL::{table}, %(rows_)s::json) AS g "
        f"JOIN {table} AS t ON t.id = g.id"
    )


def _key(section: Section, row: Row) -> tuple[str, ...]:
    return tuple(str(row.get(name)) for name in (("id",) if section.kind is not None else section.key))


def _name(section: Section, row: Row) -> str:
    return "/".join(_key(section, row))


def _rule(fault: psycopg.Error) -> str:
    if isinstance(fault, psycopg.DataError):
        return "a value does not fit its column"
    return f"it breaks the rule {fault.diag.constraint_name or fault.diag.column_name or 'of a column'}"
