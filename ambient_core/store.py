"""Keeps a kind: the five verbs as SQL. Subclass it to own one of them."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg
from sqlalchemy import ColumnElement
from sqlalchemy.exc import DBAPIError

from ambient_core import listing, statements
from ambient_core.answer import Answer
from ambient_core.constraints import explain
from ambient_core.database import Transaction
from ambient_core.errors import Conflict, NotFound
from ambient_core.identity import Principal
from ambient_core.ids import new_id
from ambient_core.kinds import Kind, Registry, rules_of
from ambient_core.merge import merge
from ambient_core.preconditions import Precondition, failed
from ambient_core.query import Query
from ambient_core.statements import NOWHERE, Clause, bind, clause_of
from ambient_core.stream import RowStream

_LONGEST_ID = 63
Written = tuple[bytes, int, bool, str]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a store works with besides its kind; the same for all stores of one request.

    Args:
        transaction: the request's one transaction.
        principal: who is asking.
        registry: all kinds.
        before_write: the ``ambient_before_write`` implementations.
        open: gives a store of another kind for the same caller, by kind and verb.
    """

    transaction: Transaction
    principal: Principal
    registry: Registry
    before_write: Sequence[tuple[str, Callable[..., Any]]]
    open: "Callable[[str, str], Store]"


