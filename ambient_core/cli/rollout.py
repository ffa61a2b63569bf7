"""Bring a server to what documents declare, through ``POST /batch``: one operation for each document."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import orjson
from ambient_sdk import AmbientClient, ApiError, Batch, Result
from ambient_sdk.batch import LARGEST

from ambient_core.cli.contract import RemoteKind
from ambient_core.cli.manifests import Manifest
from ambient_core.errors import SetupError

_OUTCOMES = {"created": "created", "patched": "changed", "unchanged": "unchanged"}
_SERVERS_OWN = frozenset({"id", "kind", "href", "created_at", "updated_at", "version"})
_UNDONE = 424
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Declared:
    """A document whose kind the server knows.

    Args:
        manifest: the document.
        kind: of the object.
        key: values of what makes it unique.
    """

    manifest: Manifest
    kind: RemoteKind
    key: tuple[Any, ...]

    @property
    def label(self) -> str:
        """``skills/review``."""
        return f"{self.kind.plural}/{self.manifest.fields.get('name') or self.key[-1]}"


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one object.

    Args:
        label: ``skills/review``.
        outcome: ``created``, ``changed``, ``unchanged``, ``deleted`` or ``refused``.
        kind: its name.
        id: of the object; empty when there is none.
        place: ``file:line``, where a document declared it.
        reason: of a refusal, in the server's words.
        differences: lines of a difference, for a dry run.
    """

    label: str
    outcome: str
    kind: str
    id: str = ""
    place: str = ""
    reason: str = ""
    differences: list[str] = field(default_factory=list)


class Refused(SetupError):
    """The server refused a document, so nothing of its batch is done."""


def declare(manifests: Sequence[Manifest], known: Mapping[str, RemoteKind]) -> list[Declared]:
    """Check documents as far as the server's contract tells, before anything is sent.

    Raises:
        SetupError: all that is wrong, a line each, with file and line.
    """
    faults: list[str] = []
    found: dict[tuple[Any, ...], Declared] = {}
    for manifest in manifests:
        kind = known.get(manifest.kind)
        reason = _fault(manifest, kind, known)
        if reason or kind is None:
            faults.append(f"{manifest.place}: {reason}")
            continue
        group = next(g for g in kind.unique if all(manifest.fields.get(name) is not None for name in g))
        one = Declared(manifest, kind, tuple(manifest.fields[name] for name in group))
        other = found.setdefault((kind.name, group, orjson.dumps(one.key)), one)
        if other is not one:
            faults.append(f"{manifest.place}: {one.label} is declared at {other.manifest.place} already.")
    if faults:
        raise SetupError("nothing was sent:\n" + "\n".join(faults))
    return list(found.values())


def in_project(manifests: Sequence[Manifest], known: Mapping[str, RemoteKind], project: str) -> list[Manifest]:
    """The documents, in a project where they name none and their kind has one."""

    def completed(manifest: Manifest) -> Manifest:
        kind = known.get(manifest.kind)
        if kind is None or "project_id" not in kind.fields or "project_id" in manifest.fields:
            return manifest
        return replace(manifest, fields={**manifest.fields, "project_id": project})

    return [completed(manifest) for manifest in manifests] if project else list(manifests)


def _fault(manifest: Manifest, kind: RemoteKind | None, known: Mapping[str, RemoteKind]) -> str:
    if kind is None:
        names = ", ".join(sorted({kind.name for kind in known.values()}))
        return f"the server has no kind {manifest.kind!r} that can be applied; it has {names}."
    if strangers := sorted(set(manifest.fields) - kind.fields):
        return f"{kind.name} has no field {strangers[0]!r} that can be given; it has {', '.join(sorted(kind.fields))}."
    if not any(all(manifest.fields.get(name) is not None for name in group) for group in kind.unique):
        needed = ", or ".join(" and ".join(group) for group in kind.unique)
        return (
            f"{kind.name} needs what makes it unique: {needed}." if needed else f"nothing makes a {kind.name} unique."
        )
    return ""


