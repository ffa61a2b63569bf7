"""What every kind of every loaded plugin promises; a kind's own tests hold only what this cannot know."""

import re
import secrets
from typing import Any

import pytest

from ambient_core.kinds import Access, Kind, rules_of
from ambient_core.kinds.rules import type_of
from ambient_core.rest.apply import unique_groups
from tests.contract.maker import Maker, another, refused, some_field

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def test_a_new_object_has_the_envelope_and_its_fields(kind: Kind, maker: Maker) -> None:
    body = maker.body(kind)
    made = maker.call("POST", f"/{kind.plural}", json=body)
    assert made.status_code == 201
    assert made.json["kind"] == kind.name
    assert made.json["href"] == f"/api/ambient/v1/{kind.plural}/{made.json['id']}" == made.headers["Location"]
    assert made.json["version"] == 1
    assert made.headers["ETag"] == '"1"'
    assert TIME.fullmatch(made.json["created_at"])
    assert TIME.fullmatch(made.json["updated_at"])
    shown = {name: value for name, value in body.items() if rules_of(kind.table.c[name]).access is not Access.SECRET}
    assert {name: made.json.get(name) for name in shown} == shown
    assert None not in made.json.values()


def test_an_id_is_a_lower_case_ulid_or_the_name(kind: Kind, maker: Maker) -> None:
    made = maker.make(kind)
    assert made["id"] == made[kind.id_from] if kind.id_from else re.fullmatch(r"[0-9a-hjkmnp-tv-z]{26}", made["id"])


def test_get_answers_what_create_answered(kind: Kind, maker: Maker) -> None:
    made = maker.make(kind)
    assert maker.call("GET", f"/{kind.plural}/{made['id']}").json == made


def test_every_fault_of_a_body_is_named_at_once(kind: Kind, maker: Maker) -> None:
    column = next((c for c in kind.writable if maker.needed(c)), some_field(kind))
    wrong = 12 if type_of(column).python_type is str else "wrong"
    body = {**maker.body(kind), "no_such_field": 1, "id": "x", "created_at": "2020-01-01T00:00:00Z", "version": 7}
    body[column.name] = wrong
    faults = {
        fault["field"]: fault["rule"]
        for fault in refused(maker.call("POST", f"/{kind.plural}", json=body), 400, "8")["errors"]
    }
    assert faults["/no_such_field"] == "unknown"
    assert faults["/id"] == faults["/created_at"] == faults["/version"] == "read_only"
    assert faults[f"/{column.name}"] == "type"


def test_a_missing_required_field_is_named(kind: Kind, call: Any) -> None:
    needed = {f"/{c.name}" for c in kind.columns(Access.CREATE, Access.WRITE, Access.SECRET) if Maker.needed(c)}
    answer = call("POST", f"/{kind.plural}", json={})
    if not needed:
        assert answer.status_code == 201
        return
    assert {fault["field"] for fault in refused(answer, 400, "8")["errors"] if fault["rule"] == "required"} == needed


def test_a_server_only_field_is_refused_and_unchanged(kind: Kind, maker: Maker) -> None:
    made = maker.make(kind)
    for column in kind.columns(Access.READ):
        answer = maker.call("PATCH", f"/{kind.plural}/{made['id']}", json={column.name: made.get(column.name, "x")})
        assert refused(answer, 400, "8")["errors"][0]["rule"] == "read_only"
    assert maker.call("GET", f"/{kind.plural}/{made['id']}").json == made


def test_a_field_that_is_fixed_at_creation_cannot_be_patched(kind: Kind, maker: Maker) -> None:
    made = maker.make(kind)
    for column in kind.columns(Access.CREATE):
        answer = maker.call("PATCH", f"/{kind.plural}/{made['id']}", json={column.name: made.get(column.name, "x")})
        assert refused(answer, 400, "8")["errors"][0]["rule"] == "create_only"


def test_a_patch_changes_one_field_and_counts_the_version(kind: Kind, maker: Maker) -> None:
    made, column = maker.make(kind), some_field(kind)
    name, value = column.name, another(column, made.get(column.name))
    patched = maker.call("PATCH", f"/{kind.plural}/{made['id']}", json={name: value})
    assert patched.status_code == 200
    expected = {**made, name: value, "version": 2, "updated_at": patched.json["updated_at"]}
    assert patched.json == expected
    assert patched.json["updated_at"] > made["updated_at"]
    assert patched.headers["ETag"] == '"2"'


