"""What a declaration means for the table beyond its columns: unique groups, and the indexes that ``search`` is served by."""

import hashlib
import logging
from collections.abc import Iterable, Iterator

from sqlalchemy import Column, Connection, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError

from ambient_core.kinds import Kind, rules_of

log = logging.getLogger(__name__)
PREFIX = "trgm_"
"""What the names of trigram indexes begin with; they are in no migration, because a server may lack the extension."""

_AVAILABLE = "SELECT installed_version IS NOT NULL FROM pg_available_extensions WHERE name = 'pg_trgm'"
_MISSING = "pg_trgm cannot be had here (%s); words inside text are looked for without an index"


def complete_table(kind: Kind) -> None:
    """Add to a kind's table what its declaration says of groups of fields and of JSON fields."""
    present = {tuple(c.columns.keys()) for c in kind.table.constraints if isinstance(c, UniqueConstraint)}
    for group in kind.unique:
        if tuple(group) not in present:
            kind.table.append_constraint(UniqueConstraint(*group))
    indexed = {tuple(index.columns.keys()) for index in kind.table.indexes}
    for column in kind.table.columns:
        if rules_of(column).index and isinstance(column.type, JSONB) and (column.name,) not in indexed:
            Index(None, column, postgresql_using="gin", postgresql_ops={column.name: "jsonb_path_ops"})


def text_indexes(kinds: Iterable[Kind]) -> "Iterator[tuple[str, Column[object]]]":
    """The trigram indexes of the fields that are declared with ``search="text"``, by name."""
    for kind in kinds:
        for column in kind.table.columns:
            if rules_of(column).search == "text":
                name = f"{PREFIX}{kind.plural}_{column.name}"
                if len(name) > 63:
                    name = f"{name[:54]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
                yield name, column


def make_text_indexes(connection: Connection, kinds: Iterable[Kind]) -> None:
    """Make the trigram indexes that are not there yet; where the server has no ``pg_trgm``, the log says so and that is all.

    Args:
        connection: without an open transaction.
    """
    wanted = list(text_indexes(kinds))
    if not wanted or not _extension(connection):
        return
    quote = connection.dialect.identifier_preparer.quote
    for name, column in wanted:
        table = quote(column.table.name)
        if connection.execute(text("SELECT to_regclass(:table)"), {"table": table}).scalar() is None:
            continue
        connection.execute(
            text(f"CREATE INDEX IF NOT EXISTS {quote(name)} ON {table} USING gin ({quote(column.name)} gin_trgm_ops)")
        )
        connection.commit()


def _extension(connection: Connection) -> bool:
    installed = connection.execute(text(_AVAILABLE)).scalar()
    connection.commit()
    if installed is None:
        log.warning(_MISSING, "the server does not have it")
    elif not installed:
        try:
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
            connection.commit()
        except DBAPIError:
            connection.rollback()
            log.warning(_MISSING, "this role may not create it")
            return False
    return installed is not None
