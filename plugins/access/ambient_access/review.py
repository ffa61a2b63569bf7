"""``GET /access/review``: may somebody do this, and by which chain of binding, role and permission, or what is missing."""

from contextlib import suppress
from typing import Any

import orjson
from flask import Response
from flask_smorest import Blueprint

from ambient_access.authority import INTERNAL, OWNERS
from ambient_access.grants import LIMIT, grants_of
from ambient_access.permissions import Permissions, allows, needed, permissions_of
from ambient_access.places import PLACES, Where, parts_of, where_of
from ambient_access.subject import MINE, is_governed, subject_of
from ambient_core import BadQuery, Forbidden, Kind, NotFound, Principal, Store, current
from ambient_core.access import refuse_runner
from ambient_core.errors import BASE_PATH
from ambient_core.identity import CONTROL_PLANE
from ambient_core.openapi import documents
from ambient_core.rest.parameters import check_parameters, one

_CHAIN = (
    f"SELECT b.id, b.scope, roles.name, roles.permissions, {', '.join(f'b.{place}_id' for place in PLACES)} "
    f"FROM role_bindings AS b JOIN roles ON roles.id = b.role_id WHERE {MINE} ORDER BY b.id"
)
_OWNERS = (
    "SELECT CASE WHEN b.user_id IS NOT NULL THEN 'person' WHEN b.service_account_id IS NOT NULL THEN 'service' ELSE 'group' END, "
    "coalesce(b.user_id, b.service_account_id, b.group_name) FROM role_bindings AS b "
    "WHERE b.scope = 'project' AND b.project_id = %(project)s AND b.role_id = %(role)s ORDER BY b.id LIMIT 10"
)

_ADMINISTRATOR = Principal("person", "", "Anybody with every role", roles=frozenset({"platform:admin"}))
_KEPT = "No role gives this: the control plane does it, or a session's own runner."


def blueprint() -> Blueprint:
    """The address of the review."""
    made = Blueprint("access", "access", url_prefix=f"{BASE_PATH}/access", description="Who may do what, and why.")
    made.add_url_rule("/review", endpoint="review", view_func=made.doc(**_DOCUMENT)(review), methods=["GET"])
    return made


def review() -> Response:
    """Say whether somebody may use a verb, and why."""
    check_parameters("verb", "kind", "id", "principal")
    kind, verb, identifier = _kind(), _verb(), one("id")
    refuse_runner(current().principal)
    asked = _principal(one("principal"))
    body: dict[str, Any] = {"kind": "AccessReview", "principal": asked.actor, "verb": verb, "resource": kind.name}
    if identifier is not None:
        body["id"] = identifier
    return Response(orjson.dumps(body | _answer(asked, kind, verb, identifier)), mimetype="application/json")


def _answer(asked: Principal, kind: Kind, verb: str, identifier: str | None) -> dict[str, Any]:
    operation, wanted, row = current(), needed(kind, verb), None
    guard = operation.runtime.guard
    if identifier is not None:
        # Who asks must see the object; whether the other one reaches it is asked of it in the same words.
        reader = operation.store(kind, "get")
        row = reader.row(identifier)
    if not guard.may(asked, verb, kind):
        if not guard.may(_ADMINISTRATOR, verb, kind):
            return {"allowed": False, "missing": [], "roles": [], "granters": [], "text": _KEPT}
        return {"allowed": False, **_missing(asked, kind, wanted, row)}
    if identifier is not None:
        try:
            Store(kind, reader.surroundings, "get", guard.scope(asked, verb, kind)).row(identifier)
        except NotFound:
            return {"allowed": False, **_missing(asked, kind, wanted, row)}
    return {"allowed": True, "chain": _chain(asked, kind, wanted, row)}


