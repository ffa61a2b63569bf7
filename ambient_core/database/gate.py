"""The gate before the database: a statement on a kind's table says that it keeps to the caller's scope, or it is not run.

Whoever writes a statement by hand may forget the scope; nobody can leave out the mark and be answered. The mark is a comment
that comes with the compiled scope (`statements.scoped`), also where a caller has no limit. What the system does on its own
account goes by `Transaction.as_system`, whose every use a test lists.
"""

import re
from collections.abc import Callable, Collection

_STRINGS = re.compile(r"'(?:[^']|'')*'")
_ESCAPES = re.compile(r"\bE'|\bU&|\$\w*\$", re.IGNORECASE)
_MARKS = re.compile(r"/\*in scope of (\w+)\*/")
_COMMENTS = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)
_INSERTED = re.compile(r"(\bINTO\s+[\w.]+)\s*\([^()]*\)", re.IGNORECASE)
_PARAMETERS = re.compile(r"%\(\w+\)s")
# A name that qualifies a column, is one, or is given by AS, is no table; `public.` qualifies a table.
_NAMES = re.compile(r"(?:(?<![\w.])|(?<=public\.))(?<!\bas )([a-z_]\w*)\b(?!\s*(?:\.|=|\())", re.IGNORECASE)
_MOST_KEPT = 4_000


class Ungated(RuntimeError):
    """A statement on a kind's table that does not say whose rows it is about: a fault of who wrote it."""


def mark(plural: str) -> str:
    """What a statement carries that keeps to the scope of this kind."""
    return f"/*in scope of {plural}*/"


class Gate:
    """Looks at each statement once.

    Args:
        plurals: gives the tables of the kinds that are served.
    """

    def __init__(self, plurals: Callable[[], Collection[str]]) -> None:
        self._plurals = plurals
        self._passed: set[str] = set()

    def check(self, statement: str) -> None:
        """Refuse a statement that names a kind's table without the mark of its scope; what passed once passes again.

        Raises:
            Ungated: naming the table.
        """
        if statement in self._passed:
            return
        self.look(statement)
        if len(self._passed) >= _MOST_KEPT:
            self._passed.clear()
        self._passed.add(statement)

    def look(self, statement: str) -> None:
        """The same for a statement that has values in it, and will not come again.

        Raises:
            Ungated: naming the table.
        """
        for plural in sorted(tables_named(statement, self._plurals()) - set(_MARKS.findall(statement))):
            raise Ungated(
                f"A statement on {plural!r} carries no scope: use the Store's own verbs, `Store.limited` for SQLAlchemy or "
                "`Store.scope` for text; a column of that name must be qualified with its table."
            )


def tables_named(statement: str, plurals: Collection[str]) -> set[str]:
    """The kinds' tables that a statement may touch: rather one too many than one too few."""
    # Strings and names with escapes of their own are read as if they were SQL.
    plain = statement if _ESCAPES.search(statement) else _STRINGS.sub(" ", statement)
    text = _COMMENTS.sub(" ", plain).replace('"', "")
    text = _PARAMETERS.sub(" ", _INSERTED.sub(r"\1 ", text))
    return {name.lower() for name in _NAMES.findall(text)} & set(plurals)
