"""``POST /batch``: many operations in one request, each under the rules it would have alone.

Consecutive creates of one kind go to the database as one statement. When one of them is refused, they are tried one by one,
so that the refusal is said of the right one.
"""

import logging
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
import psycopg
from flask import Response, request
from flask_smorest import Blueprint
from sqlalchemy.exc import SQLAlchemyError

from ambient_core.errors import (
    BASE_PATH,
    AmbientError,
    FailedDependency,
    Fault,
    GatewayTimeout,
    Internal,
    Invalid,
    Unavailable,
)
from ambient_core.http.answer import Answer
from ambient_core.http.body import JSON, parse
from ambient_core.http.preconditions import Precondition, precondition
from ambient_core.kinds import Action, Kind
from ambient_core.openapi import batch_contract
from ambient_core.rest import Resources, demands_if_match, once, refused
from ambient_core.rest.apply import apply
from ambient_core.rest.operation import Operation, current
from ambient_core.rest.parameters import DRY_RUN, agree, check_match, check_parameters, negotiate, project_header
from ambient_core.schemas import load
from ambient_core.watch.history import restored

log = logging.getLogger(__name__)
MOST = 500
_MEMBERS = {
    "create": {"op", "kind", "body"},
    "patch": {"op", "kind", "id", "body", "if_match"},
    "delete": {"op", "kind", "id", "if_match"},
    "restore": {"op", "kind", "id", "body", "if_match"},
    "apply": {"op", "kind", "body", "if_match"},
    "action": {"op", "kind", "id", "action", "body", "if_match"},
}
_NEEDED = {
    "create": ("body",),
    "patch": ("id", "body"),
    "delete": ("id",),
    "restore": ("id", "body"),
    "apply": ("body",),
    "action": ("action",),
}
_TEXTS = frozenset(("id", "action"))
_VERBS = {"restore": ("get", "patch"), "apply": ("create", "patch"), "action": ()}
Outcome = tuple[Answer, str | None]


class Misshapen(Invalid):
    """An operation is wrong beside its body, which its faults point into."""


class Step(NamedTuple):
    """One operation of a batch, as it was asked for.

    Args:
        op: ``create``, ``patch``, ``delete``, ``restore``, ``apply`` or ``action``.
        kind: of the object.
        given: all members.
        condition: of ``if_match``.
    """

    op: str
    kind: Kind
    given: dict[str, Any]
    condition: Precondition | None

    @classmethod
    def read(cls, given: Any, operation: Operation) -> "Step":
        """Read one.

        Raises:
            Invalid: naming the member and its rule.
        """
        if not isinstance(given, dict):
            raise _misshapen("", "type", "must be an object.")
        op, name = given.get("op"), given.get("kind")
        if not isinstance(op, str) or op not in _MEMBERS:
            raise _misshapen("/op", "enum", f"must be one of {', '.join(_MEMBERS)}.")
        kind = operation.registry.get(name) if isinstance(name, str) else None
        if kind is None:
            known = ", ".join(kind.name for kind in operation.registry)
            raise _misshapen("/kind", "enum", f"must be one of {known}.")
        for member in _texts(op, kind, tuple(given)):
            if not isinstance(given[member], str):
                raise _misshapen(f"/{member}", "type", "must be a string.")
        if "id" in given and kind.project_column == "id":
            agree(project_header(), given["id"], "id")
        return cls(op, kind, given, _condition(given.get("if_match")))

    def action(self) -> Action:
        """The action that is meant.

        Raises:
            Invalid: the kind has none of that name that a batch can run.
        """
        possible = {action.name: action for action in self.kind.actions if action.writes and not action.secret}
        found = possible.get(self.given["action"])
        if found is None:
            known = f"must be one of {', '.join(possible)}" if possible else "is not possible: there is none"
            raise _misshapen("/action", "enum", f"{known} for {self.kind.name}.")
        if (found.on == "item") != ("id" in self.given):
            reason = "is required for this action." if found.on == "item" else "does not belong to this action."
            raise _misshapen("/id", "required", reason)
        return found


