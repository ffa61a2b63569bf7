"""Permissions: what they look like, which of them a request needs, and which of them cover others.

A permission is ``resource:verb``. The resource is a kind's name in lower case with underscores (``role_binding``), the verb one of
the kind's verbs. Older names stay: ``read`` is ``get``, ``list`` and whatever only reads; ``update`` is ``patch`` and whatever
changes one object, but for an action that a role has to name (``session:start``). What an action's operation id says
(``createSessionMessage``) is a permission too (``session_message:create``).
"""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import lru_cache

from ambient_core import Kind
from ambient_core.kinds import Action, Registry

PATTERN = "lower-case letters, digits and underscores"
Permission = tuple[str, str]
Permissions = frozenset[Permission]
ALL: Permissions = frozenset({("*", "*")})
EVERYBODYS: Permissions = frozenset({("project", "create"), ("credential", "create"), ("role", "read"), ("token", "*")})
"""What needs no role: making a project or a credential, reading the roles, and tokens of one's own."""
CONTENT = "project_content"
"""Every kind that lives in a project and that no built-in role names by itself."""

_FORM = re.compile(r"(\*|[a-z][a-z0-9_]*):(\*|[a-z][a-z0-9_]*)")
_WORDS = re.compile(r"(?<!^)(?=[A-Z])")
_BROADER = {"get": ("read",), "list": ("read",), "patch": ("update",)}
_NAMED = frozenset(
    {
        *("project", "session", "session_message", "agent", "credential", "application", "role_binding"),
        *("service_account", "token", "project_document", "blackboard"),
    }
)


def parsed(text: object) -> Permission | None:
    """A permission as its two parts; ``None`` for what is none."""
    found = _FORM.fullmatch(text) if isinstance(text, str) else None
    return (found[1], found[2]) if found else None


def permissions_of(texts: "Iterable[object] | None") -> Permissions:
    """The permissions among these texts."""
    return frozenset(permission for text in texts or () if (permission := parsed(text)) is not None)


def resource_of(name: str) -> str:
    """A kind's name as permissions spell it."""
    return _WORDS.sub("_", name).lower()


@lru_cache(maxsize=4096)
def needed(kind: Kind, verb: str) -> Permissions:
    """What allows a verb of a kind: any one of these."""
    action = next((action for action in kind.actions if action.name == verb), None)
    verbs = {verb, *_BROADER.get(verb, ())}
    apart = action is not None and (action.secret or action.explicit)
    if verb not in ("list", "get", "create", "patch", "delete") and not apart:
        # What creates something beside the object changes it.
        verbs.add("read" if kind.reads(verb) else "update")
    found = {(resource, name) for resource in _resources(kind) for name in verbs}
    return frozenset(found | set(_by_operation(action) if action else ()))


def _resources(kind: Kind) -> Iterator[str]:
    name = resource_of(kind.name)
    yield name
    if kind.project_column is not None and name not in _NAMED:
        yield CONTENT


def _by_operation(action: Action) -> Iterator[Permission]:
    verb, *rest = _WORDS.split(action.operation_id) if action.operation_id else ("",)
    if rest:
        resource = "_".join(rest).lower()
        yield from ((resource, name) for name in (verb, *_BROADER.get(verb, ())))


def allows(held: Permissions, wanted: Permissions) -> bool:
    """Whether any of the wanted permissions is held."""
    return any(_holds(held, resource, verb) for resource, verb in wanted)


def covers(held: Permissions, given: Permissions) -> bool:
    """Whether everything that these permissions allow is held: what somebody may give to others."""
    return not lacking(held, given)


def lacking(held: Permissions, given: Permissions) -> list[str]:
    """What of these permissions is not held."""
    return sorted(f"{resource}:{verb}" for resource, verb in given if not _gives(held, resource, verb))


def spelled_out(held: Permissions, registry: Registry) -> Permissions:
    """Permissions with each kind by its own name that `CONTENT` stands for."""
    kinds = [resource_of(kind.name) for kind in registry if CONTENT in set(_resources(kind))]
    return held | {(name, verb) for resource, verb in held if resource == CONTENT for name in kinds}


def _holds(held: Permissions, resource: str, verb: str) -> bool:
    return not held.isdisjoint({(resource, verb), (resource, "*"), ("*", verb), ("*", "*")})


def _gives(held: Permissions, resource: str, verb: str) -> bool:
    return any(_holds(held, resource, name) for name in (verb, *_BROADER.get(verb, ())))


def verbs_of(registry: Registry) -> dict[str, set[str]]:
    """By resource, the verbs that the loaded kinds know."""
    found: dict[str, set[str]] = {CONTENT: set()}
    for kind in registry:
        verbs = {*kind.verbs, *kind.beside, *(action.name for action in kind.actions)}
        for verb in verbs:
            for resource, name in needed(kind, verb):
                found.setdefault(resource, set()).add(name)
    found["*"] = {verb for verbs in found.values() for verb in verbs}
    return found


def fault_of(text: object, known: dict[str, set[str]]) -> tuple[str, str] | None:
    """What is wrong with a permission, as (rule, reason); ``None`` when some loaded kind knows it."""
    permission = parsed(text)
    if permission is None:
        return "format", f"must be resource:verb, each {PATTERN} or *."
    resource, verb = permission
    if resource not in known:
        return "unknown", f"names no kind that is loaded: {resource!r}{_near(resource, known)}"
    if verb != "*" and verb not in known[resource]:
        return "unknown", f"names no verb of {resource}: {verb!r}{_near(verb, known[resource])}"
    return None


def _near(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(sorted(known))}."
