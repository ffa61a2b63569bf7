"""A server's contract as the command line reads it: its kinds with fields, unique names and actions. Pure: document in, kinds out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

Schema = Mapping[str, Any]

_VERBS = ("get", "list", "create", "patch", "delete")
_ITEM = "/{id}"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class RemoteAction:
    """A verb beyond the five.

    Args:
        name: as a word of the command line: ``hand-over``.
        method: of HTTP.
        path: below the kind's path, with ``{id}`` where the object's id goes.
        summary: one sentence.
        body: schema of what it is given; ``None`` without.
        query: its own query parameters, by name.
        text: whether it answers plain text, line by line.
        rehearses: whether it takes ``dry_run``.
        until: when what it began is over: field -> value -> whether that is what was wanted.
    """

    name: str
    method: str
    path: str
    summary: str = ""
    body: Schema | None = None
    query: Mapping[str, Schema] = field(default_factory=dict)
    text: bool = False
    rehearses: bool = False
    until: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)

    @property
    def on_object(self) -> bool:
        """Whether it is done to one object, not to the kind."""
        return _ITEM in self.path


@dataclass(frozen=True, slots=True)
class RemoteKind:
    """A kind as the server's contract tells it.

    Args:
        name: singular.
        path: where its objects are.
        verbs: those of the five that it has.
        shown: schemas of the fields that are read.
        given: schema of a body that makes one; ``None`` where nothing is made.
        changed: schema of a body that changes one; ``None`` where nothing is changed.
        unique: the groups of fields that an object is found by.
        actions: by name.
    """

    name: str
    path: str
    verbs: frozenset[str] = frozenset()
    shown: Schema = field(default_factory=dict)
    given: Schema | None = None
    changed: Schema | None = None
    unique: tuple[tuple[str, ...], ...] = ()
    actions: Mapping[str, RemoteAction] = field(default_factory=dict)

    @property
    def plural(self) -> str:
        """The last word of its path."""
        return self.path.rsplit("/", 1)[1]

    @property
    def fields(self) -> frozenset[str]:
        """What a caller may give."""
        return frozenset((self.given or {}).get("properties", {}))

    @property
    def secrets(self) -> frozenset[str]:
        """The fields that are given and never shown."""
        changed = frozenset((self.changed or {}).get("properties", {}))
        return (self.fields | changed) - set(self.shown)

    @property
    def labelled(self) -> bool:
        """Whether it has labels."""
        return self.shown.get("labels", {}).get("type") == "object" and "labels" in self.fields

    @property
    def handle(self) -> str:
        """The field that people call an object by; ``id`` where there is none."""
        own = [[name for name in group if name != "project_id"] for group in self.unique]
        # What only several fields together tell apart is no name: the issuer of a person.
        alone = [names[0] for names in own if len(names) == 1 and names[0] in self.shown]
        return alone[0] if alone else "name" if "name" in self.shown else "id"

    def label(self, row: Mapping[str, Any]) -> str:
        """What one object is called: ``skills/review``."""
        return f"{self.plural}/{row.get(self.handle) or row.get('id', '')}"


class Contract:
    """The kinds of a server.

    Args:
        document: its OpenAPI document.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.kinds = {kind.name: kind for kind in _kinds(document)}

    def find(self, word: str) -> RemoteKind | None:
        """A kind by any of its names: ``Session``, ``session``, ``sessions``, ``role-binding``."""
        wanted = _plain(word)
        return next((k for k in self.kinds.values() if wanted in (_plain(k.name), _plain(k.plural))), None)

    def near(self, word: str) -> str:
        """What may have been meant; empty when nothing is near."""
        names = [name for kind in self.kinds.values() for name in (kind.plural, kind.name.lower())]
        return next(iter(get_close_matches(word.lower(), names, n=1)), "")

    def acting(self, action: str) -> list[RemoteKind]:
        """The kinds that have an action."""
        return [kind for kind in self.kinds.values() if action in kind.actions]


def _plain(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "")


def _kinds(document: Mapping[str, Any]) -> Iterator[RemoteKind]:
    paths: Mapping[str, Any] = document.get("paths", {})
    schemas: Mapping[str, Any] = document.get("components", {}).get("schemas", {})
    for path in sorted(paths):
        found = dict(_five(paths, path))
        if "{" in path or not found.keys() & {"get", "list"}:
            continue
        verb = next(verb for verb in _VERBS if verb in found)
        name = str(found[verb].get("operationId", "")).removeprefix(verb)
        yield RemoteKind(
            name,
            path,
            frozenset(found),
            schemas.get(name, {}).get("properties", {}),
            schemas.get(f"{name}Create") if "create" in found else None,
            schemas.get(f"{name}Patch") if "patch" in found else None,
            tuple(tuple(group) for group in found.get("create", {}).get("x-ambient-unique", ())),
            {action.name: action for action in _actions(document, path)},
        )


def _five(paths: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for address, methods in ((path, ("get", "post")), (path + _ITEM, ("get", "patch", "delete"))):
        for method in methods:
            operation = paths.get(address, {}).get(method, {})
            if (verb := operation.get("x-ambient-verb")) in _VERBS:
                yield verb, operation


def _actions(document: Mapping[str, Any], base: str) -> Iterator[RemoteAction]:
    for path, item in document["paths"].items():
        below = path.removeprefix(base)
        if below in (path, _ITEM) or not below.startswith("/") or "{" in below.replace(_ITEM, ""):
            continue
        for method, operation in item.items():
            if isinstance(operation, dict) and operation.get("x-ambient-verb", "get") not in _VERBS:
                yield _action(document, method.upper(), below, operation)


def _action(document: Mapping[str, Any], method: str, below: str, operation: Mapping[str, Any]) -> RemoteAction:
    given = operation.get("parameters", ())
    shared = {one["$ref"].rsplit("/", 1)[1] for one in given if "$ref" in one}
    own = {one["name"]: _described(one) for one in given if one.get("in") == "query"}
    body = operation.get("requestBody", {}).get("content", {}).get(_JSON, {}).get("schema")
    answers: Mapping[str, Any] = next(
        (answer for status, answer in operation["responses"].items() if status.startswith("2")), {}
    )
    return RemoteAction(
        operation["x-ambient-verb"].replace("_", "-"),
        method,
        below,
        operation.get("summary", ""),
        None if body is None else resolved(document, body),
        own,
        "text/plain" in answers.get("content", {}),
        "DryRun" in shared,
        operation.get("x-ambient-until", {}),
    )


def _described(parameter: Mapping[str, Any]) -> Schema:
    return {"description": parameter.get("description", ""), **parameter.get("schema", {})}


def resolved(document: Mapping[str, Any], schema: Schema) -> Schema:
    """A schema with its own reference followed."""
    if "$ref" not in schema:
        return schema
    found: Any = document
    for step in str(schema["$ref"]).removeprefix("#/").split("/"):
        found = found[step]
    return resolved(document, found)