class Batch:
    """The operations of one request.

    Args:
        operation: the request.
        atomic: whether the first failure undoes all.
        given: the operations as they came.
    """

    def __init__(self, operation: Operation, given: Sequence[Any], *, atomic: bool) -> None:
        self._operation = operation
        self._given = given
        self._atomic = atomic
        self._results: list[bytes] = [b""] * len(given)
        self._failed = 0
        self._resources: dict[Kind, Resources] = {}
        self._project = project_header()

    def run(self) -> Answer:
        """Run them in their order.

        Raises:
            AmbientError: of the first that failed, when the batch is atomic.
        """
        self._operation.transaction.begin()
        steps = [self._read(number) for number in range(len(self._given))]
        at = 0
        while at < len(steps):
            end = at + 1
            first = steps[at]
            if first is not None and first.op == "create":
                while end < len(steps) and (other := steps[end]) and (other.op, other.kind) == ("create", first.kind):
                    end += 1
                self._create(first.kind, list(range(at, end)))
            elif first is not None:
                self._try(at, first)
            at = end
        head = f'{{"kind":"BatchResult","succeeded":{len(steps) - self._failed},"failed":{self._failed},"results":['
        return Answer(head.encode() + b",".join(self._results) + b"]}")

    def _read(self, number: int) -> Step | None:
        try:
            return Step.read(self._given[number], self._operation)
        except AmbientError as fault:
            self._refuse(number, fault)
            return None

    def _create(self, kind: Kind, numbers: list[int]) -> None:
        """Make objects of one kind, in as few statements as can be."""
        values: dict[int, dict[str, Any]] = {}
        resources = self._of(kind)
        for number in numbers:
            try:
                values[number] = resources.values(self._given[number]["body"], self._project)
            except AmbientError as fault:
                self._refuse(number, fault)
        try:
            with self._operation.transaction.savepoint():
                answers = self._operation.store(kind, "create").create_many(list(values.values()))
            for number, answer in zip(values, answers, strict=True):
                self._note(number, answer, None)
        except (Unavailable, GatewayTimeout, psycopg.Error, SQLAlchemyError):
            raise
        except Exception:
            # Whatever it was: alone, each says it of itself.
            for number in values:
                self._try(number, Step("create", kind, self._given[number], None))

    def _try(self, number: int, step: Step) -> None:
        """Run one alone: what fails is undone alone."""
        try:
            with self._operation.transaction.savepoint():
                answer, outcome = self._do(step)
        except (Unavailable, GatewayTimeout, psycopg.Error, SQLAlchemyError):
            raise
        except AmbientError as fault:
            self._refuse(number, fault)
        except Exception:
            if self._atomic:
                raise
            log.exception("operation %s of a batch failed", number)
            self._refuse(number, Internal("Something went wrong on our side; the log has the details."))
        else:
            self._note(number, answer, outcome)

    def _do(self, step: Step) -> Outcome:
        kind, given, store = step.kind, step.given, self._operation.store
        if step.op == "create":
            return store(kind, "create").create(self._of(kind).values(given["body"], self._project)), None
        if step.op == "apply":
            return apply(self._operation, self._of(kind), given["body"], step.condition)
        if step.op == "action":
            return self._act(step), None
        if step.op == "restore":
            return restored(self._of(kind), given["id"], given["body"], step.condition), None
        check_match(step.condition, required=demands_if_match(kind))
        if step.op == "delete":
            store(kind, "delete").delete(given["id"], step.condition)
            return Answer(b"", 204), None
        return store(kind, "patch").patch(given["id"], self._of(kind).changes(given["body"]), step.condition), None

    def _act(self, step: Step) -> Answer:
        action = step.action()
        store = self._operation.store(step.kind, action.name)
        arguments: list[Any] = [step.given["id"]] if action.on == "item" else []
        if action.body is not None:
            arguments.append(load(action.body(), step.given.get("body", {})))
        if action.on == "item":
            check_match(step.condition, required=not action.fenced and demands_if_match(step.kind))
            if step.condition is not None:
                store.require(step.given["id"], step.condition)
        answer: Answer = action.function(store, *arguments)
        return answer

    def _of(self, kind: Kind) -> Resources:
        if kind not in self._resources:
            self._resources[kind] = Resources(kind)
        return self._resources[kind]

    def _note(self, number: int, answer: Answer, outcome: str | None) -> None:
        said = b'{"status":%d' % answer.status
        if outcome is not None:
            said += b',"outcome":"%b"' % outcome.encode()
        if answer.version is not None:
            said += b',"etag":"\\"%d\\""' % answer.version
        self._results[number] = said + (b',"body":%b}' % answer.body if answer.body else b"}")

    def _refuse(self, number: int, fault: AmbientError) -> None:
        if self._atomic:
            raise self._whole(number, fault)
        self._failed += 1
        given = self._given[number]
        if isinstance(given, dict):
            refused.note(self._operation, fault, str(given.get("kind")), given.get("id"))
        self._results[number] = orjson.dumps(_failure(fault, self._operation))

    def _whole(self, number: int, fault: AmbientError) -> AmbientError:
        """The refusal of an atomic batch: that of the operation which failed, with what became of every one."""
        undone = _failure(FailedDependency(f"Operation {number} failed, so this one is not done."), self._operation)
        failed = _failure(fault, self._operation)
        results = [failed if n == number else undone for n in range(len(self._given))]
        fault.reason = f"Operation {number} failed, and nothing of the batch is done: {fault.reason}"
        place = f"/operations/{number}" + ("" if isinstance(fault, Misshapen) else "/body")
        fault.faults = tuple(Fault(place + f.field, f.rule, f.reason) for f in fault.faults)
        fault.details["results"] = results
        return fault


