"""What every kind promises of batches: each operation as it would be alone, and all of them together."""

import secrets
from typing import Any

import pytest

from ambient_core.kinds import Access, Kind
from ambient_core.rest.apply import unique_groups
from tests.contract.maker import Maker, another, refused, some_field
from tests.contract.test_contract import changes_of
from tests.contract.test_past import given as written

Operation = dict[str, Any]


@pytest.fixture
def batch(call: Any) -> Any:
    def send(*operations: Operation, atomic: bool = False, query: str = "", **options: Any) -> Any:
        return call("POST", f"/batch{query}", json={"operations": operations, "atomic": atomic}, **options)

    return send


def op(kind: Kind, name: str, **members: Any) -> Operation:
    return {"op": name, "kind": kind.name, **members}


def other(kind: Kind, present: dict[str, Any]) -> dict[str, Any]:
    column = some_field(kind)
    value = another(column, present.get(column.name))
    return {column.name: value} if value != present.get(column.name) else {}


def statuses(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.json
    return [result["status"] for result in answer.json["results"]]


def test_each_operation_answers_as_it_would_alone(kind: Kind, maker: Maker, batch: Any, call: Any, app: Any) -> None:
    made, gone, body = maker.make(kind), maker.make(kind), maker.body(kind)
    change = other(kind, made)
    answer = batch(
        op(kind, "create", body=body),
        op(kind, "patch", id=made["id"], body=change, if_match='"1"'),
        op(kind, "delete", id=gone["id"], if_match=1),
    )
    assert statuses(answer) == [201, 200, 204]
    created, patched, deleted = answer.json["results"]
    assert (answer.json["kind"], answer.json["succeeded"], answer.json["failed"]) == ("BatchResult", 3, 0)
    assert call("GET", f"/{kind.plural}/{created['body']['id']}").json == created["body"]
    assert call("GET", f"/{kind.plural}/{made['id']}").json == patched["body"] == {**made, **change, **patched["body"]}
    assert (created["etag"], patched["etag"], "body" in deleted) == ('"1"', f'"{patched["body"]["version"]}"', False)
    assert [row[0] for row in changes_of(app, kind, created["body"]["id"])] == ["create"]
    assert [row[0] for row in changes_of(app, kind, gone["id"])] == ["create", "delete"]


def test_20_what_fails_fails_alone(kind: Kind, maker: Maker, batch: Any, call: Any) -> None:
    made, first, second = maker.make(kind), maker.body(kind), maker.body(kind)
    answer = batch(
        op(kind, "create", body=first),
        op(kind, "create", body={"no_such_field": 1}),
        op(kind, "create", body=second),
        op(kind, "patch", id="nothing", body={}),
        op(kind, "patch", id=made["id"], body={}, if_match='"7"'),
        op(kind, "delete", id=made["id"]),
    )
    assert statuses(answer) == [201, 400, 201, 404, 412, 204]
    assert (answer.json["succeeded"], answer.json["failed"]) == (3, 3)
    results = answer.json["results"]
    assert {fault["field"] for fault in results[1]["error"]["errors"]} >= {"/no_such_field"}
    assert results[4]["error"]["current_version"] == 1
    for result in (results[0], results[2]):
        assert call("GET", f"/{kind.plural}/{result['body']['id']}").status_code == 200


def test_of_creates_in_one_statement_the_right_one_is_refused(kind: Kind, maker: Maker, batch: Any) -> None:
    taken = maker.make(kind)
    for group in unique_groups(kind):
        bodies = [maker.body(kind) for _ in range(3)]
        bodies[1] |= {name: taken[name] for name in group}
        answer = batch(*(op(kind, "create", body=body) for body in bodies))
        assert statuses(answer) == [201, 409, 201]
        assert {f["field"] for f in answer.json["results"][1]["error"]["errors"]} == {f"/{name}" for name in group}


def test_20_an_atomic_batch_is_done_as_a_whole_or_not_at_all(kind: Kind, maker: Maker, batch: Any, call: Any) -> None:
    made, body = maker.make(kind), maker.body(kind)
    before = call("GET", f"/{kind.plural}?size=1").json["total"]
    operations = [op(kind, "create", body=body), op(kind, "delete", id=made["id"]), op(kind, "delete", id="nothing")]
    found = refused(batch(*operations, atomic=True), 404, "7")
    assert found["reason"].startswith("Operation 2 failed, and nothing of the batch is done: ")
    assert [result["status"] for result in found["results"]] == [424, 424, 404]
    assert call("GET", f"/{kind.plural}?size=1").json["total"] == before
    assert statuses(batch(*operations[:2], atomic=True)) == [201, 204]
    wrong = refused(batch(op(kind, "create", body={"no_such_field": 1}), atomic=True), 400)
    assert "/operations/0/body/no_such_field" in {fault["field"] for fault in wrong["errors"]}


def test_a_fault_of_an_atomic_batch_points_at_where_it_is(kind: Kind, batch: Any) -> None:
    for wrong, place in (
        ({"op": "nope"}, "/operations/0/op"),
        ({"op": "create", "kind": "Nothing", "body": {}}, "/operations/0/kind"),
        (op(kind, "delete"), "/operations/0/id"),
        (op(kind, "create", body={}, id="x"), "/operations/0/id"),
        (op(kind, "action", action="nope", id="x"), "/operations/0/action"),
        (op(kind, "delete", id="x", if_match=[]), "/operations/0/if_match"),
        ("nothing", "/operations/0"),
        (op(kind, "create", body={"no_such_field": 1}), "/operations/0/body/no_such_field"),
    ):
        found = refused(batch(wrong, op(kind, "delete", id="x"), atomic=True), 400, "8")
        assert place in {fault["field"] for fault in found["errors"]}, wrong


def test_apply_makes_changes_or_leaves_alone_and_says_which(kind: Kind, maker: Maker, batch: Any, app: Any) -> None:
    if not unique_groups(kind):
        answer = batch(op(kind, "apply", body=maker.body(kind)))
        assert (statuses(answer), answer.json["results"][0]["error"]["errors"][0]["rule"]) == ([400], "unique")
        return
    body = maker.body(kind)
    # It is found by the first of the groups that the body has whole.
    key = next(group for group in unique_groups(kind) if set(group) <= body.keys())
    free = some_field(kind).name not in key
    first = {**body, **other(kind, body)} if free else maker.body(kind)
    second = {**first, **other(kind, first)} if free else maker.body(kind)
    outcomes = []
    for given in (body, body, first, second):
        answer = batch(op(kind, "apply", body=given))
        outcomes.append((*statuses(answer), answer.json["results"][0]["outcome"]))
    last = "created" if not free else "unchanged" if first == body else "patched"
    assert outcomes[:2] == [(201, "created"), (200, "unchanged")]
    assert {outcome for _, outcome in outcomes[2:]} == {last}
    identifier = answer.json["results"][0]["body"]["id"]
    verbs = [row[0] for row in changes_of(app, kind, identifier)]
    assert verbs == (["create", "patch", "patch"] if last == "patched" else ["create"])


def test_actions_are_run_under_their_own_rules(kind: Kind, maker: Maker, batch: Any, call: Any) -> None:
    for action in (a for a in kind.actions if a.conditional and a.body is None and not a.secret):
        made = [maker.make(kind)["id"] for _ in range(2)]
        alone = call(action.method, f"/{kind.plural}/{made[0]}/{action.path}").status_code
        stale = op(kind, "action", action=action.name, id=made[1], if_match='"7"')
        answer = batch(stale, op(kind, "action", action=action.name, id=made[1]))
        assert statuses(answer)[1] == alone
        assert statuses(answer)[0] in (412, 403)
    secret = [op(kind, "action", action=a.name, id="x") for a in kind.actions if a.secret]
    answer = batch(op(kind, "action", action="nope", id="x"), op(kind, "action", id="x"), *secret)
    assert set(statuses(answer)) == {400}


def test_an_old_version_is_restored_as_it_would_be_alone(kind: Kind, maker: Maker, batch: Any, app: Any) -> None:
    made = maker.make(kind)
    change = other(kind, made) or {some_field(kind).name: None}
    assert maker.call("PATCH", f"/{kind.plural}/{made['id']}", json=change).json["version"] == 2
    back = {"id": made["id"], "body": {"version": 1}}
    answer = batch(op(kind, "restore", **back, if_match=1), op(kind, "restore", **back, if_match='"2"'))
    assert statuses(answer) == [412, 200]
    restored = answer.json["results"][1]
    assert (written(kind, restored["body"]), restored["etag"]) == (written(kind, made), '"3"')
    assert [row[0] for row in changes_of(app, kind, made["id"])] == ["create", "patch", "restore"]


def test_what_a_batch_deletes_a_batch_can_restore(kind: Kind, maker: Maker, batch: Any, call: Any, app: Any) -> None:
    made = maker.make(kind)
    back = op(kind, "restore", id=made["id"], body={"version": 1})
    dry = batch(op(kind, "delete", id=made["id"]), back, query="?dry_run=true")
    answer = batch(op(kind, "delete", id=made["id"]), back)
    if any(not column.nullable for column in kind.columns(Access.SECRET)):
        assert statuses(answer) == statuses(dry) == [204, 409]
        return
    assert statuses(answer) == statuses(dry) == [204, 201]
    body = answer.json["results"][1]["body"]
    assert (written(kind, body), body["id"], body["version"]) == (written(kind, made), made["id"], 2)
    assert call("GET", f"/{kind.plural}/{made['id']}").json == body
    assert [row[0] for row in changes_of(app, kind, made["id"])] == ["create", "delete", "create"]


def test_a_restore_of_a_batch_refuses_what_it_would_alone(kind: Kind, maker: Maker, batch: Any) -> None:
    made = maker.make(kind)["id"]
    answer = batch(
        op(kind, "restore", id=made, body={"version": 9}),
        op(kind, "restore", id="nothing", body={"version": 1}),
        op(kind, "restore", id=made, body={"version": 0}),
        op(kind, "restore", id=made, body={}),
        op(kind, "restore", id=made),
    )
    assert statuses(answer) == [404, 404, 400, 400, 400]
    alone = refused(maker.call("POST", f"/{kind.plural}/{made}/restore", json={"version": 9}), 404)
    assert answer.json["results"][0]["error"]["reason"] == alone["reason"]


def test_a_batch_can_be_rehearsed_and_repeated(kind: Kind, maker: Maker, batch: Any, call: Any) -> None:
    operations, key = [op(kind, "create", body=maker.body(kind))], {"Idempotency-Key": secrets.token_hex(8)}
    dry = batch(*operations, query="?dry_run=true", headers=key)
    assert (statuses(dry), dry.headers["Ambient-Dry-Run"]) == ([201], "true")
    refused(call("GET", f"/{kind.plural}/{dry.json['results'][0]['body']['id']}"), 404)
    first = batch(*operations, headers=key)
    again = batch(*operations, headers=key)
    assert (first.data, again.headers["Idempotency-Replayed"]) == (again.data, "true")
    assert call("GET", f"/{kind.plural}/{first.json['results'][0]['body']['id']}").status_code == 200


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"op": "list"}, "/op"),
        ({"kind": "Nope"}, "/kind"),
        ({"op": None}, "/op"),
        ({"body": None, "id": "x"}, "/id"),
        ({"op": "patch", "body": {}}, "/id"),
        ({"op": "delete", "id": 5}, "/id"),
        ({"op": "delete", "id": "x", "body": {}}, "/body"),
        ({"op": "delete", "id": "x", "if_match": 1.5}, "/if_match"),
        ({"op": "create", "body": [1]}, ""),
    ],
)
def test_an_operation_that_cannot_be_read_is_named(kind: Kind, batch: Any, members: Any, field: str) -> None:
    given = {
        name: value for name, value in {**op(kind, "create"), **members}.items() if name != "body" or value is not None
    }
    answer = batch(given)
    assert statuses(answer) == [400]
    assert answer.json["results"][0]["error"]["errors"][0]["field"] == field


def test_where_if_match_is_demanded_a_batch_must_give_it(
    kind: Kind, maker: Maker, batch: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = maker.make(kind)["id"]
    monkeypatch.setitem(app.runtime.registry[kind.name].__dict__, "requires_if_match", True)
    answer = batch(
        op(kind, "patch", id=made, body={}),
        op(kind, "restore", id=made, body={"version": 1}),
        op(kind, "delete", id=made),
        op(kind, "delete", id=made, if_match=1),
    )
    assert statuses(answer) == [428, 428, 428, 204]
