"""``/changes``: the change log as a list (who did what, when) and as a watch over any kinds."""

import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

import orjson
from flask import Response
from flask_smorest import Blueprint

from ambient_core import changes, watch
from ambient_core.access import may_hear, refuse_log
from ambient_core.changes import COLUMNS, SETTLED, Change, Horizon, Position, change_of
from ambient_core.changes.present import Initial
from ambient_core.changes.visibility import Facts, View, matches, renamed
from ambient_core.database.statements import scoped
from ambient_core.errors import BASE_PATH, BadQuery, Forbidden
from ambient_core.http.body import JSON
from ambient_core.identity import Principal
from ambient_core.ids import LONGEST_ID
from ambient_core.kinds import Kind
from ambient_core.openapi.descriptions import changes_list
from ambient_core.rest.operation import Runtime, current
from ambient_core.rest.parameters import agree, check_parameters, check_project, negotiate, one, project_header
from ambient_core.rest.refused import sees_all
from ambient_core.search.paging import page_of
from ambient_core.watch.logpages import LogPages
from ambient_core.watch.past import time_of


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which part of the log a page is of.

    Args:
        kept: what comes before this is pruned.
        start: where the page begins; at the end of the log, or where it begins, when ``None``.
        since: not before this time.
        until: before this time.
        newest: whether the newest change comes first.
    """

    kept: Position
    start: Position | None
    since: datetime | None
    until: datetime | None
    newest: bool


_ACTOR = re.compile(r"(person|service|session):.+")
_FACTS = ("project_id", "object_id", "actor", "verb")
_LIST = ("kinds", *_FACTS, "since", "until", "order", "page_token", "size")
_WATCH = ("kinds", *_FACTS, "after", "initial")


def changes_blueprint() -> Blueprint:
    """The address of the change log."""
    blueprint = Blueprint(
        "changes", "changes", url_prefix=f"{BASE_PATH}/changes", description="What was done, by whom."
    )
    view = blueprint.doc(**changes_list())(list_changes)
    blueprint.add_url_rule("", endpoint="list", view_func=view, methods=["GET"])
    return blueprint


def list_changes() -> Response:
    """List changes, or watch them with ``Accept: text/event-stream``."""
    if watch.wanted():
        return _watch()
    negotiate(JSON, watch.EVENT_STREAM)
    for name in ("after", "initial"):
        if one(name) is not None:
            raise BadQuery(f"{name} is of a watch; send Accept: {watch.EVENT_STREAM} to have one.")
    check_parameters(*_LIST)
    operation = current()
    kinds = _asked_kinds()
    facts = _facts(kinds)
    since, until, newest = *_times(), _newest()
    view = view_of(operation.runtime, operation.principal, kinds, facts)
    run = operation.transaction.raw
    kept, end = changes.horizon(run), changes.end(run)
    size = page_of({"size": [one("size") or "100"]}).size
    pages = LogPages(operation, kept, sorted(k.name for k in kinds or ()), astuple(facts), since, until, newest)
    found = _page(view, Bounds(kept.position, pages.start(), since, until, newest), size)
    token = pages.token(found[size - 1].position) if len(found) > size else None
    return Response(_envelope(found[:size], kept, end, token), mimetype="application/json")


def _watch() -> Response:
    check_parameters(*_WATCH)
    kinds = _asked_kinds()
    facts = _facts(kinds)
    initial = watch.flag("initial")
    if initial and (facts.actor or facts.verb):
        raise BadQuery("initial=true shows objects as they are, and 'actor' and 'verb' are of changes; leave one out.")
    runtime = current().runtime
    begin = (lambda view: Initial(runtime.hub.database, view)) if initial else None
    return watch.stream(lambda principal: view_of(runtime, principal, kinds, facts), begin)


def view_of(runtime: Runtime, principal: Principal, kinds: Sequence[Kind] | None, facts: Facts) -> View:
    """What a principal sees of the log.

    Args:
        runtime: kinds and rules.
        principal: who is asking.
        kinds: the kinds that are asked for; all that the caller may list when ``None``.
        facts: what else is asked.

    Raises:
        Forbidden: a kind that is asked for may not be listed, or none may.
    """
    guard = runtime.guard
    for kind in kinds or ():
        guard.check(principal, "list", kind)
        refuse_log(principal, kind)
    allowed = kinds or [
        kind for kind in runtime.registry if may_hear(principal, kind) and guard.may(principal, "list", kind)
    ]
    if not allowed:
        raise Forbidden("You may not list the changes of any kind.")
    scopes = {kind.name: guard.scope(principal, "list", kind) for kind in allowed}
    clauses = {kind.name: scoped(kind, scopes[kind.name]) for kind in allowed if scopes[kind.name] is not None}
    return View({kind.name: kind for kind in allowed}, clauses, facts)


def _page(view: View, bounds: Bounds, size: int) -> list[Change]:
    """Changes of one page, and one more when there is one; the scope of each kind is part of the statement."""
    conditions, parameters = _conditions(view)
    compared = "<" if bounds.newest else ">"
    # What lies under the horizon is kept for the sake of history and shows only a part of what happened.
    conditions += ["(c.xid, c.seq) > (%(low_xid)s::xid8, %(low_seq)s)"]
    parameters |= {"low_xid": str(bounds.kept.xid), "low_seq": bounds.kept.seq, "limit": size + 1}
    if bounds.start is not None:
        conditions.append(f"(c.xid, c.seq) {compared} (%(xid)s::xid8, %(seq)s)")
        parameters |= {"xid": str(bounds.start.xid), "seq": bounds.start.seq}
    for name, sign in (("since", ">="), ("until", "<")):
        if (value := getattr(bounds, name)) is not None:
            conditions.append(f"c.at {sign} %({name})s")
            parameters[name] = value
    way = "DESC" if bounds.newest else "ASC"
    text = (
        f"SELECT {COLUMNS} FROM changes AS c WHERE {SETTLED} AND {' AND '.join(conditions)} "
        f"ORDER BY c.xid {way}, c.seq {way} LIMIT %(limit)s"
    )
    return [change_of(row) for row in current().transaction.raw(text, parameters).fetchall()]


def _conditions(view: View) -> tuple[list[str], dict[str, Any]]:
    plain = [name for name in view.kinds if name not in view.clauses]
    ways, parameters = ["c.kind = ANY(%(plain)s)"], {"plain": plain}
    for number, (name, clause) in enumerate(sorted(view.clauses.items())):
        own = renamed(clause, f"k{number}_")
        ways.append(f"(c.kind = %(kind{number})s AND {matches(view.kinds[name], own, 'c')})")
        parameters |= {f"kind{number}": name, **own.parameters}  # type: ignore[dict-item]
    conditions = [f"({' OR '.join(ways)})"]
    for name in _FACTS:
        if (value := getattr(view.facts, name)) is not None:
            conditions.append(f"c.{name} = %({name})s")
            parameters[name] = value
    return conditions, parameters


def _envelope(found: Sequence[Change], kept: Horizon, end: Position, token: str | None) -> bytes:
    head = {"kind": "ChangeList", "size": len(found), "cursor": changes.cursor(kept.log, end)}
    if kept.at is not None:
        # Who asks for earlier times must not take an empty page for a quiet time.
        head["kept_since"] = f"{kept.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    if token is not None:
        head["next_page_token"] = token
    whole = sees_all(current())
    items = b",".join(_entry(kept.log, change, whole=whole) for change in found)
    return orjson.dumps(head)[:-1] + b',"items":[' + items + b"]}"


def _entry(log: str, change: Change, *, whole: bool) -> bytes:
    facts = {
        "cursor": changes.cursor(log, change.position),
        "kind": change.kind,
        "object_id": change.object_id,
        "project_id": change.project_id,
        "verb": change.verb,
        "version": change.version,
        "actor": change.actor,
        "at": change.at,
        "operation_id": change.operation_id,
        # Where somebody was and what they came with is not everybody's affair.
        "token_id": change.token_id if whole else None,
        "address": change.address if whole else None,
    }
    body = orjson.dumps({name: value for name, value in facts.items() if value is not None})
    return body[:-1] + b',"object":' + change.object + b"}"


def _asked_kinds() -> list[Kind] | None:
    text = one("kinds")
    if text is None:
        return None
    registry = current().registry
    names = list(dict.fromkeys(part.strip() for part in text.split(",")))
    for name in names:
        if name not in registry:
            known = [kind.name for kind in registry]
            close = get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"kinds: {', '.join(known)}."
            raise BadQuery(f"kinds: there is no kind {name[:80]!r}; {hint}")
    return [registry[name] for name in names]


def _facts(kinds: Sequence[Kind] | None) -> Facts:
    """The filters of what the log says beside the object; one that nothing can meet is refused, not answered with nothing."""
    given = {name: one(name) for name in _FACTS}
    for name, value in given.items():
        if value is not None and (not value or len(value) > 255 or not value.isprintable()):
            raise BadQuery(f"{name} must have 1 to 255 printable characters.")
    if given["project_id"] is not None:
        check_project(given["project_id"])
        agree(project_header(), given["project_id"], "project_id")
    if given["object_id"] is not None and len(given["object_id"]) > LONGEST_ID:
        raise BadQuery(f"object_id must be the id of an object: at most {LONGEST_ID} characters.")
    if given["actor"] is not None and not _ACTOR.fullmatch(given["actor"]):
        raise BadQuery(
            f"actor must be kind:id, with person, service or session as its kind; it is {given['actor'][:40]!r}."
        )
    if given["verb"] is not None:
        _check_verb(given["verb"], kinds)
    return Facts(**given)


def _check_verb(verb: str, kinds: Sequence[Kind] | None) -> None:
    known = {name for kind in kinds or current().registry for name in kind.logged}
    if verb not in known:
        close = get_close_matches(verb, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"verbs: {', '.join(sorted(known))}."
        raise BadQuery(f"verb: nothing is logged as {verb[:40]!r}; {hint}")


def _times() -> tuple[datetime | None, datetime | None]:
    since, until = time_of("since"), time_of("until")
    if since is not None and until is not None and since > until:
        raise BadQuery("since must not be later than until.")
    return since, until


def _newest() -> bool:
    order = one("order") or "newest"
    if order not in ("newest", "oldest"):
        raise BadQuery(f"order must be newest or oldest; it is {order[:40]!r}.")
    return order == "newest"