def test_a_patch_that_changes_nothing_writes_nothing(kind: Kind, maker: Maker, app: Any) -> None:
    made, name = maker.make(kind), some_field(kind).name
    same = maker.call("PATCH", f"/{kind.plural}/{made['id']}", json={name: made.get(name)} if name in made else {})
    assert same.json == made
    assert len(changes_of(app, kind, made["id"])) == 1


def test_null_clears_an_optional_field_and_is_refused_for_others(kind: Kind, maker: Maker) -> None:
    made = maker.make(kind)
    for column in kind.columns(Access.WRITE):
        answer = maker.call("PATCH", f"/{kind.plural}/{made['id']}", json={column.name: None})
        if column.nullable:
            assert column.name not in answer.json
        else:
            assert refused(answer, 400, "8")["errors"][0]["rule"] == "null"


def test_a_merge_patch_reaches_into_maps(kind: Kind, maker: Maker) -> None:
    made = maker.make(kind)
    for column in kind.columns(Access.WRITE):
        if rules_of(column).format == "string-map":
            path = f"/{kind.plural}/{made['id']}"
            maker.call("PATCH", path, json={column.name: None})
            maker.call("PATCH", path, json={column.name: {"a": "1", "b": "2"}})
            answer = maker.call("PATCH", path, json={column.name: {"a": None, "c": "3"}})
            assert answer.json[column.name] == {"b": "2", "c": "3"}


def test_merge_patch_media_type_is_taken_and_others_are_refused(kind: Kind, maker: Maker) -> None:
    path = f"/{kind.plural}/{maker.make(kind)['id']}"
    assert maker.call("PATCH", path, data=b"{}", content_type="application/merge-patch+json").status_code == 200
    for wrong in ("text/plain", "application/json-patch+json"):
        other = maker.call("PATCH", path, data=b"{}", content_type=wrong)
        reason = refused(other, 415, "415")["reason"]
        assert f"application/json or application/merge-patch+json; it came as '{wrong}'" in reason
        assert other.headers["Accept-Patch"] == "application/json, application/merge-patch+json"


def test_a_stale_if_match_is_refused_and_a_fresh_one_taken(kind: Kind, maker: Maker) -> None:
    made, column = maker.make(kind), some_field(kind)
    path, body = f"/{kind.plural}/{made['id']}", {column.name: another(column, made.get(column.name))}
    refused(maker.call("PATCH", path, json=body, headers={"If-Match": '"7"'}), 412, "412")
    assert maker.call("PATCH", path, json=body, headers={"If-Match": '"1"'}).status_code == 200
    refused(maker.call("DELETE", path, headers={"If-Match": '"7"'}), 412, "412")


def test_a_deleted_object_is_gone(kind: Kind, maker: Maker) -> None:
    path = f"/{kind.plural}/{maker.make(kind)['id']}"
    assert (maker.call("DELETE", path).status_code, maker.call("DELETE", path).status_code) == (204, 404)
    refused(maker.call("GET", path), 404, "7")
    refused(maker.call("PATCH", path, json={}), 404, "7")


def test_every_write_leaves_one_row_in_the_change_log(kind: Kind, maker: Maker, app: Any) -> None:
    made, column = maker.make(kind), some_field(kind)
    path = f"/{kind.plural}/{made['id']}"
    maker.call("PATCH", path, json={column.name: another(column, made.get(column.name))})
    maker.call("DELETE", path)
    rows = changes_of(app, kind, made["id"])
    assert [row[0] for row in rows][0] == "create"
    assert [row[0] for row in rows][-1] == "delete"
    assert rows[0][2] == made
    assert {row[1] for row in rows} == {"person:developer"}


def changes_of(app: Any, kind: Kind, identifier: str) -> list[Any]:
    statement = "SELECT verb, actor, object FROM changes WHERE kind = %(kind)s AND object_id = %(id)s ORDER BY seq"
    with app.runtime.database.transaction() as transaction:
        return transaction.raw(statement, {"kind": kind.name, "id": identifier}).fetchall()