class Store:
    """The five verbs of one kind, for one caller.

    Args:
        kind: what is kept.
        surroundings: transaction, caller and hooks.
        verb: the verb that this store was opened for; it is what the change log says.
        scope: condition that every row must meet.
    """

    def __init__(
        self, kind: Kind, surroundings: Surroundings, verb: str, scope: "ColumnElement[bool] | None" = None
    ) -> None:
        self.kind = kind
        self.verb = verb
        self.transaction = surroundings.transaction
        self.principal = surroundings.principal
        self.surroundings = surroundings
        self.condition = scope
        self._scope: Clause = clause_of(scope) if scope is not None else NOWHERE
        self.past: Clause = NOWHERE
        """What `list` and `get` read instead of the present; see `ambient_core.past`."""

    def check(self, values: dict[str, Any], current: Mapping[str, Any] | None) -> None:
        """Refuse or complete values beyond what the fields' rules say; for subclasses.

        Args:
            values: for a create all values, for a patch those that the caller gave; may be changed.
            current: the stored row; ``None`` for a create.

        Raises:
            Invalid: naming every fault.
        """

    def list(self, query: Query) -> Answer:
        """One page in its envelope."""
        where = self._where(query)
        page, shape = query.page, query.shape
        parameters = {**self.past.parameters, **where.parameters, "limit_": page.size, "offset_": page.offset}
        if page.after is not None:
            parameters |= listing.key_parameters(page.after)
        row = self._run(self.past.text + listing.select_list(self.kind, where.text, shape), parameters).fetchone()
        assert row is not None
        read, total, items, *last = row
        more = read > page.size if shape.ahead else page.offset + read < total
        counted = "" if total is None else f',"total":{total}'
        head = f'{{"kind":"{self.kind.name}List","page":{page.page},"size":{min(read, page.size)}{counted},"items":['
        return Answer(f"{head}{items or ''}]}}".encode(), after=tuple(last) if more else None)

    def stream(self, query: Query) -> RowStream:
        """Every matching object, from one snapshot, a line of JSON each."""
        where = self._where(query)
        text = self.past.text + listing.select_all(self.kind, where.text, query.shape)
        return RowStream(self.transaction.database, text, {**self.past.parameters, **where.parameters})

    def get(self, identifier: str, fields: tuple[str, ...] | None = None) -> Answer:
        """One object.

        Raises:
            NotFound: there is none that the caller may see.
        """
        self._check_id(identifier)
        text = self.past.text + statements.select_one(self.kind, fields, self._scope.text)
        row = self._run(text, {**self.past.parameters, **self._scope.parameters, "id_": identifier}).fetchone()
        if row is None:
            raise self.not_found(identifier)
        return Answer(row[0].encode(), version=row[1])

    def row(self, identifier: str, *, lock: bool = False) -> dict[str, Any]:
        """One object's columns by name, for rules in Python.

        Args:
            lock: keep others from changing it until this transaction ends.

        Raises:
            NotFound: there is none that the caller may see.
        """
        self._check_id(identifier)
        if lock:
            self.transaction.begin()
        text = statements.select_row(self.kind, self._scope.text, lock=lock)
        found = self._run(text, {**self._scope.parameters, "id_": identifier}).fetchone()
        if found is None:
            raise self.not_found(identifier)
        return dict(zip(self.kind.table.columns.keys(), found, strict=True))

    def create(self, values: Mapping[str, Any]) -> Answer:
        """Make one object.

        Args:
            values: value by field; server-only fields may be given by code, the id of an object that is made again too.

        Raises:
            Invalid: values break rules, or refer to nothing.
            Conflict: something unique exists already.
        """
        row, names = self._prepared(values)
        written = self._written(statements.insert(self.kind, names), bind(self.kind, {n: row[n] for n in names}))
        if not written:
            raise self.not_found(str(row["id"]))
        return self._created(row["id"], written[0])

    def create_many(self, many: "Sequence[Mapping[str, Any]]") -> "Sequence[Answer]":
        """Make objects as `create` does, those of the same fields in one statement; all or none.

        Raises:
            Invalid: as `create` does, of the first that is refused.
            Conflict: likewise.
        """
        if type(self).create is not Store.create:
            return [self.create(values) for values in many]
        groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        order = []
        for values in many:
            row, names = self._prepared(values)
            groups.setdefault(names, []).append(row)
            order.append(row["id"])
        answers = {}
        for names, rows in groups.items():
            given = orjson.dumps([{name: row[name] for name in names} for row in rows]).decode()
            for written in self._written(statements.insert_many(self.kind, names), {"rows_": given}):
                answers[written[3]] = self._created(written[3], written)
        return [answers[identifier] for identifier in order]

    def _prepared(self, values: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """A row as it will be stored, and the columns that are written; every rule has been run."""
        row = {c.name: rules_of(c).default for c in self.kind.table.columns if c.name not in statements.STAMPS}
        row.update(values)
        row["id"] = row[self.kind.id_from] if self.kind.id_from else row["id"] or new_id()
        self.check(row, None)
        self._before_write("create", row)
        columns = self.kind.table.columns
        return row, tuple(n for n in row if row[n] is not None or columns[n].server_default is None)

    def _created(self, identifier: str, written: "Written") -> Answer:
        return Answer(written[0], 201, written[1], {"Location": f"{self.kind.path}/{identifier}"})

    def find(self, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """Lock the one row that has these values, and answer it; ``None`` when there is none that the caller may see."""
        self.transaction.begin()
        text = statements.select_by(self.kind, tuple(values), self._scope.text)
        found = self._run(text, {**self._scope.parameters, **bind(self.kind, values)}).fetchone()
        return None if found is None else dict(zip(self.kind.table.columns.keys(), found, strict=True))

    def patch(self, identifier: str, values: Mapping[str, Any], condition: Precondition | None = None) -> Answer:
        """Change one object by JSON Merge Patch (RFC 7396): absent is unchanged, null clears.

        Args:
            condition: refuse when the stored version does not meet it (``If-Match``).

        Raises:
            NotFound: there is none that the caller may see.
            PreconditionFailed: the stored version is another.
        """
        changed = dict(values)
        if self._needs_current(changed):
            current = self.require(identifier, condition)
            changed = {name: merge(current.get(name), value) for name, value in changed.items()}
            self.check(changed, current)
            whole = {**current, **changed}
            before = dict(whole)
            self._before_write("patch", whole)
            changed |= {name: value for name, value in whole.items() if value != before[name]}
            condition = None
        return self.write(identifier, changed, condition)

    def require(self, identifier: str, condition: Precondition | None) -> dict[str, Any]:
        """Lock one object's row and answer it, provided that it meets a condition.

        Raises:
            NotFound: there is none that the caller may see.
            PreconditionFailed: it does not meet the condition.
        """
        try:
            row = self.row(identifier, lock=True)
        except NotFound:
            if condition is not None and condition.asks_for_existence:
                raise failed(self.kind.name, None) from None
            raise
        if condition is not None and not condition.holds(row["version"]):
            raise failed(self.kind.name, row["version"])
        return row

    def write(self, identifier: str, values: Mapping[str, Any], condition: Precondition | None = None) -> Answer:
        """Change columns of one object, server-only ones included; writes version and change row, runs no rule.

        Raises:
            NotFound: there is none that the caller may see.
            PreconditionFailed: the stored version is another.
        """
        self._check_id(identifier)
        if_version = condition.version if condition is not None else None
        if condition is not None and if_version is None:
            self.require(identifier, condition)
        text = statements.update(self.kind, tuple(sorted(values)), self._scope.text)
        parameters = {**self._scope.parameters, **bind(self.kind, values), "id_": identifier, "version_": if_version}
        while True:
            written = self._written(text, parameters)
            if not written:
                raise self.not_found(identifier)
            body, version, changed, _ = written[0]
            if not changed and if_version is not None and version != if_version:
                raise failed(self.kind.name, version)
            # "Nothing to change" is what the statement saw when it began. Another writer may have come in between (its row
            # was skipped then, or is gone), so the row is locked; if it is another by now, the statement is run again.
            if changed or self.row(identifier, lock=True)["version"] == version:
                return Answer(body, version=version)

    def delete(self, identifier: str, condition: Precondition | None = None) -> None:
        """Delete one object, with what hangs on it by a cascading reference.

        Raises:
            NotFound: there is none that the caller may see.
            PreconditionFailed: the stored version is another.
            Conflict: something that may not be deleted with it refers to it.
        """
        hooked, referred = self.surroundings.before_write, self.surroundings.registry.references(self.kind)
        if hooked or referred or condition is not None:
            row = self.require(identifier, condition)
            self._before_write("delete", row)
            self._release([identifier], self.kind)
        self._check_id(identifier)
        text = statements.remove(self.kind, "id", self._scope.text)
        # Whatever action deletes: a reader of the log tells an end by this verb.
        if not self._written(text, {**self._scope.parameters, "ids_": [identifier], "version_": None}, verb="delete"):
            raise self.not_found(identifier)

    def delete_matching(self, query: Query, most: int) -> int:
        """Delete every matching object as `delete` does; answers how many matched.

        Args:
            most: with more matches than that, nothing is deleted.

        Raises:
            Conflict: there are more, or something that may not be deleted with one refers to it.
        """
        self.transaction.begin()
        where = self._where(query)
        found = self._run(
            listing.select_ids(self.kind, where.text), {**where.parameters, "limit_": most + 1}
        ).fetchall()
        identifiers = [row[0] for row in found]
        if len(identifiers) > most:
            counted = self._run(listing.count_all(self.kind, where.text), where.parameters).fetchone()
            matched = max(counted[0], most + 1) if counted else most + 1
            raise Conflict(
                f"{matched} objects match, more than max_affected ({most}); nothing is deleted. Narrow the search, or raise "
                "max_affected.",
                details={"matched": matched},
            )
        if type(self).delete is not Store.delete:
            for identifier in identifiers:
                # One that another's deletion took with it is gone already.
                with suppress(NotFound):
                    self.delete(identifier)
            return len(identifiers)
        for identifier in identifiers if self.surroundings.before_write else ():
            self._before_write("delete", self.row(identifier))
        if identifiers:
            self._release(identifiers, self.kind)
            text = statements.remove(self.kind, "id", self._scope.text)
            self._written(text, {**self._scope.parameters, "ids_": identifiers, "version_": None})
        return len(identifiers)

    def not_found(self, identifier: str) -> NotFound:
        """The 404 of this kind; the same words whether the object is absent or out of scope."""
        shown = identifier if len(identifier) <= _LONGEST_ID and identifier.isprintable() else identifier[:20] + "..."
        return NotFound(f"{self.kind.name} with id '{shown}' not found")

    def _release(self, identifiers: Sequence[str], kind: Kind) -> None:
        """Delete or detach what refers to these objects, deepest first, so that each has its change row."""
        registry = self.surroundings.registry
        for other, column, rule in registry.references(kind):
            parameters = {"ids_": [*identifiers], "version_": None}
            if rule == "SET NULL":
                self._written(statements.detach(other, column.name), parameters, other, "patch")
            elif rule == "CASCADE":
                table, name = statements.quote(other.plural), statements.quote(column.name)
                found = self._run(
                    f"SELECT id FROM {table} WHERE {name} = ANY(%(ids_)s) FOR UPDATE", parameters
                ).fetchall()
                if found:
                    self._release([row[0] for row in found], other)
                    self._written(statements.remove(other, column.name), parameters, other, "delete")

    def _where(self, query: Query) -> Clause:
        return query.clause if self.condition is None else clause_of(self.condition, query.where)

    def _needs_current(self, values: Mapping[str, Any]) -> bool:
        owns_check = type(self).check is not Store.check
        return owns_check or bool(self.surroundings.before_write) or any(isinstance(v, dict) for v in values.values())

    def _before_write(self, verb: str, row: dict[str, Any]) -> None:
        if self.surroundings.before_write:
            self.transaction.begin()
        for _, function in self.surroundings.before_write:
            function(kind=self.kind, verb=verb, row=row, principal=self.principal)

    def _check_id(self, identifier: str) -> None:
        if not identifier or len(identifier) > _LONGEST_ID or "\0" in identifier:
            raise self.not_found(identifier)

    def _written(
        self, text: str, parameters: dict[str, Any], kind: Kind | None = None, verb: str | None = None
    ) -> "Sequence[Written]":
        """Run a logged write; announces it and answers (object, version, changed, id) of each row.

        Args:
            kind: whose rows are written, when it is another's than this store's.
            verb: what happens to them, when it is something else than what was asked of this store.
        """
        kind = kind or self.kind
        parameters |= {"actor_": self.principal.actor, "verb_": verb or self.verb}
        rows = []
        for body, version, identifier, _project, changed in self._run(text, parameters).fetchall():
            rows.append((body.encode(), version, changed, identifier))
            if changed:
                self.transaction.announce()
        return rows

    def _run(self, text: str, parameters: Mapping[str, Any]) -> "psycopg.Cursor[Any]":
        try:
            return self.transaction.raw(text, parameters)
        except (psycopg.Error, DBAPIError) as fault:
            if (refusal := explain(fault, self.surroundings.registry)) is not None:
                raise refusal from fault
            raise


__all__ = ["Answer", "Store", "Surroundings", "merge"]
