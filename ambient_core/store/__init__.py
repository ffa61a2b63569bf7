"""Keeps a kind: the five verbs as SQL, and beside them the parts of a verb. Subclass `Store` to own one."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import psycopg
from sqlalchemy import ColumnElement
from sqlalchemy.exc import DBAPIError

from ambient_core.database import statements
from ambient_core.database.gate import mark
from ambient_core.database.statements import NOWHERE, Clause, bind, joined, scoped
from ambient_core.database.transaction import SCOPED
from ambient_core.errors import Conflict, Forbidden, NotFound
from ambient_core.http.answer import Answer
from ambient_core.http.merge import merge
from ambient_core.http.preconditions import Precondition, failed
from ambient_core.ids import LONGEST_ID, new_id
from ambient_core.kinds import Kind
from ambient_core.secrets import sealing
from ambient_core.store import listing
from ambient_core.store.cascades import release
from ambient_core.store.constraints import explain
from ambient_core.store.many import create_all
from ambient_core.store.query import Query
from ambient_core.store.reach import check_references, decides, missing
from ambient_core.store.stream import RowStream
from ambient_core.store.surroundings import Surroundings

Written = tuple[bytes, int, bool, str]


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
        self._scope: Clause = scoped(kind, scope)
        self.past: Clause = NOWHERE
        """What `list` and `get` read instead of the present; see `ambient_core.watch.past`."""

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
        filling = query.fills_a_page and self.past is NOWHERE
        scope = scoped(self.kind, self.condition, page=True) if filling else self._scope
        where, page = joined(scope, query.clause), query.page
        shape = query.plain if where.steady and query.is_steady and self.past is NOWHERE else query.shape
        parameters = {**self.past.parameters, **where.parameters, **listing.key_parameters(page.after or ())}
        if shape.size is None:
            parameters |= {"limit_": page.size, "offset_": page.offset}
        row = self._first(self.past.text + listing.select_list(self.kind, where.text, shape), parameters)
        assert row is not None
        read, total, items, *last = row
        more = read > page.size if shape.ahead else page.offset + read < total
        token = self._token(query, tuple(last)) if more else None
        return Answer(listing.envelope(self.kind.name, page.page, min(read, page.size), total, items, token).encode())

    def stream(self, query: Query) -> RowStream:
        """Every matching object, from one snapshot, a line of JSON each."""
        where = joined(self._scope, query.clause)
        text = self.past.text + listing.select_all(self.kind, where.text, query.shape)
        return RowStream(self.transaction.database, text, {**self.past.parameters, **where.parameters})

    def get(self, identifier: str, fields: tuple[str, ...] | None = None) -> Answer:
        """One object.

        Raises:
            NotFound: there is none that the caller may see.
        """
        self._check_id(identifier)
        text = self.past.text + statements.select_one(self.kind, fields, self._scope.text)
        row = self._first(text, {**self.past.parameters, **self._scope.parameters, "id_": identifier})
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
        found = self._first(text, {**self._scope.parameters, "id_": identifier})
        if found is None:
            raise missing(self, identifier)
        return dict(zip(self.kind.table.columns.keys(), found, strict=True))

    def create(self, values: Mapping[str, Any]) -> Answer:
        """Make one object.

        Args:
            values: value by field; server-only fields may be given by code, the id of an object that is made again too.

        Raises:
            Invalid: values break rules, or refer to nothing.
            Conflict: something unique exists already.
        """
        row, names = self.prepared(values)
        text = statements.insert(self.kind, names, self._scope.text)
        written = self.logged(text, {**self._scope.parameters, **bind(self.kind, {n: row[n] for n in names})})
        if not written:
            raise self.outside()
        body, version, _, identifier = written[0]
        return Answer(body, 201, version, {"Location": f"{self.kind.path}/{identifier}"})

    def create_many(self, many: "Sequence[Mapping[str, Any]]") -> "Sequence[Answer]":
        """Make objects as `create` does, those of the same fields in one statement; all or none. No answer says where one lives.

        Raises:
            Invalid: as `create` does, of the first that is refused.
            Conflict: likewise.
        """
        if type(self).create is not Store.create:
            return [self.create(values) for values in many]
        return create_all(self, many)

    def prepared(self, values: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """A row as it will be stored, and the columns that are written; every rule has been run."""
        kind = self.kind
        row = {**kind.defaults, **values}
        row["id"] = row[kind.id_from] if kind.id_from else row["id"] or new_id()
        check_references(self, row)
        self.check(row, None)
        self._before_write("create", row)
        if kind.secrets:
            sealing.seal_row(self, row)
        if kind.filled.isdisjoint(row):
            return row, tuple(row)
        return row, tuple([name for name in row if row[name] is not None or name not in kind.filled])

    def find(self, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """Lock the one row that has these values, and answer it; ``None`` when there is none that the caller may see."""
        self.transaction.begin()
        text = statements.select_by(self.kind, tuple(values), self._scope.text)
        found = self._first(text, {**self._scope.parameters, **bind(self.kind, values)})
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
        check_references(self, changed)
        if self._needs_current(changed):
            current = self.require(identifier, condition)
            if self.kind.secrets:
                current = sealing.opened_for(self, current, changed)
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
            raise failed(self.kind.name, row["version"], condition)
        return row

    def write(self, identifier: str, values: Mapping[str, Any], condition: Precondition | None = None) -> Answer:
        """Change columns of one object, server-only ones included; writes version and change row, runs no rule.

        Raises:
            NotFound: there is none that the caller may see.
            PreconditionFailed: the stored version is another.
        """
        self._check_id(identifier)
        if self.kind.secrets and not self.kind.secrets.isdisjoint(values):
            values = sealing.sealed_changes(self, self.require(identifier, condition), values)
        if_version = condition.version if condition is not None else None
        if condition is not None and if_version is None:
            self.require(identifier, condition)
        if moves := decides(self, values):
            self.transaction.begin()
        text = statements.update(self.kind, tuple(sorted(values)), self._scope.text)
        parameters = {**self._scope.parameters, **bind(self.kind, values), "id_": identifier, "version_": if_version}
        while True:
            written = self.logged(text, parameters)
            if not written:
                raise missing(self, identifier)
            if moves and not self._holds(identifier):
                raise self.outside()
            body, version, changed, _ = written[0]
            if not changed and if_version is not None and version != if_version:
                raise failed(self.kind.name, version)
            # "Nothing to change" is what the statement saw when it began. Another writer may have come in between (its row
            # was skipped then, or is gone), so the row is locked; if it is another by now, the statement is run again.
            if changed or self.row(identifier, lock=True)["version"] == version:
                return Answer(body, version=version)

    def note(self, identifier: str) -> Answer:
        """Put into the change log that something was done with an object that changed nothing of it.

        Raises:
            NotFound: there is none that the caller may see.
        """
        self._check_id(identifier)
        parameters = {**self._scope.parameters, "id_": identifier}
        written = self.logged(statements.note(self.kind, self._scope.text), parameters)
        if not written:
            raise missing(self, identifier)
        return Answer(written[0][0], version=written[0][1])

    def delete(self, identifier: str, condition: Precondition | None = None) -> None:
        """Delete one object, with what hangs on it by a cascading reference.

        Raises:
            NotFound: there is none that the caller may see.
            PreconditionFailed: the stored version is another.
            Conflict: something that may not be deleted with it refers to it.
        """
        where, run = self._scope, None
        hooked, referred = self.surroundings.before_write, self.surroundings.registry.references(self.kind)
        if hooked or referred or condition is not None:
            row = self.require(identifier, condition)
            self._before_write("delete", row)
            release(self, [identifier])
            # What is in scope is locked by now; what put it there may be gone with what hung on it.
            where, run = NOWHERE, self.transaction.as_system
        self._check_id(identifier)
        text = statements.remove(self.kind, "id", where.text)
        # Whatever action deletes: a reader of the log tells an end by this verb.
        if not self.logged(text, {**where.parameters, "ids_": [identifier], "version_": None}, "delete", run):
            raise missing(self, identifier)

    def delete_matching(self, query: Query, most: int) -> int:
        """Delete every matching object as `delete` does; answers how many matched.

        Args:
            most: with more matches than that, nothing is deleted.

        Raises:
            Conflict: there are more, or something that may not be deleted with one refers to it.
        """
        self.transaction.begin()
        where = joined(self._scope, query.clause)
        found = self._run(
            listing.select_ids(self.kind, where.text), {**where.parameters, "limit_": most + 1}
        ).fetchall()
        identifiers = [row[0] for row in found]
        if len(identifiers) > most:
            counted = self._first(listing.count_all(self.kind, where.text), where.parameters)
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
            release(self, identifiers)
            parameters: dict[str, Any] = {"ids_": identifiers, "version_": None}
            self.logged(statements.remove(self.kind), parameters, run=self.transaction.as_system)
        return len(identifiers)

    def not_found(self, identifier: str) -> NotFound:
        """The 404 of this kind; the same words whether the object is absent or out of scope."""
        shown = identifier if len(identifier) <= LONGEST_ID and identifier.isprintable() else identifier[:20] + "..."
        return NotFound(f"{self.kind.name} with id '{shown}' not found")

    def outside(self) -> Forbidden:
        """The refusal of a write after which the object would be none that the caller may write."""
        return Forbidden(f"You may not {self.verb.replace('_', ' ')} a {self.kind.name} there.")

    def limited(self, statement: Any) -> Any:
        """A SQLAlchemy statement (select, update, delete) on this kind's table, with the caller's scope in it."""
        limited = statement if self.condition is None else statement.where(self.condition)
        marks = statement.get_execution_options().get(SCOPED, "") + mark(self.kind.plural)
        return limited.execution_options(**{SCOPED: marks})

    @property
    def scope(self) -> Clause:
        """The caller's scope as SQL text, for a statement on this kind's table: put it after a condition of its own."""
        return self._scope

    def _token(self, query: Query, last: tuple[str | None, ...]) -> str | None:
        signer = self.surroundings.signer
        bound = query.bound_to(self.principal)
        return None if signer is None else signer.sign(self.transaction, bound, query.page.page + 1, last)

    def _holds(self, identifier: str) -> bool:
        text = statements.select_row(self.kind, self._scope.text, lock=False)
        return self._first(text, {**self._scope.parameters, "id_": identifier}) is not None

    def _needs_current(self, values: Mapping[str, Any]) -> bool:
        judged = type(self).check is not Store.check or bool(self.surroundings.before_write)
        return judged or any(isinstance(value, dict) for value in values.values())

    def _before_write(self, verb: str, row: dict[str, Any]) -> None:
        if self.surroundings.before_write:
            self.transaction.begin()
        for _, function in self.surroundings.before_write:
            function(kind=self.kind, verb=verb, row=row, principal=self.principal)

    def _check_id(self, identifier: str) -> None:
        if not identifier or len(identifier) > LONGEST_ID or "\0" in identifier:
            raise self.not_found(identifier)

    def logged(
        self, text: str, parameters: dict[str, Any], verb: str | None = None, run: "Callable[..., Any] | None" = None
    ) -> "Sequence[Written]":
        """Run a logged write; announces it and answers (object, version, changed, id) of each row.

        Args:
            verb: what happens to them, when it is not what was asked of this store.
            run: runs it, when it is not the caller who does.
        """
        found = self.run_logged(text, parameters, verb, run).fetchall()
        rows = [(body.encode(), version, changed, identifier) for body, version, identifier, _project, changed in found]
        if any(row[2] for row in rows):
            self.transaction.announce()
        return rows

    def run_logged(
        self, text: str, parameters: dict[str, Any], verb: str | None = None, run: "Callable[..., Any] | None" = None
    ) -> "psycopg.Cursor[Any]":
        """Run a write that says in the change log who did what; arguments as `logged`, which announces it as well."""
        parameters |= {"actor_": self.principal.actor, "verb_": verb or self.verb, **self.transaction.origin}
        return self._run(text, parameters, run)

    def _run(
        self, text: str, parameters: Mapping[str, Any], run: "Callable[..., Any] | None" = None
    ) -> "psycopg.Cursor[Any]":
        found: psycopg.Cursor[Any] = self._explained(run or self.transaction.raw, text, parameters)
        return found

    def _first(self, text: str, parameters: Mapping[str, Any]) -> tuple[Any, ...] | None:
        found: tuple[Any, ...] | None = self._explained(self.transaction.first, text, parameters)
        return found

    def _explained(self, run: Callable[..., Any], text: str, parameters: Mapping[str, Any]) -> Any:
        try:
            return run(text, parameters)
        except (psycopg.Error, DBAPIError) as fault:
            if (refusal := explain(fault, self.surroundings.registry)) is not None:
                raise refusal from fault
            raise


__all__ = ["Answer", "Store"]
