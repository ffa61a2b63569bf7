"""The Tree Search Language of ``?search=`` as a tree: pure, and knows no column.

The text is checked for length and nesting before it is parsed, so that a hostile one costs microseconds.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput
from lark.exceptions import VisitError

from ambient_core.errors import BadQuery

LONGEST = 4096
DEEPEST = 32
MOST_TERMS = 200
DEEPEST_PATH = 8

_STRING = re.compile(r"'(?:[^']|'')*'")


@dataclass(frozen=True, slots=True)
class Value:
    """A value in the text: its kind, itself, and where it stands (1-based)."""

    kind: Literal["string", "number", "boolean"]
    value: str | bool
    at: int


@dataclass(frozen=True, slots=True)
class Field:
    """A field, or with a path a part of what a JSON field holds (``labels.team``), and where it stands (1-based)."""

    name: str
    path: tuple[str, ...]
    at: int

    def __str__(self) -> str:
        return ".".join((self.name, *self.path))


@dataclass(frozen=True, slots=True)
class Condition:
    """``field operator values``."""

    field: Field
    operator: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """Conditions joined by ``and`` or ``or``."""

    word: Literal["and", "or"]
    parts: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Negation:
    """``not`` something."""

    part: "Expression"


Expression = Condition | Joined | Negation


def parse(text: str) -> Expression:
    """Read a search text.

    Raises:
        BadQuery: with the position (1-based) of what is wrong and what would be right.
    """
    _check_size(text)
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as fault:
        raise _unexpected(fault, text) from None
    try:
        expression: Expression = _Tree().transform(tree)
    except VisitError as fault:
        raise fault.orig_exc from None
    terms = sum(max(1, len(condition.values)) for condition in _conditions(expression))
    if terms > MOST_TERMS:
        raise BadQuery(f"search has {terms} values; {MOST_TERMS} are the most.")
    return expression


def _check_size(text: str) -> None:
    if len(text) > LONGEST:
        raise BadQuery(f"search has {len(text)} characters; {LONGEST} are the most.")
    if "\0" in text or any(0xD800 <= ord(c) <= 0xDFFF for c in text):
        raise BadQuery("search holds a character that no text may hold (U+0000 or a lone surrogate).")
    depth, deepest = 0, 0
    bare = _STRING.sub("", text)
    for character in bare:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    nots = len(re.findall(r"\bnot\b", bare, re.IGNORECASE))
    if deepest > DEEPEST or nots > MOST_TERMS:
        raise BadQuery(f"search is nested too deep; {DEEPEST} levels of parentheses are the most.")


@cache
def _parser() -> Lark:
    grammar = resources.files("ambient_core.search").joinpath("search.lark").read_text()
    return Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def _unexpected(fault: UnexpectedInput, text: str) -> BadQuery:
    at = (fault.pos_in_stream or 0) + 1
    if isinstance(fault, UnexpectedCharacters) and text[at - 1 : at] == "'":
        return BadQuery(f"search: the string that starts at position {at} has no closing quote.")
    if at > len(text) or getattr(getattr(fault, "token", None), "type", "") == "$END":
        return BadQuery("search ends too early; a condition is: field operator value, such as name = 'x'.")
    near = text[at - 1 : at + 15]
    if near.lower().startswith("null"):
        return BadQuery(f"search: nothing equals null (position {at}); write is null, or is not null.")
    return BadQuery(
        f"search: {near!r} at position {at} does not fit; a condition is: field operator value, such as name = 'x'."
    )


def _conditions(expression: Expression) -> Iterator[Condition]:
    stack = [expression]
    while stack:
        part = stack.pop()
        if isinstance(part, Condition):
            yield part
        elif isinstance(part, Negation):
            stack.append(part.part)
        else:
            stack.extend(part.parts)


def _step(text: str) -> str:
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


class _Tree(Transformer[Token, Any]):
    """From lark's tree to ours."""

    def any(self, parts: list[Any]) -> Joined:
        return Joined("or", tuple(parts))

    def all(self, parts: list[Any]) -> Joined:
        return Joined("and", tuple(parts))

    def negation(self, parts: list[Any]) -> Negation:
        return Negation(parts[0])

    def field(self, parts: list[Token]) -> Field:
        name, *steps = parts
        at = (name.start_pos or 0) + 1
        if len(steps) > DEEPEST_PATH:
            raise BadQuery(f"search: the path at position {at} has more than {DEEPEST_PATH} steps.")
        return Field(str(name), tuple(_step(step[1:]) for step in steps), at)

    def string(self, parts: list[Token]) -> Value:
        return Value("string", parts[0][1:-1].replace("''", "'"), (parts[0].start_pos or 0) + 1)

    def number(self, parts: list[Token]) -> Value:
        return Value("number", str(parts[0]), (parts[0].start_pos or 0) + 1)

    def true(self, parts: list[Token]) -> Value:
        return Value("boolean", True, (parts[0].start_pos or 0) + 1)

    def false(self, parts: list[Token]) -> Value:
        return Value("boolean", False, (parts[0].start_pos or 0) + 1)

    def comparison(self, parts: list[Any]) -> Condition:
        name, sign, value = parts
        return Condition(name, str(sign), (value,))

    def __default__(self, data: Any, children: list[Any], meta: Any) -> Any:
        name, *values = children
        return Condition(name, str(data), tuple(values))
