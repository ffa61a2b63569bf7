"""Page tokens under concurrent writes: what was there throughout comes once, in order, whatever the order is."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.lions import serving

_INSERT = "INSERT INTO lions (id, name, rank, note) VALUES (%(id)s, %(id)s, %(rank)s, %(note)s)"


@pytest.fixture(scope="module")
def zoo(settings: Any, database_url: str, calls: Any) -> Iterator[Any]:
    with serving(settings, database_url) as app:
        yield calls(app)


def run(zoo: Any, statement: str, **values: Any) -> None:
    with zoo.client.application.runtime.database.transaction() as transaction:
        transaction.raw(statement, values)


RANKS = st.none() | st.integers(-1, 2)
NOTES = st.none() | st.sampled_from(["", "a", "B", "é"])
ROWS = st.dictionaries(st.integers(0, 999).map("{:03}".format), st.tuples(RANKS, NOTES), min_size=1, max_size=14)
TERMS = st.sampled_from(["rank", "rank desc", "note", "note desc", "version", "id desc", "created_at desc"])
ORDERS = st.lists(TERMS, max_size=3, unique_by=lambda term: term.split()[0]).map(", ".join)
WRITES = st.lists(st.tuples(st.booleans(), st.integers(0, 999).map("{:03}".format), RANKS, NOTES), max_size=3)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, order=ORDERS, size=st.integers(1, 5), writes=st.lists(WRITES, max_size=5), total=st.booleans())
def test_34_what_was_there_throughout_comes_once_and_in_order(
    zoo: Any, rows: Any, order: str, size: int, writes: Any, total: bool
) -> None:
    run(zoo, "TRUNCATE lions")
    for identifier, (rank, note) in rows.items():
        run(zoo, _INSERT, id=identifier, rank=rank, note=note)
    query = f"/lions?size={size}&orderBy={order}"
    before = [item["id"] for item in zoo("GET", f"/lions?size=500&orderBy={order}").json["items"]]
    deleted: set[str] = set()
    page = zoo("GET", f"{query}&total={str(total).lower()}").json
    second = zoo("GET", f"{query}&total=false&page=2").json["items"]
    assert [item["id"] for item in second] == before[size : 2 * size]
    found = page["items"]
    for number in range(100):
        for adds, identifier, rank, note in writes[number] if number < len(writes) else []:
            if adds:
                run(zoo, _INSERT + " ON CONFLICT DO NOTHING", id=f"{identifier}-{number}", rank=rank, note=note)
            else:
                run(zoo, "DELETE FROM lions WHERE id = %(id)s", id=identifier)
                deleted.add(identifier)
        if "next_page_token" not in page:
            break
        page = zoo("GET", f"{query}&page_token={page['next_page_token']}").json
        assert page["size"] == len(page["items"]) <= size
        found += page["items"]
    ids = [item["id"] for item in found]
    assert len(ids) == len(set(ids))
    throughout = [identifier for identifier in before if identifier not in deleted]
    assert [identifier for identifier in ids if identifier in throughout] == throughout


def test_a_page_of_a_list_that_is_empty_by_now_is_the_last(zoo: Any) -> None:
    run(zoo, "TRUNCATE lions")
    for identifier in ("a", "b"):
        run(zoo, _INSERT, id=identifier, rank=1, note=None)
    token = zoo("GET", "/lions?size=1").json["next_page_token"]
    run(zoo, "TRUNCATE lions")
    assert zoo("GET", f"/lions?size=1&page_token={token}").json == {
        "kind": "LionList", "page": 2, "size": 0, "items": [],
    }  # fmt: skip


def test_workers_and_replicas_take_each_other_s_tokens(zoo: Any, settings: Any, database_url: str, calls: Any) -> None:
    from dataclasses import replace

    from ambient_core.app import create_app

    for name in ("one", "two"):
        zoo("POST", "/users", json={"username": name, "name": name})
    token = zoo("GET", "/users?size=1").json["next_page_token"]
    second = create_app(replace(settings, database_url=database_url))
    answer = calls(second)("GET", f"/users?size=1&page_token={token}")
    second.runtime.database.close()
    assert (answer.status_code, answer.json["page"]) == (200, 2)
