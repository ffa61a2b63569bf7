"""Everything that the plugins keep, as a file of lines: written from one snapshot, read into an empty or a running system."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ambient_core import migrate
from ambient_core.backup import writing
from ambient_core.backup.loading import Import, Imported
from ambient_core.backup.sections import sections_of
from ambient_core.config import Settings
from ambient_core.database import Database
from ambient_core.errors import SetupError
from ambient_core.plugins import Plugins, load_plugins
from ambient_core.profiles import given_keyring
from ambient_core.revisions import branches_of, unapplied

Report = Callable[[str], None]


def export(
    settings: Settings,
    to: BinaryIO,
    kinds: Sequence[str] = (),
    *,
    secrets: bool = False,
    report: Report = lambda _line: None,
) -> int:
    """Write a backup of the database; answers its number of rows.

    Args:
        settings: name the database.
        to: where it goes.
        kinds: names of kinds; everything when empty.
        secrets: whether fields that are never shown are part of it.
        report: is told how many rows each table had.

    Raises:
        SetupError: there is no such kind, or the database is not up to date.
        Unavailable: the database does not answer.
    """
    database = _open(settings)
    try:
        plugins = _plugins(settings, database)
        return writing.export(database, sections_of(plugins, secrets=secrets, only=kinds), to, report)
    finally:
        database.close()


def load(
    settings: Settings, source: BinaryIO, *, overwrite: bool = False, report: Report = lambda _line: None
) -> Imported:
    """Read a backup into the database.

    Args:
        settings: name the database.
        source: the backup.
        overwrite: whether objects that are here and differ become as the backup has them.
        report: is told of each table that is done.

    Raises:
        SetupError: it cannot be read here, or is not whole, or the database is not up to date.
        Unavailable: the database does not answer; begin again.
    """
    database = _open(settings)
    try:
        plugins = _plugins(settings, database)
        sections = {section.table.name: section for section in sections_of(plugins, secrets=True)}
        branches, _ = migrate.readable_branches(plugins)
        known = [revision for branch in branches for revision in branch.revisions]
        return Import(database, sections, given_keyring(settings), overwrite=overwrite).read(source, known, report)
    finally:
        database.close()


@contextmanager
def written(path: str) -> Iterator[BinaryIO]:
    """A file that is there when it is whole, and that nobody else may read; ``-`` is the standard output.

    Raises:
        SetupError: it cannot be written.
    """
    if path == "-":
        yield sys.stdout.buffer
        return
    part = Path(f"{path}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as to:
            yield to
            to.flush()
            os.fsync(to.fileno())
        part.replace(path)
    except OSError as fault:
        raise SetupError(f"{path} cannot be written: {fault.strerror}") from fault
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _open(settings: Settings) -> Database:
    return Database(settings.database_url, pool_size=2, statement_timeout=0, name="ambient-backup")


def _plugins(settings: Settings, database: Database) -> Plugins:
    plugins = load_plugins(settings)
    if pending := unapplied(database, branches_of(plugins)):
        raise SetupError(f"The database is not up to date ({', '.join(pending)}); run: ambient db upgrade")
    return plugins


__all__ = ["Imported", "export", "load", "written"]
