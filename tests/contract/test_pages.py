"""What every kind promises of page tokens."""

from typing import Any

import pytest

from ambient_core.kinds import Access, Kind
from ambient_core.rest import searchable
from tests.contract.maker import Maker, refused


@pytest.fixture
def ids(kind: Kind, maker: Maker) -> list[str]:
    """Objects of which every other has no value where it may have none."""
    made = [maker.make(kind)["id"] for _ in range(7)]
    for column in (c for c in kind.columns(Access.WRITE) if c.nullable):
        for identifier in made[::2]:
            assert maker.call("PATCH", f"/{kind.plural}/{identifier}", json={column.name: None}).status_code == 200
    return sorted(made)


@pytest.fixture
def query(ids: list[str]) -> str:
    return "search=id in (" + ", ".join(f"'{identifier}'" for identifier in ids) + ")"


def pages(call: Any, kind: Kind, query: str) -> list[dict[str, Any]]:
    found = [call("GET", f"/{kind.plural}?{query}").json]
    while "next_page_token" in found[-1]:
        found.append(call("GET", f"/{kind.plural}?{query}&page_token={found[-1]['next_page_token']}").json)
    return found


@pytest.mark.parametrize("total", ["", "&total=false", "&total=true"])
def test_tokens_lead_through_all_pages_and_the_last_has_none(
    kind: Kind, ids: list[str], query: str, call: Any, total: str
) -> None:
    for size, sizes in ((3, [3, 3, 1]), (7, [7]), (8, [7])):
        found = pages(call, kind, f"{query}&size={size}{total}")
        assert [page["size"] for page in found] == sizes
        assert [page["page"] for page in found] == [*range(1, len(sizes) + 1)]
        assert [item["id"] for page in found for item in page["items"]] == ids
        assert ["total" in page for page in found] == [
            total == "&total=true" or (not total and page["page"] == 1) for page in found
        ]


def test_a_token_works_with_every_order_nulls_included(kind: Kind, ids: list[str], query: str, call: Any) -> None:
    for column in (c for c in searchable(kind).values() if c.type != "json"):
        for direction in ("asc", "desc"):
            order = f"&orderBy={column.name} {direction}" + (", version desc" if column.name != "version" else "")
            answer = call("GET", f"/{kind.plural}?{query}{order}")
            assert answer.status_code == 200, answer.json["reason"]
            whole = answer.json["items"]
            found = pages(call, kind, f"{query}{order}&size=2&total=false")
            assert [item for page in found for item in page["items"]] == whole, (column.name, direction)


def test_a_page_by_number_gives_a_token_that_goes_on_from_it(kind: Kind, ids: list[str], query: str, call: Any) -> None:
    second = call("GET", f"/{kind.plural}?{query}&size=2&page=2").json
    third = call("GET", f"/{kind.plural}?{query}&size=2&page_token={second['next_page_token']}&fields=version").json
    assert (third["page"], [item["id"] for item in third["items"]]) == (3, ids[4:6])


def test_17_a_token_is_of_one_query_one_order_and_one_caller(
    kind: Kind, query: str, call: Any, control_plane: Any
) -> None:
    token = call("GET", f"/{kind.plural}?{query}&size=2").json["next_page_token"]
    changed = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    for given in (
        f"{query} and version > 0&page_token={token}",
        f"page_token={token}",
        f"{query}&orderBy=id desc&page_token={token}",
        *(f"{query}&page_token={wrong}" for wrong in (changed, "x", "", token + "A", "%00", "é", token * 100)),
    ):
        assert "page_token" in refused(call("GET", f"/{kind.plural}?{given}"), 400, "21")["reason"]
    refused(control_plane("GET", f"/{kind.plural}?{query}&page_token={token}"), 400)
    refused(call("GET", f"/{kind.plural}?{query}&page=2&page_token={token}"), 400)
