"""Path expressions: which values of an answer are printed, as ``.items[*].name`` or ``{.id} {.labels.team}``. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

_STEP = re.compile(
    r"""\.(?P<name>[A-Za-z_][A-Za-z0-9_-]*)"""
    r"""|\[(?P<number>-?\d+)\]"""
    r"""|\[(?P<quote>['"])(?P<quoted>(?:(?!(?P=quote)).)*)(?P=quote)\]"""
    r"""|(?P<all>\[\*\]|\.\*)"""
)
_ESCAPES = {"n": "\n", "t": "\t"}
_ALL = object()


class BadPath(ValueError):
    """An expression that cannot be read; says where."""


@dataclass(frozen=True, slots=True)
class Path:
    """One expression: names, numbers and "all of them", from the outside in."""

    steps: tuple[Any, ...]

    def values(self, whole: Any) -> list[Any]:
        """Every value that it leads to; what is not there gives none."""
        found = [whole]
        for step in self.steps:
            found = [value for one in found for value in _taken(one, step)]
        return found


def path(text: str) -> Path:
    """Read one expression: ``.items[*].name``, ``items[0]``, ``labels['a.b']``; a leading ``$`` is allowed.

    Raises:
        BadPath: naming where.
    """
    rest = text.strip().removeprefix("$").removeprefix("@")
    if rest in ("", "."):
        return Path(())
    rest = rest if rest[0] in ".[" else f".{rest}"
    steps: list[Any] = []
    at = 0
    while at < len(rest):
        match = _STEP.match(rest, at)
        if match is None:
            raise BadPath(
                f"{text!r} cannot be read from {rest[at:]!r} on; it takes .name, ['name'], [0], [-1] and [*]."
            )
        steps.append(_step(match))
        at = match.end()
    return Path(tuple(steps))


def template(text: str) -> Sequence[str | Path]:
    r"""Read text with expressions in braces, or one expression without; ``\n`` and ``\t`` in the text are what they mean.

    Raises:
        BadPath: naming where.
    """
    if "{" not in text:
        return [path(text)]
    parts: list[str | Path] = []
    at = 0
    while at < len(text):
        start = text.find("{", at)
        plain = text[at:] if start < 0 else text[at:start]
        if "}" in plain:
            raise BadPath(f"{text!r} has a }} without a {{.")
        if plain:
            parts.append(re.sub(r"\\([nt])", lambda match: _ESCAPES[match[1]], plain))
        if start < 0:
            break
        end = text.find("}", start)
        if end < 0:
            raise BadPath(f"{text!r} has a {{ without a }}.")
        parts.append(path(text[start + 1 : end]))
        at = end + 1
    return parts


def rendered(parts: Sequence[str | Path], whole: Any) -> str:
    """The text of a template; several values of one expression come a line each."""
    return "".join(
        part if isinstance(part, str) else "\n".join(text_of(value) for value in part.values(whole)) for part in parts
    )


def text_of(value: Any) -> str:
    """A value as text: strings as they are, the rest as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _step(match: "re.Match[str]") -> Any:
    if match["all"]:
        return _ALL
    if match["number"] is not None:
        return int(match["number"])
    return match["name"] if match["name"] is not None else match["quoted"]


def _taken(value: Any, step: Any) -> Iterator[Any]:
    if step is _ALL:
        yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    elif isinstance(step, int):
        if isinstance(value, list) and -len(value) <= step < len(value):
            yield value[step]
    elif isinstance(value, dict) and step in value:
        yield value[step]
