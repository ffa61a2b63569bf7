"""A condition that costs less where only the first few rows are wanted, asked in another way there."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Boolean, ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

PAGE = "of_page"
"""What the compiler is told where a page is filled, and the rows after it are left alone."""


class Paged(ColumnElement[bool]):
    """One condition, written in two ways that hold for the same rows.

    Args:
        whole: how it is asked where every row may be looked at: a count, a stream, a search.
        page: how it is asked of rows in the order of their ids until a page is full: it may be dear for a row that meets it.
    """

    inherit_cache = False
    type = Boolean()

    def __init__(self, whole: "ColumnElement[bool]", page: "ColumnElement[bool]") -> None:
        self.whole = whole
        self.page = page

    def get_children(self, **_options: Any) -> "Iterable[ColumnElement[bool]]":
        """Both, for whoever looks for the tables and columns in it."""
        return self.whole, self.page

    def self_group(self, against: Any = None) -> "Paged":
        """Itself: it is written in parentheses wherever it stands."""
        return self


@compiles(Paged)
def _compiled(element: Paged, compiler: SQLCompiler, **options: Any) -> str:
    asked = element.page if options.get(PAGE) else element.whole
    return f"({compiler.process(asked, **options)})"
