"""What a backup holds: the table of every kind, and the tables beside them that ask for it, in the order that they refer to each other.

A file is newline-delimited JSON: a header, a line for each row, and an end with the number of rows, so that a file that was
cut off is noticed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.schema import sort_tables

from ambient_core.errors import SetupError
from ambient_core.kinds import Access, Kind, rules_of
from ambient_core.plugins import Plugins

FORMAT = "ambient-backup"
VERSION = 1
EXPORTED = "exported"
"""A table that is no kind's is part of a backup when its ``info`` says so: ``Table(..., info={"exported": True})``."""


@dataclass(frozen=True, slots=True)
class Section:
    """The part of a backup that is one table.

    Args:
        plugin: whose it is.
        table: of the database.
        columns: that are written and read.
        kind: that is kept in it; ``None`` for a table beside the kinds.
    """

    plugin: str
    table: sa.Table
    columns: tuple[str, ...]
    kind: Kind | None

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the primary key."""
        return tuple(column.name for column in self.table.primary_key.columns)


def sections_of(plugins: Plugins, *, secrets: bool, only: Sequence[str] = ()) -> list[Section]:
    """The parts of a backup, parents first.

    Args:
        plugins: that are loaded.
        secrets: whether fields that are never shown are part of it.
        only: names or plurals of kinds; all when empty.

    Raises:
        SetupError: there is no such kind, or a kind cannot be made again without its secret fields.
    """
    kinds = {kind.plural: kind for kind in plugins.registry}
    wanted = {_kind_of(kinds.values(), name).plural for name in only}
    found = {}
    for plugin in plugins.modules:
        for table in plugins.tables(plugin):
            kind = kinds.get(table.name)
            if kind is None and (not table.info.get(EXPORTED) or wanted):
                continue
            if kind is None or not wanted or kind.plural in wanted:
                found[table.name] = Section(plugin, table, _columns(table, secrets=secrets), kind)
    return [found[table.name] for table in sort_tables([s.table for s in found.values()])]


def _kind_of(kinds: Iterable[Kind], name: str) -> Kind:
    listed = list(kinds)
    for kind in listed:
        if name in (kind.name, kind.plural):
            return kind
    raise SetupError(f"There is no kind {name!r}; there are: {', '.join(sorted(kind.name for kind in listed))}.")


def _columns(table: sa.Table, *, secrets: bool) -> tuple[str, ...]:
    hidden = [c for c in table.columns if rules_of(c).access is Access.SECRET and not secrets]
    for column in hidden:
        if not column.nullable and column.server_default is None:
            raise SetupError(
                f"{table.name}.{column.name} is secret and must be there, so {table.name} cannot be made again without it; "
                "write a backup with secrets, or choose other kinds."
            )
    return tuple(column.name for column in table.columns if column not in hidden and column.computed is None)