class Rollout:
    """Sends what is declared.

    Args:
        client: of the server.
        atomic: whether the first refusal undoes its batch.
        dry_run: rehearse, and keep nothing.
    """

    def __init__(self, client: AmbientClient, *, atomic: bool = True, dry_run: bool = False) -> None:
        self._client = client
        self._atomic = atomic
        self._dry_run = dry_run
        self._kept: set[tuple[str, str]] = set()

    def apply(self, declared: Sequence[Declared]) -> Iterator[Line]:
        """Make, change or leave alone; batch by batch.

        Raises:
            Refused: atomic, and the server refused one; what came in earlier batches stays.
        """
        for ones in _parts(declared):
            batch = Batch()
            for one in ones:
                batch.apply(one.kind.name, **one.manifest.fields)
            for one, result in zip(ones, self._send(batch, ones), strict=True):
                yield self._line(one, result)

    def prune(self, declared: Sequence[Declared], labels: Mapping[str, str]) -> Iterator[Line]:
        """Delete objects of the declared kinds that carry the labels and are not declared; after `apply`.

        Raises:
            Refused: an object changed meanwhile, or must stay.
        """
        ordered = {one.kind.name: one.kind for one in declared if one.kind.labelled}
        # What is declared last may refer to what is declared first, so it goes first.
        doomed = [(kind, found) for kind in reversed(ordered.values()) for found in self._undeclared(kind, labels)]
        for ones in _parts(doomed):
            batch = Batch()
            for kind, found in ones:
                batch.delete(kind.name, found["id"], if_match=found["version"])
            lines = [
                Line(f"{kind.plural}/{found.get('name') or found['id']}", "deleted", kind.name, found["id"])
                for kind, found in ones
            ]
            for line, result in zip(lines, self._send(batch, lines), strict=True):
                yield line if result.ok else _refused(line.label, line.kind, line.place, result)

    def _undeclared(self, kind: RemoteKind, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        search = " and ".join(f"labels.{_quoted(name)} = {_quoted(value)}" for name, value in labels.items())
        query: dict[str, Any] = {"search": search, "total": "false", "size": 100}
        found: list[dict[str, Any]] = []
        while True:
            page = self._client.transport.json("GET", kind.path, query=query)
            found += [item for item in page["items"] if (kind.name, item["id"]) not in self._kept]
            if not page.get("next_page_token"):
                return found
            query["page_token"] = page["next_page_token"]

    def _send(self, batch: Batch, ones: "Sequence[Declared | Line]") -> list[Result]:
        try:
            return self._client.batch(batch, atomic=self._atomic, dry_run=self._dry_run)
        except ApiError as fault:
            results = fault.body.get("results")
            if not isinstance(results, list) or len(results) != len(ones):
                raise
            number = next(n for n, result in enumerate(results) if result["status"] != _UNDONE)
            one = ones[number]
            where = f"{one.manifest.place}: {one.label}" if isinstance(one, Declared) else one.label
            raise Refused(f"{where}: {_words(results[number]['error'])} Nothing of this batch is done.") from fault

    def _line(self, one: Declared, result: Result) -> Line:
        if not result.ok:
            return _refused(one.label, one.kind.name, one.manifest.place, result)
        identifier, outcome = str(result.body["id"]), _OUTCOMES[str(result.outcome)]
        self._kept.add((one.kind.name, identifier))
        differences: list[str] = []
        if self._dry_run and outcome != "unchanged":
            before = self._client.transport.json("GET", f"{one.kind.path}/{identifier}") if outcome == "changed" else {}
            hidden = sorted(one.kind.secrets & set(one.manifest.fields))
            differences = [*differing(before, result.body), *(f"  {name}: given, and never shown" for name in hidden)]
        return Line(one.label, outcome, one.kind.name, identifier, one.manifest.place, "", differences)


def _parts(whole: Sequence[T]) -> Iterator[Sequence[T]]:
    return (whole[at : at + LARGEST] for at in range(0, len(whole), LARGEST))


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Field by field what a change would do: ``- name: old`` and ``+ name: new``."""
    found: list[str] = []
    for name in sorted((set(before) | set(after)) - _SERVERS_OWN):
        if before.get(name) != after.get(name):
            found += [f"- {name}: {orjson.dumps(before[name]).decode()}"] if name in before else []
            found += [f"+ {name}: {orjson.dumps(after[name]).decode()}"] if name in after else []
    return found


def _refused(label: str, kind: str, place: str, result: Result) -> Line:
    return Line(label, "refused", kind, "", place, _words(result.error or {}))


def _words(error: Mapping[str, Any]) -> str:
    faults = error.get("errors") or []
    said = "; ".join(f"{fault.get('field')} {fault.get('reason')}" for fault in faults)
    return said or str(error.get("reason", "it was refused."))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
