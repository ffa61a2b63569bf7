"""Which page, in which order, which fields: the list parameters as values and SQL terms."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from ambient_core.errors import BadQuery
from ambient_core.search import Column

LARGEST_SIZE = 500
LARGEST_PAGE = 2**53
_LONGEST = 2048


@dataclass(frozen=True, slots=True)
class Term:
    """One term of an order.

    Args:
        column: the field; objects without a value come last, whatever the direction.
        descending: from the largest to the smallest.
    """

    column: Column
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list.

    Args:
        page: number of the page, from 1.
        size: objects on a page.
        after: the last object of the page before, as its values of the order's terms; ``None`` where pages are counted.
        total: whether the matching objects are counted.
    """

    page: int = 1
    size: int = 100
    after: tuple[str | None, ...] | None = None
    total: bool = True

    @property
    def offset(self) -> int:
        """Objects before this page."""
        return (self.page - 1) * self.size


def page_of(arguments: Mapping[str, Sequence[str]]) -> Page:
    """Read ``page``, ``size`` and ``total``.

    Args:
        arguments: all values of each query parameter.

    Raises:
        BadQuery: naming the parameter and its rule.
    """
    return Page(
        whole("page", arguments.get("page") or ["1"], 1, LARGEST_PAGE),
        whole("size", arguments.get("size") or ["100"], 1, LARGEST_SIZE),
        total=truth("total", _once("total", arguments.get("total")), default="page_token" not in arguments),
    )


def truth(name: str, text: str | None, *, default: bool) -> bool:
    """Read a parameter that is ``true`` or ``false``.

    Raises:
        BadQuery: it is something else.
    """
    if text is None:
        return default
    if text not in ("true", "false"):
        raise BadQuery(f"{name} must be true or false; it is {text[:40]!r}.")
    return text == "true"


def _once(name: str, values: Sequence[str] | None) -> str | None:
    if values and len(values) > 1:
        raise BadQuery(f"The parameter {name!r} came {len(values)} times; give it once.")
    return values[0] if values else None


def whole(name: str, values: Sequence[str], least: int, largest: int) -> int:
    """Read a whole number.

    Raises:
        BadQuery: it came twice, is none, or is not in its range.
    """
    text = _once(name, values) or ""
    if not (text.isascii() and text.isdigit() and len(text) <= 17 and least <= int(text) <= largest):
        raise BadQuery(f"{name} must be a whole number from {least} to {largest}; it is {text[:40]!r}.")
    return int(text)


def order_of(text: str | None, columns: Mapping[str, Column]) -> tuple[Term, ...]:
    """Read ``orderBy``: ``name, created_at desc``; id is always the last term, so that the order is total.

    Raises:
        BadQuery: a field is unknown, named twice or holds JSON, or a direction is no direction.
    """
    terms: dict[str, Term] = {}
    for part in _parts("orderBy", text):
        name, *rest = part.split()
        direction = rest[0].lower() if rest else "asc"
        if len(rest) > 1 or direction not in ("asc", "desc"):
            raise BadQuery(f"orderBy: {part[:80]!r} must be a field, or a field followed by asc or desc.")
        column = columns.get(name)
        if column is None:
            raise BadQuery(f"orderBy: there is no field {name[:80]!r}; {_hint(name, columns)}")
        if column.type == "json" or name in terms:
            reason = "holds JSON and has no order" if column.type == "json" else "is named twice"
            raise BadQuery(f"orderBy: the field {name!r} {reason}.")
        terms[name] = Term(column, direction == "desc")
    if "id" not in terms:
        terms["id"] = Term(columns["id"])
    # Nothing can tie after the id, so what follows it orders nothing.
    names = list(terms)
    return tuple(terms.values())[: names.index("id") + 1]


def fields_of(text: str | None, names: Collection[str]) -> tuple[str, ...] | None:
    """Read ``fields``: the names to show, in the order of declaration; ``None`` shows all.

    Raises:
        BadQuery: a field is unknown.
    """
    if text is None:
        return None
    asked = _parts("fields", text)
    always = {"id", "kind", "href"}
    if unknown := [name for name in asked if name not in names and name not in always]:
        raise BadQuery(f"fields: there is no field {unknown[0][:80]!r}; {_hint(unknown[0], names)}")
    return tuple(name for name in names if name in asked)


def _parts(parameter: str, text: str | None) -> list[str]:
    if text is None or not text.strip():
        return []
    if len(text) > _LONGEST:
        raise BadQuery(f"{parameter} has {len(text)} characters; {_LONGEST} are the most.")
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise BadQuery(f"{parameter} has an empty place between commas.")
    return parts


def _hint(name: str, names: Collection[str]) -> str:
    close = get_close_matches(name, list(names), n=1)
    return f"did you mean {close[0]!r}?" if close else f"known fields: {', '.join(sorted(names))}."
