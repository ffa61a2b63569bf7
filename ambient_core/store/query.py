"""What a list asks for, and its texts in SQL, made once."""

from dataclasses import dataclass, replace
from functools import cached_property

from sqlalchemy import ColumnElement

from ambient_core.database.statements import Clause, clause_of
from ambient_core.identity import Principal
from ambient_core.search.paging import Page, Term
from ambient_core.store import listing

FEW = 50
"""Objects on a page up to which it is cheaper to look each of them up than to read all that could be asked for."""


@dataclass(frozen=True)
class Query:
    """What a list asks for.

    Args:
        page: which page, how large.
        where: condition of ``search``, if any.
        order: order terms, always with the id as the last.
        fields: names to show; all when ``None``.
        binding: what makes this list this list; page tokens are bound to it.
    """

    page: Page
    where: "ColumnElement[bool] | None"
    order: tuple[Term, ...]
    fields: tuple[str, ...] | None = None
    binding: bytes = b""

    def bound_to(self, principal: Principal) -> bytes:
        """What a page token of this list is bound to, for this caller."""
        return self.binding + principal.actor.encode()

    @cached_property
    def clause(self) -> Clause:
        """The condition as SQL, for a caller without a scope; made once, because queries are kept."""
        return clause_of(self.where)

    @cached_property
    def terms(self) -> listing.Order:
        """The order as field names."""
        return tuple((term.column.name, term.descending) for term in self.order)

    @cached_property
    def shape(self) -> listing.Shape:
        """What makes the text of the statement."""
        page = self.page
        after = None if page.after is None else tuple(value is not None for value in page.after)
        return listing.Shape(self.fields, self.terms, page.total, after)

    @cached_property
    def plain(self) -> listing.Shape:
        """The same with the size in the text of the statement."""
        return replace(self.shape, size=self.page.size)

    @cached_property
    def is_steady(self) -> bool:
        """Whether the plan of one such page is good for any: the first one, and those after some id."""
        page = self.page
        return len(self.order) == 1 if page.after is not None else not page.offset

    @cached_property
    def fills_a_page(self) -> bool:
        """Whether rows are looked at in the order of their ids, and none after a page that is soon full."""
        page = self.page
        whole = page.total or self.where is not None or len(self.order) > 1
        return self.is_steady and not whole and page.size <= FEW
