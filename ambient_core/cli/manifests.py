"""Files of declared objects: YAML or JSON, several documents each, read with the line that each begins at."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ambient_core.errors import SetupError

SUFFIXES = (".json", ".yaml", ".yml")
_LARGEST = 16 * 1024 * 1024
_MOST = 100_000
_TIME = "tag:yaml.org,2002:timestamp"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One declared object.

    Args:
        kind: as it was written: ``Skill`` or ``skills``.
        fields: what was written beside it.
        place: ``file:line``, for what is said about it.
    """

    kind: str
    fields: dict[str, Any]
    place: str


class _Loader(yaml.SafeLoader):
    """Plain YAML: no aliases, because a few lines of them can mean gigabytes; no key twice; times stay text."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own attribute
        first: [(tag, pattern) for tag, pattern in found if tag != _TIME]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call] # PyYAML has no types here
            raise yaml.MarkedYAMLError(problem="aliases (*name) are not taken", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a name must be text", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value!r} is given twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def read(names: Iterable[str], standard_input: Iterable[str] = (), *, recursive: bool = False) -> list[Manifest]:
    """Every document of files and folders, in their order; a folder's files sorted by name.

    Args:
        names: files, folders, or ``-`` for the standard input.
        standard_input: its lines.
        recursive: whether folders in folders are read too.

    Raises:
        SetupError: naming file and line.
    """
    found: list[Manifest] = []
    for name, text in _texts(names, standard_input, recursive=recursive):
        for line, value in values(name, text):
            found.append(_manifest(f"{name}:{line}", value))
            if len(found) > _MOST:
                raise SetupError(f"There are more than {_MOST} documents; apply fewer files at a time.")
    if not found:
        raise SetupError(f"There is no document in {', '.join(names)}.")
    return found


def _texts(names: Iterable[str], standard_input: Iterable[str], *, recursive: bool) -> Iterator[tuple[str, str]]:
    for name in names:
        if name == "-":
            yield name, "".join(standard_input)
            continue
        path = Path(name)
        if not path.is_dir():
            yield name, _text(path)
            continue
        inside = path.rglob("*") if recursive else path.glob("*")
        files = sorted(file for file in inside if file.suffix in SUFFIXES and file.is_file())
        if not files:
            raise SetupError(f"{name}: there is no {', '.join(SUFFIXES)} file in this folder.")
        for file in files:
            yield str(file), _text(file)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise SetupError(f"{path} has more than {_LARGEST} bytes; split it.")
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise SetupError(f"{path} is no text in UTF-8.") from None
    except OSError as fault:
        raise SetupError(f"{path} cannot be read: {fault.strerror}.") from None


def values(name: str, text: str) -> Iterator[tuple[int, Any]]:
    """Each value of a text in YAML or JSON, with the line that it begins at.

    Args:
        name: what the text is called; one that ends as YAML is read as YAML.

    Raises:
        SetupError: naming text and line.
    """
    try:
        yield from (
            _json(text) if text.lstrip()[:1] in ("{", "[") and not name.endswith((".yaml", ".yml")) else _yaml(text)
        )
    except yaml.MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else 1
        raise SetupError(f"{name}:{line}: this is no YAML that can be taken: {fault.problem}.") from None
    except yaml.YAMLError as fault:
        raise SetupError(f"{name}: this is no YAML that can be taken: {str(fault).splitlines()[0]}.") from None
    except json.JSONDecodeError as fault:
        raise SetupError(f"{name}:{fault.lineno}: this is no JSON: {fault.msg}.") from None
    except (RecursionError, ValueError) as fault:
        reason = "it is nested too deeply" if isinstance(fault, RecursionError) else str(fault)
        raise SetupError(f"{name}: this cannot be taken: {reason}.") from None


def _yaml(text: str) -> Iterator[tuple[int, Any]]:
    loader = _Loader(text)
    try:
        while loader.check_node():
            node: Any = loader.get_node()
            many = isinstance(node, yaml.SequenceNode)
            for each in node.value if many else [node]:
                value = loader.construct_document(each)
                if value is not None:
                    yield each.start_mark.line + 1, value
    finally:
        loader.dispose()


def _json(text: str) -> Iterator[tuple[int, Any]]:
    decoder = json.JSONDecoder(object_pairs_hook=_once)
    at = len(text) - len(text.lstrip())
    while at < len(text):
        value, end = decoder.raw_decode(text, at)
        line = text.count("\n", 0, at) + 1
        yield from ((line, each) for each in (value if isinstance(value, list) else [value]))
        at = len(text) - len(text[end:].lstrip())


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is given twice in one object")
    return found


def _manifest(place: str, value: Any) -> Manifest:
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str):
        raise SetupError(f"{place}: a document is an object with kind, such as kind: Skill, and its fields beside it.")
    try:
        # What JSON cannot hold is said here, with its place, and not by the request.
        fields = json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError):
        raise SetupError(f"{place}: a value is nothing that JSON can hold.") from None
    return Manifest(fields.pop("kind"), fields, place)
