"""What an import has to do: from both worlds as they were seen, to steps. Pure; every decision is taken here."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ambient_sessions.importing.legacy import ORIGIN, OWNER, LegacyProject, LegacySession
from ambient_sessions.lifecycle import ACTIVE

Outcome = Literal["create", "update", "unchanged", "conflict", "left", "gone"]
Row = Mapping[str, Any]
_PROJECT_NAME = re.compile(r"[a-z][a-z0-9-]{0,61}[a-z0-9]")
_TIMES = ("start_time", "completion_time", "last_transition_time")
_STATE = ("created_by", "phase", "conditions", "reconciled_repos", "start_time", "completion_time")
_SPECIFICATION = (
    "name",
    "prompt",
    "repos",
    "llm_model",
    "llm_temperature",
    "llm_max_tokens",
    "inactivity_timeout",
    "stop_on_run_finished",
    "environment_variables",
    "labels",
    "annotations",
)
_DEFAULTS = {
    "llm_model": "claude-sonnet-4-6",
    "llm_temperature": 0.7,
    "llm_max_tokens": 4000,
    "stop_on_run_finished": False,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """Both worlds at one time.

    Args:
        legacy_projects: the namespaces that the legacy platform manages.
        legacy_sessions: their AgenticSessions, without ours.
        projects: our projects by id.
        sessions: our sessions that were imported, by origin.
    """

    legacy_projects: tuple[LegacyProject, ...]
    legacy_sessions: tuple[LegacySession, ...]
    projects: Mapping[str, Row]
    sessions: Mapping[str, Row]


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done about one object.

    Args:
        kind: ``project`` or ``session``.
        name: its name on the legacy platform: of a session with its namespace.
        outcome: what is to be done; ``left`` is somebody else's by right, ``gone`` is deleted there and kept here.
        reason: why, for people; empty where the outcome says all.
        identifier: of our object, where there is one.
        origin: of a session.
        body: what the API is given.
        parent: of a session, the origin-like name ``namespace/name`` of the session that it continues.
        notes: what is not carried over.
    """

    kind: Literal["project", "session"]
    name: str
    outcome: Outcome
    reason: str = ""
    identifier: str | None = None
    origin: str = ""
    body: Row = field(default_factory=dict)
    parent: str | None = None
    notes: tuple[str, ...] = ()


def plan(seen: Seen, only: str | None = None) -> tuple[Step, ...]:
    """The steps of one import, projects before sessions, and a session after the one that it continues.

    Args:
        seen: both worlds.
        only: one project; all of them when ``None``.
    """
    chosen = [p for p in seen.legacy_projects if only in (None, p.name)]
    projects = {step.name: step for step in (_project(p, seen.projects.get(p.name)) for p in chosen)}
    sessions = [s for s in seen.legacy_sessions if s.namespace in projects]
    ids = {f"{s.namespace}/{s.name}": row["id"] for s in sessions if (row := seen.sessions.get(s.origin))}
    steps = [_session(s, seen.sessions.get(s.origin), projects[s.namespace], ids) for s in _parents_first(sessions)]
    return (*projects.values(), *steps, *_gone(seen, only, {s.origin for s in sessions}))


def _project(found: LegacyProject, row: Row | None) -> Step:
    step = Step(
        "project", found.name, "conflict", identifier=found.name if row else None, body=found.body, notes=found.notes
    )
    if found.ending:
        return _as(step, "conflict", "the namespace is being deleted")
    if row is None:
        if not _PROJECT_NAME.fullmatch(found.name):
            return _as(step, "conflict", "a project here needs a name of 2 to 63 characters that starts with a letter")
        return _as(step, "left", "our control plane has made it") if found.ours else _as(step, "create")
    annotations = row.get("annotations") or {}
    if annotations.get(ORIGIN) is None:
        if found.ours:
            return _as(step, "left", "our control plane has made it")
        return _as(step, "conflict", "a project of this name is there already, and was not imported")
    if annotations[ORIGIN] != found.origin:
        return _as(
            step, "conflict", "the namespace was deleted and made anew; the project here came from the earlier one"
        )
    if annotations.get(OWNER) != "legacy":
        return _as(step, "left", "it was handed over")
    return _as(step, "unchanged" if _same_project(found.body, row) else "update")


def _session(found: LegacySession, row: Row | None, project: Step, ids: Mapping[str, str]) -> Step:
    parent = f"{found.namespace}/{found.parent}" if found.parent else None
    body = {"session": found.session, "state": found.state}
    identifier = row["id"] if row else None
    step = Step(
        "session",
        f"{found.namespace}/{found.name}",
        "conflict",
        "",
        identifier,
        found.origin,
        body,
        parent,
        found.notes,
    )
    if project.outcome == "conflict":
        return _as(step, "conflict", f"of its project: {project.reason}")
    if project.outcome == "left":
        return _as(step, "left", f"its project: {project.reason}")
    if row is None:
        return _as(step, "create")
    if not row["mirrored"]:
        return _as(step, "left", "it was handed over")
    known = ids.get(parent) if parent else None
    same = _same_session(found, row) and (known is None or row.get("parent_session_id") == known)
    return _as(step, "unchanged" if same else "update")


def _gone(seen: Seen, only: str | None, there: set[str]) -> Iterator[Step]:
    """Mirrored sessions whose object is not there any more: what was read of them is kept, and none of them runs."""
    for origin, row in sorted(seen.sessions.items()):
        if origin in there or not row["mirrored"] or only not in (None, row["project_id"]):
            continue
        name, reason = origin.rpartition("/")[0], "it was deleted there; what was read of it stays here"
        yield Step(
            "session", name, "gone", reason, row["id"], origin, _stopped(row) if row.get("phase") in ACTIVE else {}
        )


def _stopped(row: Row) -> Row:
    names = ("project_id", "parent_session_id", *_SPECIFICATION)
    state = {name: row[name] for name in _STATE if row.get(name) is not None}
    return {
        "session": {name: row[name] for name in names if row.get(name) is not None},
        "state": {**state, "phase": "Stopped"},
    }


def _parents_first(sessions: Iterable[LegacySession]) -> list[LegacySession]:
    """By age: what continues a session is younger than it."""
    return sorted(sessions, key=lambda s: (s.created, s.namespace, s.name))


def _as(step: Step, outcome: Outcome, reason: str = "") -> Step:
    return Step(step.kind, step.name, outcome, reason, step.identifier, step.origin, step.body, step.parent, step.notes)


def _same_project(body: Row, row: Row) -> bool:
    maps = ("labels", "annotations")
    told = all(
        (row.get(name) or {}).get(key) == value for name in maps for key, value in (body.get(name) or {}).items()
    )
    return told and all(row.get(name) == body.get(name) for name in ("display_name", "description"))


def _same_session(found: LegacySession, row: Row) -> bool:
    wanted = {**_DEFAULTS, **found.session}
    if any((row.get(name) or None) != (wanted.get(name) or None) for name in _SPECIFICATION):
        return False
    state = {"created_by": "legacy", **found.state}
    return all(_value(name, row.get(name)) == _value(name, state.get(name)) for name in _STATE)


def _value(name: str, value: Any) -> Any:
    """A value as it is compared: one time may be written in several ways."""
    if name in _TIMES and value is not None:
        return datetime.fromisoformat(value)
    if name == "conditions":
        return [{key: _value(key, told) for key, told in entry.items()} for entry in value or []]
    return value or None
