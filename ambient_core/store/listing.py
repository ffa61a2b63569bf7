"""The SQL of a list: one page with what the next one needs to know.

A page that is counted is reached by OFFSET, for callers that know nothing else. A page that follows another begins after the
last object of that one (keyset), at the same cost however deep it lies. The condition "after that object" is not written as
one OR, which no index serves, but as one branch for each way to come after it: equal in the terms before, and beyond in one.
Each branch is a range of an index on the order's terms, in whatever directions, and nulls are a branch of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ambient_core.database.statements import cast, object_json, quote
from ambient_core.kinds import Kind

Order = tuple[tuple[str, bool], ...]
"""Fields of the kind, each with whether it descends; the last one is always the id."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What makes the text of a list's statement.

    Args:
        fields: names to show; all when ``None``.
        order: the order's terms.
        count: whether the matching objects are counted.
        after: for each term, whether the last object has a value there; ``None`` for a page by number.
        size: objects on a page that is not reached by OFFSET, where one plan is good for any value of the parameters: PostgreSQL
            then keeps it. With a parameter for the limit it plans anew each time, which a search needs: the plan that is good for
            any value is a bad one for a rare value.
    """

    fields: tuple[str, ...] | None
    order: Order
    count: bool = True
    after: tuple[bool, ...] | None = None
    size: int | None = None

    @property
    def limit(self) -> str:
        """The size of the page as SQL."""
        return "%(limit_)s::bigint" if self.size is None else str(self.size)

    @property
    def by_number(self) -> bool:
        """Whether the page is reached by OFFSET."""
        return self.after is None and self.size is None

    @property
    def ahead(self) -> bool:
        """Whether one object more is read, to see if there is a next page; a counted page by number knows it."""
        return self.after is not None or not self.count


@lru_cache(maxsize=1024)
def select_list(kind: Kind, where: str, shape: Shape) -> str:
    """Read one page.

    Answers how many objects were read (one more than asked for, where it looks ahead), how many match (NULL when they are
    not counted), the objects' JSON joined by commas, and the last object's values of the order's terms as text.
    """
    table = quote(kind.plural)
    limit = shape.limit + (" + 1" if shape.ahead else "")
    keys = "".join(f", {table}.{quote(name)} AS key_{number}" for number, (name, _) in enumerate(shape.order))
    place = " OFFSET %(offset_)s::bigint" if shape.by_number else ""
    page = (
        f"SELECT {object_json(kind, shape.fields)} AS object{keys} FROM {_rows(kind, where, shape, limit)} "
        f"LIMIT {limit}{place}"
    )
    if shape.ahead:
        page = f"SELECT page.*, row_number() OVER () AS number FROM ({page}) AS page"
    items = "string_agg(object, ',')" + (f" FILTER (WHERE number <= {shape.limit})" if shape.ahead else "")
    total = f"(SELECT count(*) FROM {table} WHERE true{where})" if shape.count else "NULL::bigint"
    last = "".join(f", (array_agg(key_{number}))[{shape.limit}]::text" for number in range(len(shape.order)))
    return f"SELECT count(object), {total}, {items}{last} FROM ({page}) AS page"


@lru_cache(maxsize=1024)
def select_all(kind: Kind, where: str, shape: Shape) -> str:
    """Read every matching object; answers (object) in the order."""
    table = quote(kind.plural)
    return (
        f"SELECT {object_json(kind, shape.fields)} FROM {table} WHERE true{where} ORDER BY {_terms(kind, shape.order)}"
    )


@lru_cache(maxsize=1024)
def select_ids(kind: Kind, where: str) -> str:
    """Lock the matching rows, at most so many, always in the same order; answers (id)."""
    table = quote(kind.plural)
    return f"SELECT {table}.id FROM {table} WHERE true{where} ORDER BY {table}.id LIMIT %(limit_)s::bigint FOR UPDATE"


@lru_cache(maxsize=1024)
def count_all(kind: Kind, where: str) -> str:
    """Count the matching rows; answers (count)."""
    return f"SELECT count(*) FROM {quote(kind.plural)} WHERE true{where}"


def envelope(name: str, page: int, size: int, total: int | None, items: str | None, token: str | None) -> str:
    """A page as it goes out; in one text, because whatever is added later copies a long list once more.

    Args:
        name: of the kind.
        page: its number.
        size: how many objects are on it.
        total: how many there are at all, when they were counted.
        items: the objects as JSON, with commas between.
        token: of the page that follows, if one does.
    """
    counted = "" if total is None else f',"total":{total}'
    following = "" if token is None else f',"next_page_token":"{token}"'
    return f'{{"kind":"{name}List","page":{page},"size":{size}{counted},"items":[{items or ""}]{following}}}'


def key_parameters(after: tuple[str | None, ...]) -> dict[str, str | None]:
    """The last object's values as `select_list` takes them."""
    return {f"key_{number}_": value for number, value in enumerate(after)}