def test_a_unique_value_is_taken_once(kind: Kind, maker: Maker) -> None:
    made = maker.make(kind)
    for group in unique_groups(kind):
        body = {**maker.body(kind), **{name: made[name] for name in group}}
        found = refused(maker.call("POST", f"/{kind.plural}", json=body), 409, "6")
        assert {fault["field"] for fault in found["errors"]} == {f"/{name}" for name in group}


def test_a_reference_to_nothing_is_refused(kind: Kind, maker: Maker) -> None:
    for column in kind.writable:
        if column.foreign_keys:
            answer = maker.call("POST", f"/{kind.plural}", json={**maker.body(kind), column.name: "nowhere"})
            assert refused(answer, 400, "8")["errors"][0] | {"reason": ""} == {
                "field": f"/{column.name}",
                "rule": "reference",
                "reason": "",
            }


def test_a_text_that_is_too_long_is_refused(kind: Kind, maker: Maker) -> None:
    for column in kind.writable:
        if length := getattr(type_of(column), "length", None):
            answer = maker.call("POST", f"/{kind.plural}", json={**maker.body(kind), column.name: "x" * (length + 1)})
            assert "max_length" in {
                f["rule"] for f in refused(answer, 400, "8")["errors"] if f["field"] == f"/{column.name}"
            }


def test_a_wrong_type_is_refused_for_every_field(kind: Kind, maker: Maker) -> None:
    for column in kind.writable:
        wrong = 1 if type_of(column).python_type not in (int, float) else "1"
        answer = maker.call("POST", f"/{kind.plural}", json={**maker.body(kind), column.name: wrong})
        assert {"field": f"/{column.name}", "rule": "type"}.items() <= refused(answer, 400, "8")["errors"][0].items()


def test_a_list_has_its_envelope_and_stable_pages(kind: Kind, maker: Maker) -> None:
    made = [maker.make(kind)["id"] for _ in range(5)]
    ids = ", ".join(f"'{identifier}'" for identifier in made)
    pages = [maker.call("GET", f"/{kind.plural}?search=id in ({ids})&size=2&page={n}").json for n in (1, 2, 3, 4)]
    assert [(p["kind"], p["page"], p["size"], p["total"]) for p in pages] == [
        (f"{kind.name}List", 1, 2, 5),
        (f"{kind.name}List", 2, 2, 5),
        (f"{kind.name}List", 3, 1, 5),
        (f"{kind.name}List", 4, 0, 5),
    ]
    assert [item["id"] for page in pages for item in page["items"]] == sorted(made)


def test_an_order_is_kept_in_both_directions(kind: Kind, maker: Maker) -> None:
    made = [maker.make(kind)["id"] for _ in range(3)]
    ids = ", ".join(f"'{identifier}'" for identifier in made)
    up = maker.call("GET", f"/{kind.plural}?search=id in ({ids})&orderBy=created_at").json["items"]
    down = maker.call("GET", f"/{kind.plural}?search=id in ({ids})&orderBy=created_at desc").json["items"]
    assert [item["id"] for item in up] == made
    assert up == down[::-1]


def test_a_second_order_holds_where_the_first_is_equal(kind: Kind, maker: Maker) -> None:
    old, middle, new = (maker.make(kind) for _ in range(3))
    name = some_field(kind).name
    maker.call("PATCH", f"/{kind.plural}/{old['id']}", json={name: another(some_field(kind), old.get(name))})
    query = f"search=id in ('{old['id']}', '{middle['id']}', '{new['id']}')&orderBy=version, created_at desc"
    found = maker.call("GET", f"/{kind.plural}?{query}").json["items"]
    assert [item["id"] for item in found] == [new["id"], middle["id"], old["id"]]


def test_every_readable_field_can_be_searched_and_shown(kind: Kind, maker: Maker) -> None:
    made = maker.make(kind)
    for column in kind.readable:
        answer = maker.call(
            "GET", f"/{kind.plural}?search=id = '{made['id']}' and {column.name} is not null&fields={column.name}"
        )
        shown = {"id", "kind", "href", column.name} & made.keys()
        assert [set(item) for item in answer.json["items"]] == [shown] * (column.name in made), column.name
        alone = maker.call("GET", f"/{kind.plural}/{made['id']}?fields={column.name}")
        assert set(alone.json) == shown, column.name


