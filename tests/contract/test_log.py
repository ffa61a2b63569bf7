"""What the change log promises for every kind: each write is seen once, in order, by list and by watch."""

import json
from typing import Any

import pytest

from ambient_core import changes
from ambient_core.kinds import Access, Kind
from tests.contract.maker import Maker, another, refused, some_field
from tests.e2e.conftest import wait_for
from tests.streams import told, watching


def changed(kind: Kind, maker: Maker, made: dict[str, Any]) -> dict[str, Any]:
    """The object after a change of one of its fields."""
    column = some_field(kind)
    value = another(column, made.get(column.name))
    body = {column.name: value if value != made.get(column.name) else None}
    answer = maker.call("PATCH", f"/{kind.plural}/{made['id']}", json=body)
    assert answer.json["version"] == made["version"] + 1, answer.json
    return dict(answer.json)


def listed(call: Any, kind: Kind, identifier: str, count: int) -> list[dict[str, Any]]:
    """The changes of an object, once they are settled: something else on this server may write at the same time."""
    path = f"/changes?kinds={kind.name}&object_id={identifier}&order=oldest"
    return wait_for(lambda: found if len(found := call("GET", path).json["items"]) >= count else None, "the changes")  # type: ignore[no-any-return]


def test_every_write_is_listed_with_who_what_and_when(kind: Kind, maker: Maker, call: Any) -> None:
    made = maker.make(kind)
    new = changed(kind, maker, made)
    call("DELETE", f"/{kind.plural}/{made['id']}")
    items = listed(call, kind, made["id"], 3)
    assert [(i["verb"], i["version"], i["actor"]) for i in items] == [
        ("create", 1, "person:developer"),
        ("patch", 2, "person:developer"),
        ("delete", 2, "person:developer"),
    ]
    assert [item["object"] for item in items] == [made, new, new]
    assert [item["at"] for item in items][:2] == [made["created_at"], new["updated_at"]]
    assert {item.get("project_id") for item in items} == {made.get(kind.project_column or "")}


def test_a_watch_shows_each_write_once_in_order_and_resumes(kind: Kind, maker: Maker, call: Any) -> None:
    maker.body(kind)
    with watching(call, f"/{kind.plural}?watch=true") as stream:
        made = maker.make(kind)
        changed(kind, maker, made)
        call("DELETE", f"/{kind.plural}/{made['id']}")
        events = stream.until(3)
    mine = [event for event in events if event["object_id"] == made["id"]]
    assert told(mine) == [("ADDED", made["id"], 1), ("MODIFIED", made["id"], 2), ("DELETED", made["id"], 2)]
    with watching(call, f"/{kind.plural}?watch=true", Last_Event_ID=mine[0]["cursor"]) as again:
        assert [event for event in again.until(2) if event["object_id"] == made["id"]] == mine[1:]


def test_a_watch_shows_what_is_there_first_then_what_changes(kind: Kind, maker: Maker, call: Any) -> None:
    made = maker.make(kind)
    with watching(call, f"/{kind.plural}?watch=true&initial=true&search=id = '{made['id']}'") as stream:
        maker.make(kind)
        changed(kind, maker, made)
        events = stream.until(2)
        order = [event["type"] for event in stream.events]
    assert told(events) == [("ADDED", made["id"], 1), ("MODIFIED", made["id"], 2)]
    assert events[0]["object"] == made
    assert order == ["ADDED", "BOOKMARK", "MODIFIED"]


def test_a_watch_of_a_project_shows_only_its_objects(kind: Kind, maker: Maker, call: Any) -> None:
    column = kind.table.c.get(kind.project_column) if kind.project_column not in (None, "id") else None
    if column is None or column.nullable:
        # What is made here need not live in a project.
        return
    with (
        watching(call, f"/{kind.plural}?watch=true&{kind.project_column}=elsewhere") as other,
        watching(call, f"/{kind.plural}?watch=true&{kind.project_column}={maker.project}") as stream,
    ):
        made = maker.make(kind)
        assert ("ADDED", made["id"], 1) in told(stream.until(1))
    assert other.of() == []


def test_secret_fields_are_in_no_event(kind: Kind, maker: Maker, call: Any) -> None:
    with watching(call, f"/{kind.plural}?watch=true") as stream:
        made = maker.make(kind)
        events = stream.until(1)
    for column in kind.columns(Access.SECRET):
        assert all(column.name not in event["object"] for event in events)
    assert made["id"] in {event["object_id"] for event in events}


def test_a_watch_refuses_what_it_cannot_do(kind: Kind, call: Any, app: Any) -> None:
    with app.runtime.database.transaction() as transaction:
        log = changes.horizon(transaction.raw).log
    future = changes.cursor(log, changes.Position(2**40, 1))
    for query, word in (
        (f"after={future}", "after"),
        ("after=nonsense", "after"),
        ("search=nope = 1", "search"),
        ("watch=maybe", "watch"),
        ("page=2", "page"),
        (f"initial=true&after={future}", "initial"),
    ):
        assert word in refused(call("GET", f"/{kind.plural}?watch=true&{query}"), 400, "21")["reason"]
    assert call("GET", f"/{kind.plural}?watch=false&size=1").json["kind"] == f"{kind.name}List"
    assert "watch" in refused(call("GET", f"/{kind.plural}?initial=true"), 400, "21")["reason"]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("verb=nope", "verb"),
        ("verb=", "verb"),
        ("actor=developer", "actor"),
        ("actor=robot:7", "actor"),
        (f"object_id={'x' * 64}", "object_id"),
        (f"project_id={'x' * 64}", "project"),
        ("since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "since"),
        ("since=yesterday", "since"),
        ("until=2026-01-01", "until"),
        ("order=upwards", "order"),
        ("size=0", "size"),
        ("page_token=x", "page_token"),
        ("search=id = 'x'", "search"),
        ("initial=true", "send Accept: text/event-stream"),
        ("after=x", "send Accept: text/event-stream"),
    ],
)
def test_a_filter_of_changes_that_nothing_can_meet_is_named(kind: Kind, call: Any, query: str, word: str) -> None:
    assert word in refused(call("GET", f"/changes?kinds={kind.name}&{query}"), 400, "21")["reason"]


