"""What every kind promises of many objects at once: a list as lines, and a deletion by search."""

import json
import secrets
from typing import Any

import pytest

from ambient_core.kinds import Kind
from tests.contract.maker import Maker, refused
from tests.contract.test_contract import changes_of

NDJSON = {"Accept": "application/x-ndjson"}


@pytest.fixture
def ids(kind: Kind, maker: Maker) -> list[str]:
    return sorted(maker.make(kind)["id"] for _ in range(4))


def search(*ids: str) -> str:
    return "search=id in (" + ", ".join(f"'{identifier}'" for identifier in ids) + ")"


def test_a_list_comes_as_lines(kind: Kind, ids: list[str], call: Any) -> None:
    listed = call("GET", f"/{kind.plural}?{search(*ids)}").json["items"]
    answer = call("GET", f"/{kind.plural}?{search(*ids)}", headers=NDJSON)
    assert (answer.status_code, answer.mimetype) == (200, "application/x-ndjson")
    assert [json.loads(line) for line in answer.data.splitlines()] == listed
    some = call("GET", f"/{kind.plural}?{search(*ids)}&orderBy=id desc&fields=version", headers=NDJSON)
    assert [json.loads(line)["id"] for line in some.data.splitlines()] == ids[::-1]
    assert call("GET", f"/{kind.plural}?search=id = 'none'", headers=NDJSON).data == b""


def test_lines_have_no_pages_and_the_same_rules(kind: Kind, call: Any, caller: Any) -> None:
    for query in ("page=1", "size=5", "total=false", "page_token=x", "search=nope = 1", "orderBy=nope"):
        refused(call("GET", f"/{kind.plural}?{query}", headers=NDJSON), 400, "21")
    refused(caller("wrong")("GET", f"/{kind.plural}", headers=NDJSON), 401)


def test_41_a_format_that_there_is_not_is_406(kind: Kind, ids: list[str], call: Any) -> None:
    for method, path in (("GET", ""), ("POST", ""), ("GET", f"/{ids[0]}"), ("PATCH", f"/{ids[0]}"), ("DELETE", "")):
        refused(call(method, f"/{kind.plural}{path}", headers={"Accept": "text/html"}), 406, "406")
    for accepted in ("*/*", "application/*", "text/html, application/json;q=0.5", ""):
        assert call("GET", f"/{kind.plural}/{ids[0]}", headers={"Accept": accepted}).status_code == 200
    refused(call("GET", f"/{kind.plural}/{ids[0]}", headers=NDJSON), 406)


def test_what_matches_is_deleted_and_counted(kind: Kind, ids: list[str], call: Any, app: Any) -> None:
    answer = call("DELETE", f"/{kind.plural}?{search(*ids[:3])}&max_affected=3")
    assert (answer.status_code, answer.json) == (200, {"kind": "Deletion", "deleted": 3})
    assert [item["id"] for item in call("GET", f"/{kind.plural}?{search(*ids)}").json["items"]] == ids[3:]
    for identifier in ids[:3]:
        assert [(row[0], row[1]) for row in changes_of(app, kind, identifier)][-1] == ("delete", "person:developer")


def test_more_than_may_be_affected_deletes_nothing_and_says_how_many(kind: Kind, ids: list[str], call: Any) -> None:
    answer = call("DELETE", f"/{kind.plural}?{search(*ids)}&max_affected=2")
    assert refused(answer, 409, "6")["matched"] == 4
    assert call("GET", f"/{kind.plural}?{search(*ids)}").json["total"] == 4
    assert call("DELETE", f"/{kind.plural}?search=id = 'none'&max_affected=0").json["deleted"] == 0


def test_a_deletion_by_search_can_be_rehearsed(kind: Kind, ids: list[str], call: Any, app: Any) -> None:
    answer = call("DELETE", f"/{kind.plural}?{search(*ids)}&max_affected=9&dry_run=true")
    assert (answer.json["deleted"], answer.headers["Ambient-Dry-Run"]) == (4, "true")
    assert call("GET", f"/{kind.plural}?{search(*ids)}").json["total"] == 4
    assert len(changes_of(app, kind, ids[0])) == 1


@pytest.mark.parametrize(
    "query",
    ["", "max_affected=1", "search=&max_affected=1", "search=id = 'x'", "search=id = 'x'&max_affected=-1"]
    + ["search=id = 'x'&max_affected=10001", "search=nope = 1&max_affected=1", "search=id = 'x'&max_affected=1&size=1"],
)
def test_a_deletion_must_say_what_and_how_many_at_most(kind: Kind, call: Any, query: str) -> None:
    refused(call("DELETE", f"/{kind.plural}?{query}"), 400, "21")


def test_a_deletion_by_search_takes_what_hangs_on_it_along(kind: Kind, maker: Maker, call: Any, app: Any) -> None:
    made = maker.make(kind)["id"]
    hanging = []
    for other, column, rule in app.runtime.registry.references(kind):
        if rule == "CASCADE" and column.name in maker.body(other):
            hanging.append((other, maker.make(other, **{column.name: made})["id"]))
    assert call("DELETE", f"/{kind.plural}?{search(made)}&max_affected=1").json["deleted"] == 1
    for other, identifier in hanging:
        refused(call("GET", f"/{other.plural}/{identifier}"), 404)
        assert changes_of(app, other, identifier)[-1][0] == "delete"


def test_hooks_may_refuse_a_deletion_by_search_as_a_whole(
    kind: Kind, ids: list[str], call: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from ambient_core import Conflict

    def veto(kind: Kind, verb: str, row: dict[str, Any], principal: Any) -> None:
        if verb == "delete" and row["id"] == ids[2]:
            raise Conflict("This one stays.")

    monkeypatch.setattr(app, "runtime", replace(app.runtime, before_write=(("veto", veto),)))
    refused(call("DELETE", f"/{kind.plural}?{search(*ids)}&max_affected=9"), 409)
    assert call("GET", f"/{kind.plural}?{search(*ids)}").json["total"] == 4


def test_where_if_match_is_demanded_there_is_no_blind_deletion(
    kind: Kind, ids: list[str], call: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.runtime.registry[kind.name].__dict__, "requires_if_match", True)
    refused(call("DELETE", f"/{kind.plural}?{search(*ids)}&max_affected={secrets.randbelow(9)}"), 428)
