"""The present objects as a watch shows them first, from one snapshot together with the log's position in it."""

import threading
from collections.abc import Iterator
from typing import Any

import orjson
import psycopg

from ambient_core import changes
from ambient_core.changes.visibility import View
from ambient_core.database import Database
from ambient_core.database.outages import unavailable
from ambient_core.database.statements import Clause, object_json, quote
from ambient_core.database.transaction import Transaction
from ambient_core.kinds import Kind

_FETCH = 200


class Initial:
    """Events that add every object of a view, read from one snapshot as the reader takes them.

    Args:
        database: a pool that may be held for as long as the reader takes them.
        view: whose objects.

    Raises:
        Unavailable: the database does not answer, or the log is too far behind.
    """

    def __init__(self, database: Database, view: View) -> None:
        self._transaction = Transaction(database)
        self._kinds = [kind for _, kind in sorted(view.kinds.items()) if _applies(kind, view)]
        self._view = view
        self._lock = threading.Lock()
        try:
            self._transaction.begin()
            run = self._transaction.raw
            run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            self.now = changes.now(run)
        except psycopg.Error as fault:
            self.close()
            raise unavailable(fault) from fault
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        """The events, some at a time."""
        try:
            for kind in self._kinds:
                yield from self._objects(kind)
        except psycopg.Error as fault:
            raise unavailable(fault) from fault
        finally:
            self.close()

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            self._transaction.rollback()

    def _objects(self, kind: Kind) -> Iterator[bytes]:
        clause = self._view.clauses.get(kind.name)
        text, parameters = _select(kind, clause, self._view)
        self._transaction.raw(f"DECLARE present NO SCROLL CURSOR FOR {text}", parameters)
        while rows := self._transaction.raw(f"FETCH {_FETCH} FROM present").fetchall():
            yield b"".join(_added(kind, row) for row in rows)
        self._transaction.raw("CLOSE present")


def _applies(kind: Kind, view: View) -> bool:
    return view.facts.project_id is None or kind.project_column is not None


def _select(kind: Kind, clause: Clause | None, view: View) -> tuple[str, dict[str, Any]]:
    table = quote(kind.plural)
    project = f"{table}.{quote(kind.project_column)}" if kind.project_column else "NULL"
    parameters: dict[str, Any] = dict(clause.parameters) if clause else {}
    conditions = clause.text if clause else ""
    if view.facts.object_id is not None:
        conditions, parameters["object_"] = f"{conditions} AND {table}.id = %(object_)s", view.facts.object_id
    if view.facts.project_id is not None:
        conditions, parameters["project_"] = f"{conditions} AND {project} = %(project_)s", view.facts.project_id
    text = (
        f"SELECT {table}.id, {project}::text, {table}.version, {object_json(kind)} FROM {table} "
        f"WHERE true{conditions} ORDER BY {table}.id"
    )
    return text, parameters


def _added(kind: Kind, row: tuple[str, str | None, int, str]) -> bytes:
    identifier, project, version, content = row
    facts = {"type": "ADDED", "kind": kind.name, "object_id": identifier, "project_id": project, "version": version}
    body = orjson.dumps({key: value for key, value in facts.items() if value is not None})
    raw = content.encode()
    if b"\n" in raw:
        raw = orjson.dumps(orjson.loads(raw))
    # No id: a stream that breaks off here begins anew.
    return b'event: ADDED\ndata: %b,"object":%b}\n\n' % (body[:-1], raw)
