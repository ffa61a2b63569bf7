"""Bring an object to what a body says: find it by what makes it unique, then make it, change it, or leave it alone."""

from collections.abc import Mapping
from typing import Any

from ambient_core.errors import Conflict, Fault, Invalid
from ambient_core.http.answer import Answer
from ambient_core.http.preconditions import Precondition, failed
from ambient_core.kinds import Access, Kind, rules_of
from ambient_core.rest import Resources, demands_if_match
from ambient_core.rest.operation import Operation
from ambient_core.rest.parameters import check_match, project_header


def unique_groups(kind: Kind) -> list[tuple[str, ...]]:
    """The groups of fields that a body may be found by; the first that it has wins."""
    own = [(kind.id_from,)] if kind.id_from else []
    single = [(c.name,) for c in kind.writable if c.unique and rules_of(c).access is not Access.SECRET]
    written = {column.name for column in kind.writable}
    # What the server alone writes is in no body.
    return [*own, *(tuple(group) for group in kind.unique if written.issuperset(group)), *single]


def apply(operation: Operation, resources: Resources, body: Any, condition: Precondition | None) -> tuple[Answer, str]:
    """Apply one body; answers what is stored then, and ``created``, ``patched`` or ``unchanged``.

    Args:
        resources: of the kind.
        condition: what must hold of the object that is there.

    Raises:
        Invalid: a value breaks a rule, the body has no unique fields, or it changes what is fixed.
        PreconditionFailed: the object is at another version.
    """
    kind = resources.kind
    values = resources.values(body, project_header())
    wanted = _key(kind, values)
    patching, creating = operation.store(kind, "patch"), operation.store(kind, "create")
    for last in (False, True):
        row = patching.find(wanted)
        if row is not None:
            break
        if condition is not None and condition.match is not None:
            raise failed(kind.name, None)
        try:
            with operation.transaction.savepoint():
                return creating.create(values), "created"
        except Conflict:
            # Somebody else may have made it in between: then it is there now.
            if last:
                raise
    assert row is not None
    check_match(condition, required=demands_if_match(kind))
    given = {name: values[name] for name in values if name in body}
    answer = patching.patch(row["id"], _changes(kind, given, row), condition)
    return answer, "unchanged" if answer.version == row["version"] else "patched"


def _key(kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    groups = unique_groups(kind)
    for group in groups:
        if all(values.get(name) is not None for name in group):
            return {name: values[name] for name in group}
    known = ", or ".join(" and ".join(group) for group in groups)
    reason = (
        f"must have what makes a {kind.name} unique: {known}."
        if groups
        else f"cannot be found: nothing makes a {kind.name} unique."
    )
    raise Invalid.of([Fault("", "unique", reason)])


def _changes(kind: Kind, given: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    fixed = [c.name for c in kind.columns(Access.CREATE) if c.name in given]
    faults = [
        Fault(f"/{name}", "create_only", "is fixed once the object is made, and is another there.")
        for name in fixed
        if given[name] != row[name]
    ]
    if faults:
        raise Invalid.of(faults)
    return {name: value for name, value in given.items() if name not in fixed}