def test_changes_are_chosen_by_every_verb_that_a_kind_has(kind: Kind, call: Any) -> None:
    writing = [action.name for action in kind.actions if action.writes]
    for verb in ("create", "patch", "delete", "restore", "import", *writing):
        answer = call("GET", f"/changes?kinds={kind.name}&verb={verb}&size=1")
        assert answer.status_code == 200, answer.json
    assert "did you mean" in refused(call("GET", f"/changes?kinds={kind.name}&verb=creat"), 400)["reason"]
    assert "kinds" in refused(call("GET", f"/changes?kinds={kind.name}x"), 400)["reason"]


def test_pages_of_changes_belong_to_what_was_asked_and_to_the_caller(
    kind: Kind, maker: Maker, call: Any, control_plane: Any
) -> None:
    made = maker.make(kind)
    changed(kind, maker, made)
    call("DELETE", f"/{kind.plural}/{made['id']}")
    whole = listed(call, kind, made["id"], 3)
    query = f"/changes?kinds={kind.name}&object_id={made['id']}&order=oldest&size=2"
    first = call("GET", query).json
    token = first["next_page_token"]
    rest = call("GET", f"{query}&page_token={token}").json
    assert (first["items"] + rest["items"], "next_page_token" in rest) == (whole, False)
    for other in (f"/changes?kinds={kind.name}", query.replace("oldest", "newest"), f"{query}&verb=patch"):
        assert "page_token" in refused(call("GET", f"{other}&page_token={token}"), 400, "21")["reason"]
    refused(control_plane("GET", f"{query}&page_token={token}"), 400, "21")
    refused(call("GET", f"{query}&page_token={whole[0]['cursor']}"), 400, "21")


def test_each_filter_of_changes_narrows(kind: Kind, maker: Maker, call: Any, app: Any) -> None:
    made = maker.make(kind)
    new = changed(kind, maker, made)
    call("DELETE", f"/{kind.plural}/{made['id']}")
    create, patch, delete = listed(call, kind, made["id"], 3)
    mine = f"/changes?object_id={made['id']}&order=oldest"
    for query, expected in (
        (f"kinds={kind.name}", [create, patch, delete]),
        *((f"kinds={other.name}", []) for other in app.runtime.registry if other.name != kind.name),
        ("verb=patch", [patch]),
        ("actor=person:developer", [create, patch, delete]),
        ("actor=person:nobody", []),
        (f"since={new['updated_at']}", [patch, delete]),
        (f"until={new['updated_at']}", [create]),
        (f"since={made['created_at']}&until={new['updated_at']}", [create]),
        (
            f"project_id={create.get('project_id', 'nowhere')}",
            [create, patch, delete] if "project_id" in create else [],
        ),
        ("project_id=nowhere", []),
    ):
        assert call("GET", f"{mine}&{query}").json["items"] == expected, query


def test_an_object_that_starts_or_stops_to_match_is_added_or_deleted(kind: Kind, maker: Maker, call: Any) -> None:
    made, column = maker.make(kind), some_field(kind)
    name, value = column.name, another(column, made.get(column.name))
    if value == made.get(name) or isinstance(value, dict | list):
        return
    path, literal = f"/{kind.plural}/{made['id']}", f"'{value}'" if isinstance(value, str) else json.dumps(value)
    with watching(call, f"/{kind.plural}?watch=true&search={name} = {literal}") as stream:
        for given in (value, another(column, value), value):
            call("PATCH", path, json={name: given})
        call("DELETE", path)
        events = stream.until(4)
    assert told(events) == [
        ("ADDED", made["id"], 2),
        ("DELETED", made["id"], 3),
        ("ADDED", made["id"], 4),
        ("DELETED", made["id"], 4),
    ]
    assert [event["object"][name] for event in events] == [value] * 4


def test_a_cursor_that_is_older_than_what_is_kept_is_410_and_says_what_to_do(
    kind: Kind, maker: Maker, call: Any, app: Any
) -> None:
    made = maker.make(kind)
    changed(kind, maker, made)
    first = listed(call, kind, made["id"], 2)[0]["cursor"]
    page = call("GET", f"/changes?kinds={kind.name}&order=oldest&size=1").json["next_page_token"]
    with app.runtime.database.transaction() as transaction:
        kept = changes.horizon(transaction.raw).position
    move = "UPDATE change_horizon SET xid = %(xid)s::xid8, seq = %(seq)s"
    with app.runtime.database.transaction() as transaction:
        transaction.raw(move, changes.end(transaction.raw)._asdict() | {"xid": str(changes.end(transaction.raw).xid)})
    try:
        for path in (f"/{kind.plural}?watch=true", f"/changes?kinds={kind.name}"):
            headers = {"Accept": "text/event-stream", "Last-Event-ID": first}
            assert "initial=true" in refused(call("GET", path, headers=headers), 410, "410")["reason"]
        refused(call("GET", f"/changes?kinds={kind.name}&order=oldest&size=1&page_token={page}"), 410, "410")
    finally:
        with app.runtime.database.transaction() as transaction:
            transaction.raw(move, {"xid": str(kept.xid), "seq": kept.seq})
