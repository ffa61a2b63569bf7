"""The versions of an object: who made which when and what each changed, and an old one written anew."""

from collections.abc import Callable, Mapping
from typing import Any

import jsonpatch
import orjson
from flask import Response

from ambient_core import changes
from ambient_core.access import refuse_log
from ambient_core.changes import COLUMNS, Change, Position, change_of
from ambient_core.changes.visibility import matches, renamed
from ambient_core.database.statements import NOWHERE
from ambient_core.errors import Conflict, NotFound
from ambient_core.http.body import JSON, parse
from ambient_core.http.preconditions import Precondition, failed
from ambient_core.kinds import Access, Kind, rules_of
from ambient_core.openapi.descriptions import Restoring
from ambient_core.rest import Resources, demands_if_match, once
from ambient_core.rest.operation import current
from ambient_core.rest.parameters import DRY_RUN, check_match, check_parameters, negotiate, one, preconditions
from ambient_core.schemas import load
from ambient_core.search.paging import page_of
from ambient_core.store import Answer, Store
from ambient_core.watch import past
from ambient_core.watch.logpages import LogPages

_SIZE = 20


def history_view(kind: Kind) -> Callable[[str], Response]:
    """The view of ``GET /{kind}/{id}/history``."""

    def history(id: str) -> Response:  # noqa: A002
        """List the versions of an object, newest first, each with what it changed."""
        negotiate(JSON)
        store = current().store(kind, "get")
        refuse_log(store.principal, kind)
        check_parameters("size", "page_token")
        size = page_of({"size": [one("size") or str(_SIZE)]}).size
        pages = LogPages(current(), changes.horizon(store.transaction.raw), kind.name, id)
        before = pages.start()
        found = _versions(store, id, before, size)
        if not found and before is None:
            raise store.not_found(id)
        entries = [_entry(pages.log, change, earlier) for change, earlier in found[:size]]
        body: dict[str, Any] = {"kind": "HistoryEntryList", "size": len(entries), "items": entries}
        if len(found) > size:
            body["next_page_token"] = pages.token(found[size - 1][0].position)
        return Response(orjson.dumps(body), mimetype="application/json")

    return history


def _versions(store: Store, identifier: str, before: Position | None, size: int) -> list[tuple[Change, bytes | None]]:
    """Changes of one object, newest first and one more than asked for, each with the state before; only states in scope.

    An object's own rows are numbered while its row is locked, so their sequence is their order, also before they are settled.
    """
    scope = store.scope
    earlier = renamed(scope, "p_")
    text = (
        f"SELECT {COLUMNS}, p.object::text FROM changes AS c LEFT JOIN LATERAL ("
        "SELECT p.* FROM changes AS p WHERE p.kind = c.kind AND p.object_id = c.object_id AND p.seq < c.seq "
        f"ORDER BY p.seq DESC LIMIT 1) AS p ON p.verb <> 'delete' AND {matches(store.kind, earlier, 'p')} "
        "WHERE c.kind = %(kind_)s AND c.object_id = %(id_)s AND c.seq < %(seq_)s "
        f"AND {matches(store.kind, scope, 'c')} ORDER BY c.seq DESC LIMIT %(limit_)s"
    )
    own = {"kind_": store.kind.name, "id_": identifier, "limit_": size + 1}
    parameters = {**scope.parameters, **earlier.parameters, **own, "seq_": before.seq if before else 2**63 - 1}
    rows = store.transaction.raw(text, parameters).fetchall()
    return [(change_of(row), row[-1].encode() if row[-1] is not None else None) for row in rows]


def _entry(log: str, change: Change, earlier: bytes | None) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "cursor": changes.cursor(log, change.position),
        "version": change.version,
        "verb": change.verb,
        "actor": change.actor,
        "at": change.at,
    }
    if earlier is not None:
        entry["diff"] = jsonpatch.make_patch(orjson.loads(earlier), orjson.loads(change.object)).patch
    return entry


