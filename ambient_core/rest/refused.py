"""Note of a request that it was refused, and say who may read such notes."""

from flask import request

from ambient_core.access.refusals import NOTED, REFUSALS, Asked
from ambient_core.errors import BASE_PATH, AmbientError
from ambient_core.rest.operation import NOBODY, Operation


def note(operation: Operation, fault: AmbientError, kind: str | None = None, identifier: str | None = None) -> None:
    """Note that something was refused, if it is of that sort.

    Args:
        operation: what was asked.
        fault: what is answered.
        kind: of the object that was asked for; as the address says when ``None``.
        identifier: which object.
    """
    rule = request.url_rule
    if fault.status not in NOTED or rule is None:
        return
    if kind is None:
        named = operation.registry.by_plural(rule.rule.removeprefix(f"{BASE_PATH}/").split("/", 1)[0])
        kind, identifier = named.name if named else None, (request.view_args or {}).get("id")
    who = operation.principal if operation.principal is not NOBODY else None
    asked = Asked(
        request.method,
        rule.rule.replace("<string:", "{").replace("<", "{").replace(">", "}"),
        kind,
        identifier,
        who.actor if who else None,
        who.attributes.get("token_id") if who else None,
        operation.address or None,
        operation.id,
    )
    operation.runtime.refusals.note(fault, asked)


def sees_all(operation: Operation) -> bool:
    """Whether the caller may see where others come from, and what they were refused."""
    guard, principal = operation.runtime.guard, operation.principal
    return guard.may(principal, "list", REFUSALS) and guard.scope(principal, "list", REFUSALS) is None