def _failure(fault: AmbientError, operation: Operation) -> dict[str, Any]:
    return {"status": fault.status, "error": fault.body(operation.id)}


@lru_cache(maxsize=256)
def _texts(op: str, kind: Kind, members: tuple[str, ...]) -> frozenset[str]:
    """The members that must be text; checks what most operations of a batch have in common, so that it is looked at once."""
    for verb in _VERBS.get(op, (op,)):
        if verb not in kind.verbs:
            raise _misshapen("/op", "enum", f"is not possible: kind {kind.name} has no verb {verb}.")
    if strangers := set(members) - _MEMBERS[op]:
        raise _misshapen(f"/{min(strangers)[:60]}", "unknown", f"does not belong to {op}.")
    for member in _NEEDED[op]:
        if member not in members:
            raise _misshapen(f"/{member}", "required", f"is required for {op}.")
    return _TEXTS.intersection(members)


def _condition(given: Any) -> Precondition | None:
    if given is None:
        return None
    if isinstance(given, int) and not isinstance(given, bool) and given > 0:
        return precondition(f'"{given}"', None)
    if not isinstance(given, str):
        raise _misshapen(
            "/if_match", "type", 'must be a version, such as 3, or text as in the header, such as "\\"3\\"".'
        )
    return precondition(given, None)


def _misshapen(pointer: str, rule: str, reason: str) -> Invalid:
    return Misshapen.of([Fault(pointer, rule, reason)])


def _run(raw: bytes) -> Answer:
    body = parse(raw)
    operations = body.get("operations") if isinstance(body, dict) else None
    if not isinstance(operations, list) or not 1 <= len(operations) <= MOST:
        raise _misshapen("/operations", "length", f"must be an array of 1 to {MOST} operations.")
    if strangers := sorted(set(body) - {"operations", "atomic"}):
        raise _misshapen(f"/{strangers[0][:60]}", "unknown", "is not known here; known fields: operations, atomic.")
    atomic = body.get("atomic", False)
    if not isinstance(atomic, bool):
        raise _misshapen("/atomic", "type", "must be true or false.")
    return Batch(current(), operations, atomic=atomic).run()


def batch_blueprint() -> Blueprint:
    """Serve ``/batch``."""
    blueprint = Blueprint("batch", "batch", url_prefix=f"{BASE_PATH}/batch", description="Many operations at once.")

    def batch() -> Response:
        """Run operations on any kinds."""
        negotiate(JSON)
        check_parameters(DRY_RUN)
        operation = current()
        request.max_content_length = operation.settings.batch_body_limit
        # Before a connection is taken. Many at once are slower than one after the other: they wait for the same pages and rows.
        if not operation.runtime.batches.acquire(timeout=operation.settings.pool_timeout):
            raise Unavailable("Other batches are under way; try again.", retry_after=1)
        try:
            return once(_run)
        finally:
            operation.runtime.batches.release()

    blueprint.add_url_rule("", view_func=blueprint.doc(**batch_contract.batch())(batch), methods=["POST"])
    return blueprint
