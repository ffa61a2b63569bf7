"""What every kind remembers: its versions, what each changed, how things were, and the way back."""

from typing import Any

import jsonpatch

from ambient_core.kinds import Access, Kind
from tests.contract.maker import Maker, refused
from tests.contract.test_log import changed, listed

LONG_AGO, NEVER_YET = "2001-01-01T00:00:00Z", "2901-01-01T00:00:00Z"


def given(kind: Kind, shown: dict[str, Any]) -> dict[str, Any]:
    """What a caller wrote of an object; the rest is the server's."""
    return {name: value for name, value in shown.items() if name in {c.name for c in kind.writable}}


def test_history_lists_the_versions_with_what_each_changed(kind: Kind, maker: Maker, call: Any) -> None:
    made = maker.make(kind)
    new = changed(kind, maker, made)
    page = call("GET", f"/{kind.plural}/{made['id']}/history").json
    assert [(e["version"], e["verb"], e["actor"], e["at"]) for e in page["items"]] == [
        (2, "patch", "person:developer", new["updated_at"]),
        (1, "create", "person:developer", made["created_at"]),
    ]
    assert jsonpatch.apply_patch(made, page["items"][0]["diff"]) == new
    assert "diff" not in page["items"][1]
    first = call("GET", f"/{kind.plural}/{made['id']}/history?size=1").json
    rest = call("GET", f"/{kind.plural}/{made['id']}/history?size=1&page_token={first['next_page_token']}").json
    assert (first["items"] + rest["items"], "next_page_token" in rest) == (page["items"], False)


def test_an_object_is_shown_as_it_was(kind: Kind, maker: Maker, call: Any) -> None:
    made = maker.make(kind)
    new = changed(kind, maker, made)
    path = f"/{kind.plural}/{made['id']}"
    call("DELETE", path)
    for query, expected in (
        ("version=1", made),
        ("version=2", new),
        (f"as_of={made['created_at']}", made),
        (f"as_of={new['updated_at']}", new),
    ):
        answer = call("GET", f"{path}?{query}")
        assert (answer.json, answer.headers.get("ETag")) == (expected, f'"{expected["version"]}"'), query
    assert set(call("GET", f"{path}?version=1&fields=version").json) == {"id", "kind", "href", "version"}


def test_a_list_is_shown_as_it_was_with_search_order_and_pages(kind: Kind, maker: Maker, call: Any) -> None:
    first, second = maker.make(kind), maker.make(kind)
    new = changed(kind, maker, first)
    third = maker.make(kind)
    call("DELETE", f"/{kind.plural}/{second['id']}")
    ids = ", ".join(f"'{one['id']}'" for one in (first, second, third))
    query = f"/{kind.plural}?search=id in ({ids})&orderBy=created_at"
    assert call("GET", f"{query}&as_of={second['created_at']}").json["items"] == [first, second]
    assert call("GET", f"{query}&as_of={new['updated_at']}").json["items"] == [new, second]
    page = call("GET", f"{query}&as_of={third['created_at']}&size=2").json
    assert (page["items"], page["total"]) == ([new, second], 3)
    token = page["next_page_token"]
    assert call("GET", f"{query}&as_of={third['created_at']}&size=2&page_token={token}").json["items"] == [third]
    refused(call("GET", f"{query}&as_of={new['updated_at']}&size=2&page_token={token}"), 400, "21")
    assert call("GET", f"{query}&as_of={LONG_AGO}").json["total"] == 0


def test_what_was_not_there_is_not_found_and_a_bad_time_or_version_is_named(
    kind: Kind, maker: Maker, call: Any
) -> None:
    path = f"/{kind.plural}/{maker.make(kind)['id']}"
    for query in ("version=7", f"as_of={LONG_AGO}"):
        refused(call("GET", f"{path}?{query}"), 404, "7")
    refused(call("GET", f"/{kind.plural}/nothing/history"), 404, "7")
    for query, word in (
        ("version=0", "version"),
        ("version=x", "version"),
        ("as_of=yesterday", "as_of"),
        ("as_of=2026-01-31T12:00:00", "as_of"),
        (f"as_of={NEVER_YET}", "as_of"),
        (f"version=1&as_of={LONG_AGO}", "as_of"),
        ("version=1&search=x", "search"),
    ):
        assert word in refused(call("GET", f"{path}?{query}"), 400, "21")["reason"], query


def test_an_old_version_is_written_anew_as_a_new_one(kind: Kind, maker: Maker, call: Any) -> None:
    made = maker.make(kind)
    new = changed(kind, maker, made)
    path = f"/{kind.plural}/{made['id']}"
    refused(call("POST", f"{path}/restore", json={"version": 1}, headers={"If-Match": '"1"'}), 412)
    dry = call("POST", f"{path}/restore?dry_run=true", json={"version": 1})
    assert call("GET", path).json == new
    answer = call("POST", f"{path}/restore", json={"version": 1}, headers={"If-Match": '"2"'})
    assert (dry.status_code, answer.status_code, answer.headers["ETag"]) == (200, 200, '"3"')
    assert given(kind, answer.json) == given(kind, made)
    assert call("GET", f"{path}/history?size=1").json["items"][0]["verb"] == "restore"
    same = call("POST", f"{path}/restore", json={"version": 3})
    assert same.json["version"] == 3


