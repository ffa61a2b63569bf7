"""The lines of a backup: checked, and handed out in runs of one table."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

from ambient_core.backup.sections import FORMAT, VERSION
from ambient_core.errors import SetupError

_LONGEST_LINE = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Header:
    """What a backup says of itself.

    Args:
        at: when it was written.
        revisions: of the schema that it was written from.
        tables: that are in it, parents first.
    """

    at: str
    revisions: tuple[str, ...]
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Some rows of one table, one after the other in the file.

    Args:
        table: its name.
        rows: each as the table has it.
        line: of the file where they begin.
    """

    table: str
    rows: list[dict[str, Any]]
    line: int


class Backup:
    """A backup that is read from its beginning to its end.

    Args:
        source: the file.

    Raises:
        SetupError: it is none that can be read here.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._lines = enumerate(_lines(source), 1)
        self.header = _header(next(self._lines, (1, b""))[1])
        self._rows = 0

    def check(self, revisions: Collection[str], tables: Collection[str]) -> None:
        """Refuse a backup of a schema that is newer than this one, or has what is not here.

        Args:
            revisions: that are known here.
            tables: that are here.

        Raises:
            SetupError: saying what to do.
        """
        if unknown := [one for one in self.header.tables if one not in tables]:
            raise SetupError(
                f"The backup has {', '.join(unknown)}, which no loaded plugin keeps; install it, or set it right."
            )
        if newer := [one for one in self.header.revisions if one not in revisions]:
            raise SetupError(f"The backup was written by newer schema {', '.join(newer)}; upgrade this one first.")

    def runs(self, size: int) -> Iterator[Run]:
        """Its rows, up to so many of one table at once.

        Raises:
            SetupError: a line cannot be read, or the file ends before its end.
        """
        run: Run | None = None
        for number, line in self._lines:
            found = _read(line, number)
            if found.get("end") is True:
                self._check_end(found, number)
                break
            table, row = found.get("table"), found.get("row")
            if table not in self.header.tables or not isinstance(row, dict):
                raise SetupError(f"Line {number} is no row of the backup's tables.")
            if run is not None and (run.table != table or len(run.rows) == size):
                yield run
                run = None
            run = run or Run(str(table), [], number)
            run.rows.append(row)
            self._rows += 1
        else:
            raise SetupError(
                "The backup breaks off before its end; what was read of it is kept, and may be read again."
            )
        if run is not None:
            yield run

    def _check_end(self, found: dict[str, Any], number: int) -> None:
        if found.get("rows") != self._rows:
            raise SetupError(f"The backup says that it has {found.get('rows')} rows, and {self._rows} came.")
        if next(self._lines, None) is not None:
            raise SetupError(f"Something follows the backup's end (line {number + 1}).")


def _lines(source: BinaryIO) -> Iterator[bytes]:
    while line := source.readline(_LONGEST_LINE):
        yield line


def _read(line: bytes, number: int) -> dict[str, Any]:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise SetupError(f"Line {number} is no JSON; is this a file that `ambient db export` wrote?") from None
    if not isinstance(found, dict):
        raise SetupError(f"Line {number} is no JSON object.")
    return found


def _header(line: bytes) -> Header:
    found = _read(line, 1)
    if found.get("format") != FORMAT:
        raise SetupError("This is no file that `ambient db export` wrote.")
    if found.get("version") != VERSION:
        raise SetupError(f"The backup has format {found.get('version')}; this version reads format {VERSION}.")
    return Header(str(found.get("at")), tuple(map(str, found["revisions"])), tuple(map(str, found["tables"])))
