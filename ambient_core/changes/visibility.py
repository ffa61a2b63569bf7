"""Who sees which change: conditions over a kind's table, asked of the objects in the change log.

A scope or a search is a condition over the kind's table. The log keeps each object as JSON, so the same compiled condition is
asked of ``json_populate_record(NULL::table, object) AS table``: what decides about a row decides about its past, in PostgreSQL.

A project's name is its id, and may be taken again once it is deleted. Who has a role in a project sees what was written since
this project was made, not what is left of an earlier one of the same name.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Literal

from ambient_core.changes import Change, Run
from ambient_core.database.statements import NOWHERE, Clause, quote
from ambient_core.kinds import Kind, Resource

Type = Literal["ADDED", "MODIFIED", "DELETED"]
_PARAMETER = re.compile(r"%\((\w+)\)s")

_BEFORE = """
LEFT JOIN LATERAL (
    SELECT p.object, p.verb, p.seq, p.at, p.operation_id, p.project_id FROM changes AS p
    WHERE p.kind = c.kind AND p.object_id = c.object_id AND p.seq < c.seq ORDER BY p.seq DESC LIMIT 1
) AS p ON p.verb <> 'delete'
"""


@dataclass(frozen=True)
class Facts:
    """Which changes are wanted, by what the log says beside the object; ``None`` for any.

    Args:
        project_id: only of this project.
        object_id: only of this object.
        actor: only by this one.
        verb: only these.
    """

    project_id: str | None = None
    object_id: str | None = None
    actor: str | None = None
    verb: str | None = None

    def match(self, change: Change) -> bool:
        """Whether a change is wanted."""
        return all(
            wanted is None or wanted == got
            for wanted, got in (
                (self.project_id, change.project_id),
                (self.object_id, change.object_id),
                (self.actor, change.actor),
                (self.verb, change.verb),
            )
        )


@dataclass(frozen=True)
class View:
    """What one watcher sees of the log.

    Args:
        kinds: the kinds that it hears of.
        clauses: by kind's name, the condition that its objects must meet: the caller's scope, and a search.
        facts: what else is asked.
    """

    kinds: Mapping[str, Kind]
    clauses: Mapping[str, Clause] = field(default_factory=dict)
    facts: Facts = Facts()

    @cached_property
    def key(self) -> tuple[object, ...]:
        """The same for views that show the same."""
        conditions = sorted((n, c.text, repr(sorted(c.parameters.items()))) for n, c in self.clauses.items())
        return tuple(sorted(self.kinds)), tuple(conditions), self.facts

    @property
    def asks(self) -> bool:
        """Whether it takes a query to say what it shows."""
        return bool(self.clauses)


@dataclass(frozen=True, slots=True)
class Sight:
    """A change as one view shows it.

    Args:
        type: what happened, for who looks at this view.
        change: the change.
        object: the state to show: after the change, or the last one that the view showed; JSON text.
        left: whether the object went on to live out of sight.
    """

    type: Type
    change: Change
    object: bytes
    left: bool = False


def judge(run: Run, view: View, found: Sequence[Change]) -> list[Sight]:
    """What these changes are for one view; those that it does not show are left out.

    An object that starts to meet the condition is added; one that ceases to is deleted, with the last state that was shown.
    """
    wanted = [c for c in found if c.kind in view.kinds and view.facts.match(c)]
    asked: dict[int, Sight] = {}
    for name, clause in view.clauses.items():
        if mine := {change.position.seq: change for change in wanted if change.kind == name}:
            asked |= _asked(run, view.kinds[name], clause, mine)
    sights = (asked.get(c.position.seq) if c.kind in view.clauses else _plain(view.kinds[c.kind], c) for c in wanted)
    return [sight for sight in sights if sight is not None]


def _plain(kind: Kind, change: Change) -> Sight:
    happened: Type = "DELETED" if change.verb == "delete" else "ADDED" if is_new(kind, change) else "MODIFIED"
    return Sight(happened, change, change.object)


def is_new(kind: Kind, change: Change) -> bool:
    """Whether a change made the object: an action that makes one writes its own verb, one that only reads makes none."""
    return change.verb == "create" or (change.version == 1 and not kind.reads(change.verb))


def _asked(run: Run, kind: Kind, clause: Clause, found: Mapping[int, Change]) -> dict[int, Sight]:
    text = (
        f"SELECT seq, now_, before_, CASE WHEN before_ AND NOT now_ THEN previous::text END FROM ("
        f"SELECT c.seq, p.object AS previous, {matches(kind, clause, 'c')} AS now_, "
        f"{matches(kind, clause, 'p')} AS before_ FROM changes AS c {_BEFORE} WHERE c.seq = ANY(%(seqs_)s)) AS c"
    )
    rows = run(text, {**clause.parameters, "seqs_": list(found)}).fetchall()
    return {
        seq: sight
        for seq, now, before, last in rows
        if (sight := _decided(kind, found[seq], last, now=now, before=before))
    }


def _decided(kind: Kind, change: Change, last: str | None, *, now: bool, before: bool) -> Sight | None:
    if change.verb == "delete":
        return Sight("DELETED", change, change.object) if now else None
    if now:
        new = is_new(kind, change) or not before
        return Sight("ADDED" if new else "MODIFIED", change, change.object)
    return Sight("DELETED", change, (last or "null").encode(), left=True) if before else None


def matches(kind: Kind, clause: Clause, row: str) -> str:
    """SQL: whether a logged object meets a condition over its kind's table.

    Args:
        row: what the change is called in the statement.
    """
    table = quote(kind.plural)
    own = f" AND {of_this_project(kind, row)}" if clause.limited else ""
    return (
        f"({row}.object IS NOT NULL AND EXISTS (SELECT 1 FROM json_populate_record(NULL::{table}, {row}.object) AS {table} "
        f"WHERE true{clause.text}){own})"
    )


@lru_cache(maxsize=2048)
def of_this_project(kind: Kind, row: str) -> str:
    """SQL: a change was made in the project that has its name now, or had it last; not in an earlier one of that name.

    Within one transaction the order says nothing: a project's first owner is written before the project. It is known by the time
    that it began and its request; the position in the log moves on within it.

    Args:
        row: what the change is called in the statement.
    """
    home = _home(kind)
    if home is None:
        return "true"
    return (
        f"NOT EXISTS (SELECT 1 FROM changes AS made WHERE made.kind = '{home}' AND made.object_id = {row}.project_id "
        f"AND made.version = 1 AND made.verb <> 'delete' AND made.seq > {row}.seq "
        f"AND (made.at, made.operation_id) IS DISTINCT FROM ({row}.at, {row}.operation_id))"
    )


def _home(kind: Kind) -> str | None:
    """The name of the kind that a kind's objects live in; ``None`` where they live in no project."""
    column = kind.project_column
    if column is None or column == "id":
        return kind.name if column else None
    plural = kind.references.get(column)
    return next((m.class_.__name__ for m in Resource.registry.mappers if m.class_.__tablename__ == plural), None)


def renamed(clause: Clause, prefix: str) -> Clause:
    """The same condition with other parameter names, for several in one statement."""
    if clause is NOWHERE:
        return clause
    text = _PARAMETER.sub(lambda found: f"%({prefix}{found[1]})s", clause.text)
    return Clause(text, {prefix + name: value for name, value in clause.parameters.items()}, clause.limited)