def _chain(asked: Principal, kind: Kind, wanted: Permissions, row: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The bindings that allow it, each with role, permission and place."""
    if not is_governed(asked):
        return [{"why": f"{asked.name} is known to the platform itself, not by a binding."}]
    found = []
    for role in grants_of(asked).roles:
        if role.name in asked.roles and (by := _by(role.permissions, wanted)):
            found.append({"role": role.name, "permission": by, "scope": "global", "why": "by the configuration"})
    rows = current().transaction.as_system(_CHAIN, subject_of(asked).parameters()).fetchall()
    for identifier, scope, name, permissions, *ids in rows:
        by, places = _by(permissions_of(permissions), wanted), dict(zip(PLACES, ids, strict=True))
        if by and (scope == "global" or row is None or _lies(kind, row, scope, places)):
            link = {"binding": identifier, "role": name, "permission": by, "scope": scope, "place": places.get(scope)}
            link |= {part: places[part] for part in parts_of(scope) if part != scope}
            found.append({key: value for key, value in link.items() if value is not None})
    return found or [{"why": "Everybody may, and sees what is in scope or their own."}]


def _by(held: Permissions, wanted: Permissions) -> str | None:
    return next((f"{r}:{v}" for r, v in sorted(held) if allows(frozenset({(r, v)}), wanted)), None)


def _lies(kind: Kind, row: dict[str, Any], scope: str, places: dict[str, str | None]) -> bool:
    where = where_of(kind, scope)
    if where is None:
        return False
    there = row if where.by is None else _row_of(where, row[where.by])
    return all(there.get(column) == places[name.removesuffix("_id")] for name, column in where.columns.items())


def _row_of(where: Where, identifier: str | None) -> dict[str, Any]:
    """The object that says where another is; nothing when there is none that who asks may see."""
    kind = current().registry.by_plural(where.table.name)
    if kind is not None and identifier is not None:
        with suppress(NotFound, Forbidden):
            return current().store(kind, "get").row(identifier)
    return {}


def _missing(asked: Principal, kind: Kind, wanted: Permissions, row: dict[str, Any] | None) -> dict[str, Any]:
    """Which permissions would do, which roles have one, and who can give such a role there."""
    texts = sorted(f"{resource}:{name}" for resource, name in wanted)
    limit = asked.attributes.get(LIMIT)
    if limit is not None and not allows(permissions_of(limit.split()), wanted):
        text = f"The token is narrowed to {limit}; make one that has {' or '.join(texts)}."
        return {"missing": texts, "roles": [], "granters": [], "text": text}
    roles = [
        role.name for role in grants_of(asked).roles if allows(role.permissions, wanted) and role.id not in INTERNAL
    ]
    project = row[kind.project_column] if row is not None and kind.project_column is not None else None
    owners = [] if project is None else _owners(project)
    who = "a platform administrator"
    if kind.project_column is not None:
        named = f" ({', '.join(owners)})" if owners else ""
        who = f"an owner of its project{named}, or {who}"
    text = f"A role with {' or '.join(texts)} is missing where this {kind.name} lives; {who} can give one."
    return {"missing": texts, "roles": roles, "granters": owners, "text": text}


def _owners(project: str) -> list[str]:
    """Those who own a project, as the change log names them; a group by its name."""
    rows = current().transaction.as_system(_OWNERS, {"project": project, "role": OWNERS["project"]}).fetchall()
    return [f"{kind}:{identifier}" for kind, identifier in rows]


def _kind() -> Kind:
    text, registry = one("kind"), current().registry
    if text is not None and text in registry:
        return registry[text]
    known = ", ".join(sorted(kind.name for kind in registry))
    raise BadQuery(f"kind must be one of {known}; it is {(text or 'missing')[:63]!r}.")


def _verb() -> str:
    text = one("verb")
    kind = _kind()
    known = [*kind.verbs, *kind.beside, *(action.name for action in kind.actions)]
    if text not in known:
        raise BadQuery(f"verb must be one of {', '.join(known)} for {kind.name}; it is {(text or 'missing')[:63]!r}.")
    return str(text)


def _principal(text: str | None) -> Principal:
    """Who is asked about: oneself, or anybody for who may see the bindings everywhere."""
    me = current().principal
    if text is None or text == me.actor:
        return me
    if current().store("RoleBinding", "list").condition is not None:
        raise Forbidden("Only who may read all role bindings may ask about somebody else.")
    if text == CONTROL_PLANE.actor:
        return CONTROL_PLANE
    kind, _, identifier = text.partition(":")
    if kind not in ("person", "service") or not identifier:
        raise BadQuery("principal must be person:ID or service:ID.")
    return Principal("person" if kind == "person" else "service", identifier, identifier)


def _parameter(name: str, words: str, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": {"type": "string"}, "description": words}


_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_LINK = {
    "type": "object",
    "properties": {
        "binding": {**_TEXT, "description": "The role binding."},
        "role": _TEXT,
        "permission": {**_TEXT, "description": "Of the role, the one that allows it."},
        "scope": _TEXT,
        "place": {**_TEXT, "description": "The id of the place that the scope is about."},
        "project": {**_TEXT, "description": "Of an agent: its project."},
        "why": {**_TEXT, "description": "In words, where no binding is the reason."},
    },
}
_DOCUMENT: dict[str, Any] = {
    "operationId": "reviewAccess",
    "summary": "Say whether somebody may use a verb, and by which chain, or what is missing.",
    "description": "Groups are known of who asks alone. Without an id: whether anywhere.",
    "tags": ["access"],
    "parameters": [
        _parameter("verb", "One of the kind's verbs or actions.", required=True),
        _parameter("kind", "A kind, such as Session.", required=True),
        _parameter("id", "On which object.", required=False),
        _parameter("principal", "Who: person:ID or service:ID; oneself when absent.", required=False),
    ],
    "responses": {
        "200": {
            "description": "The answer.",
            "content": documents.content(
                {
                    "type": "object",
                    "required": ["allowed", "kind", "principal", "resource", "verb"],
                    "properties": {
                        "kind": _TEXT,
                        "principal": _TEXT,
                        "verb": _TEXT,
                        "resource": _TEXT,
                        "id": _TEXT,
                        "allowed": {"type": "boolean"},
                        "chain": {"type": "array", "items": _LINK},
                        "missing": {**_TEXTS, "description": "Permissions of which one would do."},
                        "roles": {**_TEXTS, "description": "Roles that have one of them."},
                        "granters": {
                            **_TEXTS,
                            "description": "Owners of the object's project, ten at most, as kind:id.",
                        },
                        "text": {**_TEXT, "description": "What is missing and who can give it."},
                    },
                }
            ),
        },
        **documents.refusals((400, 401, 403, 404, 500, 503)),
    },
}
