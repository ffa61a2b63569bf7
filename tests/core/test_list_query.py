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