def test_what_was_deleted_is_made_again_under_its_id(kind: Kind, maker: Maker, call: Any) -> None:
    made = maker.make(kind)
    changed(kind, maker, made)
    path = f"/{kind.plural}/{made['id']}"
    call("DELETE", path)
    if any(not column.nullable for column in kind.columns(Access.SECRET)):
        refused(call("POST", f"{path}/restore", json={"version": 1}), 409, "6")
        return
    for tag in ("*", '"2"'):
        refused(call("POST", f"{path}/restore", json={"version": 1}, headers={"If-Match": tag}), 412, "412")
    answer = call("POST", f"{path}/restore", json={"version": 1})
    assert (answer.status_code, answer.headers["Location"]) == (201, made["href"])
    assert given(kind, answer.json) == given(kind, made)
    assert [answer.json[name] for name in ("id", "version", "created_at")] == [made["id"], 3, made["created_at"]]
    assert call("GET", path).json == answer.json
    assert [(item["verb"], item["version"]) for item in listed(call, kind, made["id"], 4)] == [
        ("create", 1),
        ("patch", 2),
        ("delete", 2),
        ("create", 3),
    ]


def test_a_restore_refuses_what_is_not_there(kind: Kind, maker: Maker, call: Any) -> None:
    path = f"/{kind.plural}/{maker.make(kind)['id']}"
    assert "Version 9" in refused(call("POST", f"{path}/restore", json={"version": 9}), 404, "7")["reason"]
    refused(call("POST", f"/{kind.plural}/nothing/restore", json={"version": 1}), 404, "7")
    for body, rule in (
        ({}, "required"),
        ({"version": 0}, "minimum"),
        ({"version": "1"}, "type"),
        ({"version": 1, "x": 2}, "unknown"),
    ):
        assert refused(call("POST", f"{path}/restore", json=body), 400, "8")["errors"][0]["rule"] == rule


def test_a_page_of_a_history_belongs_to_its_object_and_caller(
    kind: Kind, maker: Maker, call: Any, control_plane: Any
) -> None:
    made, other = maker.make(kind), maker.make(kind)
    changed(kind, maker, made)
    path = f"/{kind.plural}/{made['id']}/history?size=1"
    token = call("GET", path).json["next_page_token"]
    assert call("GET", f"{path}&page_token={token}").json["items"][0]["version"] == 1
    for address in (f"/{kind.plural}/{other['id']}/history", f"/changes?kinds={kind.name}"):
        separator = "&" if "?" in address else "?"
        assert "page_token" in refused(call("GET", f"{address}{separator}page_token={token}"), 400, "21")["reason"]
    refused(control_plane("GET", f"{path}&page_token={token}"), 400, "21")
    refused(call("GET", f"{path}&page_token={token[:-2]}"), 400, "21")


def test_41_the_past_has_one_format(kind: Kind, maker: Maker, call: Any) -> None:
    path = f"/{kind.plural}/{maker.make(kind)['id']}"
    html = {"Accept": "text/html"}
    refused(call("GET", f"{path}/history", headers=html), 406)
    refused(call("POST", f"{path}/restore", json={"version": 1}, headers=html), 406)
    refused(call("GET", "/changes", headers=html), 406)


def test_the_history_of_what_was_deleted_stays(kind: Kind, maker: Maker, call: Any) -> None:
    made = maker.make(kind)
    new = changed(kind, maker, made)
    path = f"/{kind.plural}/{made['id']}"
    call("DELETE", path)
    page = call("GET", f"{path}/history").json
    assert [(entry["verb"], entry["version"]) for entry in page["items"]] == [
        ("delete", 2),
        ("patch", 2),
        ("create", 1),
    ]
    assert (page["items"][0]["diff"], jsonpatch.apply_patch(made, page["items"][1]["diff"])) == ([], new)
    refused(call("GET", f"{path}?as_of={page['items'][0]['at']}"), 404, "7")


def test_a_restore_that_is_sent_twice_happens_once(kind: Kind, maker: Maker, call: Any) -> None:
    made = maker.make(kind)
    changed(kind, maker, made)
    path, key = f"/{kind.plural}/{made['id']}", {"Idempotency-Key": made["id"] + "-back"}
    refused(call("POST", f"{path}/restore", json={"version": 9}, headers=key), 404)
    first = call("POST", f"{path}/restore", json={"version": 1}, headers=key)
    again = call("POST", f"{path}/restore", json={"version": 1}, headers=key)
    assert (again.status_code, again.data, again.headers["ETag"]) == (200, first.data, first.headers["ETag"])
    assert again.headers["Idempotency-Replayed"] == "true"
    refused(call("POST", f"{path}/restore", json={"version": 2}, headers=key), 422, "422")
    assert call("GET", path).json["version"] == 3