def restore_view(resources: Resources) -> Callable[[str], Response]:
    """The view of ``POST /{kind}/{id}/restore``."""

    def restore(id: str) -> Response:  # noqa: A002
        """Write an old version anew, also of an object that was deleted."""
        negotiate(JSON)
        current().store(resources.kind, "get")
        check_parameters(DRY_RUN)
        condition = preconditions(required=False)
        return once(lambda raw: restored(resources, id, parse(raw), condition))

    return restore


def restored(resources: Resources, identifier: str, body: Any, condition: Precondition | None) -> Answer:
    """Write an old version of an object anew, under the rules of a patch; of a deleted one, under those of a create.

    Args:
        resources: of the kind.
        identifier: which object.
        body: says which version.
        condition: what must hold of the object that is there.

    Raises:
        NotFound: there is no such object, or no such version, that the caller may see.
        PreconditionFailed: the object does not meet the condition; none that is deleted meets ``If-Match``.
        PreconditionRequired: there must be one.
        Conflict: it cannot be made anew.
    """
    reader = current().store(resources.kind, "get")
    version = load(Restoring(), body)["version"]
    try:
        reader.row(identifier)
    except NotFound:
        return _made_anew(resources, reader, identifier, version, condition)
    store = current().store(resources.kind, "patch")
    check_match(condition, required=demands_if_match(store.kind))
    row = store.require(identifier, condition)
    state = _state(reader, identifier, version)
    columns = store.kind.columns(Access.WRITE)
    target = {c.name: state.get(c.name) for c in columns if c.name in state or c.nullable}
    body = {name: _turning(row[name], value) for name, value in target.items()}
    values = load(resources.schemas.patch, body, partial=True)
    store.verb = "restore"
    return store.patch(identifier, values)


def _made_anew(
    resources: Resources, reader: Store, identifier: str, version: int, condition: Precondition | None
) -> Answer:
    """Make a deleted object again, as it was at a version; its versions go on where they ended."""
    kind = resources.kind
    last = _versions(reader, identifier, None, 1)
    if not last or last[0][0].verb != "delete" or "create" not in kind.verbs:
        raise reader.not_found(identifier)
    if condition is not None and condition.match is not None:
        raise failed(kind.name, None)
    writer = current().store(kind, "create")
    for column in kind.columns(Access.SECRET):
        if not column.nullable and column.server_default is None and rules_of(column).default is None:
            raise Conflict(
                f"A {kind.name} needs the secret field {column.name!r}, which the change log does not hold; make it anew instead."
            )
    state = _state(reader, identifier, version)
    body = {c.name: state[c.name] for c in kind.columns(Access.CREATE, Access.WRITE) if c.name in state}
    values = load(resources.schemas.create, body)
    kept = {"id": identifier, "version": last[0][0].version + 1, "created_at": state["created_at"]}
    return writer.create({**values, **kept})


def _state(store: Store, identifier: str, version: int) -> Mapping[str, Any]:
    """An object as it was at a version, provided that the caller may see it as it was.

    Raises:
        NotFound: the log does not hold this version.
    """
    store.past = past.at_version(store.kind, identifier, version, limited=store.condition is not None)
    try:
        state: Mapping[str, Any] = orjson.loads(store.get(identifier).body)
    except NotFound:
        raise version_not_found(store.kind, identifier, version) from None
    finally:
        store.past = NOWHERE
    return state


def version_not_found(kind: Kind, identifier: str, version: int) -> NotFound:
    """The 404 of a version."""
    return NotFound(
        f"Version {version} of {kind.name} with id '{identifier[:63]}' not found: there was none, or it is older than what the "
        "change log keeps."
    )


def _turning(current: Any, target: Any) -> Any:
    """The merge patch (RFC 7396) that turns one value into another."""
    if not isinstance(target, dict) or not isinstance(current, dict):
        return target
    removed = dict.fromkeys(name for name in current if name not in target)
    return {**removed, **{name: _turning(current.get(name), value) for name, value in target.items()}}
