"""What a list is asked for is read once for all of its pages, and never taken for what another one is asked for."""

from typing import Any

import pytest

from ambient_core.rest import list_query


def query(app: Any, text: str) -> Any:
    with app.test_request_context(f"/api/ambient/v1/users?{text}"):
        return list_query(app.runtime.registry["User"])


def test_the_pages_of_a_list_are_one_query(app: Any) -> None:
    assert query(app, "size=20&page_token=abc") is query(app, "size=20&page_token=def")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("search=name = 'page_token=abc'", "search=name = 'page_token=def'"),
        ("size=20&page_token=abc", "size=20"),
        ("page_token=abc&size=20", "page_token=abc&size=21"),
    ],
)
def test_another_list_is_another_query(app: Any, one: str, other: str) -> None:
    assert query(app, one) != query(app, other)


@pytest.mark.parametrize(
    ("text", "filling"),
    [
        ("size=20&total=false", True),
        ("size=50&total=false&orderBy=id desc", True),
        ("size=51&total=false", False),
        ("size=20", False),
        ("size=20&total=false&page=2", False),
        ("size=20&total=false&orderBy=name", False),
        ("size=20&total=false&search=name = 'ann'", False),
    ],
)
def test_few_rows_are_looked_at_where_a_short_page_in_the_order_of_the_ids_is_all_that_is_wanted(
    app: Any, text: str, filling: bool
) -> None:
    assert query(app, text).fills_a_page is filling
