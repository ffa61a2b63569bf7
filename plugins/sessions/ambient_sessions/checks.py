"""What a session's fields must hold beyond their types: addresses, variables and resources that a runtime can use."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ambient_core import Fault
from ambient_core.schemas.validators import git_url_fault
from ambient_sessions.runtimes.environment import is_harmless

RESOURCES = ("cpu", "memory", "ephemeral-storage")
"""What a runner may be given more or less of."""

_PARTS = ("requests", "limits")
_QUANTITY = re.compile(r"\d+(\.\d+)?(m|[kMGTPE]|[KMGTPE]i)?")
_VARIABLE = (
    "is no variable that a session may set: ASCII letters, digits and _, no digit first; PATH, and what begins with "
    "LD_, PYTHON, AGUI_ or AMBIENT_, is the platform's."
)


def address_faults(values: Mapping[str, Any], *, local: bool) -> list[Fault]:
    """What is wrong with the addresses of repositories.

    Args:
        values: by field, as a caller gave them; what is absent or null is not looked at.
        local: whether repositories of this machine are taken.
    """
    given = [("/repo_url", values.get("repo_url"))]
    given += [(f"/repos/{n}/url", repository["url"]) for n, repository in enumerate(values.get("repos") or [])]
    return [
        Fault(pointer, "format", reason)
        for pointer, address in given
        if address is not None and (reason := git_url_fault(address, local=local))
    ]


def runner_faults(values: Mapping[str, Any]) -> list[Fault]:
    """What is wrong with the variables and resources that a runner is to get.

    Args:
        values: by field, as a caller gave them; what is absent or null is not looked at.
    """
    variables, resources = (values.get(name) or {} for name in ("environment_variables", "resource_overrides"))
    return [*_variables(variables), *_resources(resources)]


def _variables(given: Mapping[str, str]) -> Iterator[Fault]:
    for name in given:
        if not is_harmless(name):
            yield Fault(_pointer("environment_variables", name), "variable", _VARIABLE)


def _resources(given: Mapping[str, Any]) -> Iterator[Fault]:
    for name, value in given.items():
        if name not in _PARTS:
            yield from _resource(value, "resource_overrides", name)
        elif isinstance(value, Mapping):
            for inner, quantity in value.items():
                yield from _resource(quantity, "resource_overrides", name, inner)
        elif value is not None:
            yield Fault(_pointer("resource_overrides", name), "type", "must be an object.")


def _resource(value: Any, *path: str) -> Iterator[Fault]:
    if path[-1] not in RESOURCES:
        known = [*RESOURCES, *(_PARTS if len(path) == 2 else ())]
        yield Fault(_pointer(*path), "unknown", f"is not known here; known: {', '.join(known)}.")
    elif value is not None and (isinstance(value, bool) or not _QUANTITY.fullmatch(str(value))):
        yield Fault(_pointer(*path), "quantity", 'must be a quantity of Kubernetes, such as "500m" or "2Gi".')


def _pointer(*path: str) -> str:
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in path)[:200]