def test_16_secret_fields_are_never_shown_searched_or_logged(kind: Kind, maker: Maker, app: Any) -> None:
    made = maker.make(kind)
    for column in kind.columns(Access.SECRET):
        assert column.name not in made
        refused(maker.call("GET", f"/{kind.plural}?search={column.name} = 'x'"), 400, "21")
        refused(maker.call("GET", f"/{kind.plural}?fields={column.name}"), 400, "21")
        refused(maker.call("GET", f"/{kind.plural}?orderBy={column.name}"), 400, "21")
        refused(maker.call("GET", f"/{kind.plural}?watch=true&search={column.name} = 'x'"), 400, "21")
        refused(maker.call("DELETE", f"/{kind.plural}?search={column.name} = 'x'&max_affected=9"), 400, "21")
        assert column.name not in changes_of(app, kind, made["id"])[0][2]


def stored(app: Any, kind: Kind, name: str, identifier: str) -> str:
    with app.runtime.database.transaction() as transaction:
        return transaction.raw(f"SELECT {name} FROM {kind.plural} WHERE id = %(id)s", {"id": identifier}).fetchone()[0]


def test_secret_fields_are_stored_sealed_and_the_same_value_is_no_change(kind: Kind, maker: Maker, app: Any) -> None:
    for column in kind.columns(Access.SECRET):
        value = maker.value(kind, column)
        made = maker.make(kind, **{column.name: value})
        first = stored(app, kind, column.name, made["id"])
        assert re.fullmatch(r"enc:v1:[A-Za-z0-9+/=]+", first)
        again = maker.call("PATCH", f"/{kind.plural}/{made['id']}", json={column.name: value})
        assert (again.json["version"], stored(app, kind, column.name, made["id"])) == (1, first)
        other = {str: f"{value}x", int: 2, bool: False}.get(type(value), {"other": "x"})
        changed = maker.call("PATCH", f"/{kind.plural}/{made['id']}", json={column.name: other})
        assert (changed.status_code, changed.json.get("version")) in ((200, 2), (400, None)), changed.json


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=abc",
        "page=1e9",
        "size=0",
        "size=-1",
        "size=501",
        "size=1&size=2",
        "page=99999999999999999999",
    ]
    + [
        "search=nope = 1",
        "search=id = 'x",
        "search=(",
        "orderBy=nope",
        "orderBy=id sideways",
        "fields=nope",
        "serach=x",
        "total=maybe",
        "page_token=x",
    ],
)
def test_33_a_bad_list_parameter_is_named(kind: Kind, call: Any, query: str) -> None:
    reason = refused(call("GET", f"/{kind.plural}?{query}"), 400, "21")["reason"]
    assert query.split("=", maxsplit=1)[0] in reason


def test_the_same_idempotency_key_makes_one_object(kind: Kind, maker: Maker) -> None:
    body, headers = maker.body(kind), {"Idempotency-Key": secrets.token_hex(8)}
    first = maker.call("POST", f"/{kind.plural}", json=body, headers=headers)
    again = maker.call("POST", f"/{kind.plural}", json=body, headers=headers)
    assert (first.status_code, again.status_code, again.data) == (201, 201, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    refused(maker.call("POST", f"/{kind.plural}", json={**body, "other": 1}, headers=headers), 422, "422")


def test_a_request_that_is_refused_leaves_its_idempotency_key_free(kind: Kind, maker: Maker) -> None:
    headers, body = {"Idempotency-Key": secrets.token_hex(8)}, maker.body(kind)
    refused(maker.call("POST", f"/{kind.plural}", json={**body, "no_such_field": 1}, headers=headers), 400, "8")
    made = maker.call("POST", f"/{kind.plural}", json=body, headers=headers)
    assert (made.status_code, "Idempotency-Replayed" in made.headers) == (201, False)
    again = maker.call("POST", f"/{kind.plural}", json=body, headers=headers)
    assert [again.headers[name] for name in ("ETag", "Location")] == ['"1"', made.headers["Location"]]


def test_wrong_methods_and_missing_tokens_are_refused(kind: Kind, call: Any, caller: Any) -> None:
    answer = call("PUT", f"/{kind.plural}")
    refused(answer, 405, "405")
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))
    unknown = caller("wrong")("GET", f"/{kind.plural}")
    refused(unknown, 401, "15")
    assert unknown.headers["WWW-Authenticate"].startswith("Bearer")
    refused(caller(None)("GET", f"/{kind.plural}"), 401, "15")
