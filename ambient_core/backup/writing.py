"""``ambient db export``: one snapshot, written by PostgreSQL line by line, at constant memory."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO

import orjson
import psycopg
from psycopg import sql

from ambient_core import changes
from ambient_core.backup.sections import FORMAT, VERSION, Section
from ambient_core.database import Database

Report = Callable[[str], None]
# JSON in one line has none of these, so COPY neither quotes nor escapes anything.
_PLAIN = r"(FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')"
_HEADS = "SELECT version_num FROM alembic_version ORDER BY 1"
_CHUNK = 1024 * 1024


def export(database: Database, sections: Sequence[Section], to: BinaryIO, report: Report) -> int:
    """Write a backup; answers its number of rows.

    Args:
        database: to read.
        sections: what is wanted of it, parents first.
        to: where it goes.
        report: is told how many rows each table had.

    Raises:
        Unavailable: the database does not answer.
        OSError: it cannot be written.
    """
    connection = database.open_stream()
    try:
        with connection.transaction():
            # A table takes as long as it takes.
            connection.execute("SET LOCAL statement_timeout = 0")
            to.write(_line(_header(connection, sections)))
            rows = 0
            for section in sections:
                count = _copy(connection, section, to)
                report(f"{section.table.name}: {count}")
                rows += count
            to.write(_line({"end": True, "rows": rows}))
            to.flush()
    finally:
        database.close_stream(connection)
    return rows


def _header(connection: "psycopg.Connection[Any]", sections: Sequence[Section]) -> dict[str, Any]:
    """Which database this is, as of when: the cursor is where a reader of the change log goes on."""
    log = changes.horizon(connection.execute).log
    return {
        "format": FORMAT,
        "version": VERSION,
        "at": datetime.now(UTC).isoformat(),
        "cursor": changes.cursor(log, changes.now(connection.execute).position),
        "revisions": [str(row[0]) for row in connection.execute(_HEADS).fetchall()],
        "tables": [section.table.name for section in sections],
    }


def _copy(connection: "psycopg.Connection[Any]", section: Section, to: BinaryIO) -> int:
    with connection.cursor() as cursor:
        with cursor.copy(_statement(section)) as copy:
            held = bytearray()
            for piece in copy:
                held += piece
                if len(held) >= _CHUNK:
                    to.write(held)
                    held.clear()
            to.write(held)
        return cursor.rowcount


def _statement(section: Section) -> sql.Composed:
    table = sql.Identifier(section.table.name)
    columns = sql.SQL(", ").join(map(sql.Identifier, section.columns))
    order = sql.SQL(", ").join(map(sql.Identifier, section.key))
    head = sql.Literal(f'{{"table":"{section.table.name}","row":')
    rows = sql.SQL("SELECT {} || row_to_json(r)::text || '}}' FROM (SELECT {} FROM {} ORDER BY {}) AS r").format(
        head, columns, table, order
    )
    return sql.SQL("COPY ({}) TO STDOUT {}").format(rows, sql.SQL(_PLAIN))


def _line(found: dict[str, Any]) -> bytes:
    return orjson.dumps(found) + b"\n"