def _rows(kind: Kind, where: str, shape: Shape, limit: str) -> str:
    """The rows that the page is taken from, in their order, under the table's own name.

    Branches are run one after the other, and none once the page is full: an ORDER BY around them would run them all. That
    a UNION ALL keeps to that order is PostgreSQL's way (branches with a LIMIT are never run in parallel), not SQL's word.
    """
    table = quote(kind.plural)
    whole = f" ORDER BY {_terms(kind, shape.order)}"
    branches = list(_branches(kind, shape) if shape.after is not None else _beginning(kind, shape))
    if not branches:
        return f"{table} WHERE true{where}{whole}"
    if shape.by_number:
        limit += " + %(offset_)s::bigint"
    if len(branches) == 1:
        return f"{table} WHERE true{where}{branches[0][0]}{whole}"
    parts = (
        f"(SELECT {table}.* FROM {table} WHERE true{where}{condition} ORDER BY {order} LIMIT {limit})"
        for condition, order in branches
    )
    return f"({' UNION ALL '.join(parts)}) AS {table}"


def _branches(kind: Kind, shape: Shape) -> Iterator[tuple[str, str]]:
    """The ways to come after the last object: each a condition, and the order within it; the nearest first."""
    assert shape.after is not None
    for number in reversed(range(len(shape.order))):
        name, descending = shape.order[number]
        if not shape.after[number]:
            continue
        same = "".join(
            f" AND {_column(kind, shape.order[n][0])} "
            + (f"= {_value(kind, shape.order[n][0], n)}" if shape.after[n] else "IS NULL")
            for n in range(number)
        )
        rest = shape.order[number + 1 :]
        beyond = f" AND {_column(kind, name)} {'<' if descending else '>'} {_value(kind, name, number)}"
        # Nulls do not meet the condition, so that where they sort need not be said: a plain index has the order.
        first = f"{_column(kind, name)} {'DESC' if descending else 'ASC'}"
        yield same + beyond, ", ".join([first, *([_terms(kind, rest)] if rest else [])])
        if kind.table.columns[name].nullable:
            yield f"{same} AND {_column(kind, name)} IS NULL", _terms(kind, rest)


def _beginning(kind: Kind, shape: Shape) -> Iterator[tuple[str, str]]:
    """The first page of a descending order with nulls at its end: no plain index has that order, but each half has it."""
    name, descending = shape.order[0]
    if descending and shape.ahead and kind.table.columns[name].nullable:
        rest = shape.order[1:]
        yield f" AND {_column(kind, name)} IS NOT NULL", f"{_column(kind, name)} DESC, {_terms(kind, rest)}"
        yield f" AND {_column(kind, name)} IS NULL", _terms(kind, rest)


def _terms(kind: Kind, order: Order) -> str:
    return ", ".join(
        f"{_column(kind, name)} {'DESC' if descending else 'ASC'}"
        # PostgreSQL puts nulls first when descending; callers expect "no value" at the end either way.
        + (" NULLS LAST" if kind.table.columns[name].nullable and descending else "")
        for name, descending in order
    )


def _column(kind: Kind, name: str) -> str:
    return f"{quote(kind.plural)}.{quote(name)}"


def _value(kind: Kind, name: str, number: int) -> str:
    return cast(kind.table.columns[name], f"key_{number}_")
