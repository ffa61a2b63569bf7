"""``?search=`` over a field of every type, parts of JSON fields too, checked against Python on the same rows."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.lions import serving
from tests.core.meaning import Said, between, compare, contains, expressions, like, nothing, within

KEYS = ["6f1c1d1e-0b5a-4c3e-9d2f-000000000001", "6f1c1d1e-0b5a-4c3e-9d2f-000000000002"]
TIMES = [datetime(2026, 1, 31, 12, tzinfo=UTC), datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC)]
VALUES: dict[str, list[Any]] = {
    "steps": [None, 0, 2**40],
    "weight": [1.5, None],
    "tame": [True, False, None],
    "born": [None, *TIMES],
    "colour": ["sand", "gold", None],
    "note": ["A lion", "50% of a_lion\\", None, "lion"],
    "labels": [None, {}, {"team": "web"}, {"team": "Ops", "a/b.c": "x", "0": "zero"}],
    "tags": [[], ["a"], ["a", "b%"], None],
    "data": [
        None, {}, {"a": 1}, {"a": "1", "b": {"c": True}}, {"a": None}, {"a": ["x", 1]}, {"a": 1.0, "b": {"c": [True]}},
    ],
    "key": [None, *KEYS],
}  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """Seventy rows, each field running through its values at a pace of its own."""
    cycles = {name: itertools.cycle(values) for name, values in VALUES.items()}
    return [{"name": f"l{n}", **{name: next(cycle) for name, cycle in cycles.items()}} for n in range(70)]


@pytest.fixture(scope="module")
def found(settings: Any, database_url: str, calls: Any, rows: Any) -> Iterator[Any]:
    with serving(settings, database_url) as app:
        call = calls(app)
        for row in rows:
            body = orjson.loads(orjson.dumps({name: value for name, value in row.items() if value is not None}))
            assert call("POST", "/lions", json=body).status_code == 201, body

        def find(text: str) -> set[str]:
            answer = call("GET", f"/lions?size=500&search={quote(text)}")
            assert answer.status_code == 200, (text, answer.json["reason"])
            return {item["name"] for item in answer.json["items"]}

        yield find


def some(field: str) -> Any:
    return st.sampled_from([value for value in VALUES[field] if value is not None])


SIGNS = st.sampled_from(["=", "!=", "<>", "<", "<=", ">", ">="])
EQUALS = st.sampled_from(["=", "!="])
ORDERED = st.sampled_from(["steps", "weight", "born"])
PATHS = st.sampled_from(["data.a", "data.b.c", "data.b", "data.'a'"])
SCALARS = st.sampled_from(["1", "x", True, False, 1, 0, 1.0])
NUMBERS = st.sampled_from([0, 1, 1.5])
STRINGS = st.sampled_from(["web", "Ops", "x", "", "zero"])
MAPPED = st.sampled_from(["labels.team", "labels.'a/b.c'", "labels.nope", "labels.'0'"])
INSIDE = st.sampled_from(["lion", "LION", "%", "_", "\\", "", "50% of", "a_lion\\"])
CONDITIONS = st.one_of(
    ORDERED.flatmap(lambda field: st.builds(compare, st.just(field), SIGNS, some(field))),
    ORDERED.flatmap(lambda field: st.builds(between, st.just(field), some(field), some(field), st.booleans())),
    st.sampled_from(["key", "colour", "tame"]).flatmap(lambda f: st.builds(compare, st.just(f), EQUALS, some(f))),
    st.sampled_from(["key", "colour", "born"]).flatmap(
        lambda f: st.builds(within, st.just(f), st.lists(some(f), min_size=1, max_size=3), st.booleans())
    ),
    st.builds(contains, st.just("note"), INSIDE, st.booleans()),
    st.builds(contains, st.just("tags"), st.sampled_from(["a", "b%", "c"]), st.booleans()),
    st.builds(contains, st.just("labels"), st.sampled_from(["team", "a/b.c", "0", "web"]), st.booleans()),
    st.builds(contains, MAPPED, st.sampled_from(["e", "OP", "x"]), st.booleans()),
    st.builds(contains, PATHS, SCALARS, st.booleans()),
    st.builds(compare, MAPPED, SIGNS, STRINGS),
    st.builds(within, MAPPED, st.lists(STRINGS, min_size=1, max_size=3), st.booleans()),
    st.builds(like, MAPPED, st.sampled_from(["%e%", "o__", "%"]), st.booleans(), st.booleans()),
    st.builds(compare, PATHS, EQUALS, SCALARS),
    st.builds(compare, PATHS, SIGNS, NUMBERS | st.sampled_from(["1", "x"])),
    st.builds(within, PATHS, st.lists(NUMBERS, min_size=1, max_size=3), st.booleans()),
    st.builds(between, PATHS, NUMBERS, NUMBERS, st.booleans()),
    st.builds(nothing, st.sampled_from([*VALUES, "labels.team", "data.a", "data.b.c"]), st.booleans()),
)
EXPRESSIONS = expressions(CONDITIONS)


@pytest.mark.slow
@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(expression=EXPRESSIONS)
def test_an_expression_means_the_same_in_sql_and_in_python(found: Any, rows: Any, expression: Said) -> None:
    text, holds = expression
    assert found(text) == {row["name"] for row in rows if holds(row) is True}, text


def test_a_value_that_a_field_cannot_have_is_named_with_those_it_can(found: Any, rows: Any) -> None:
    with pytest.raises(AssertionError, match="'blue' is no value of field 'colour'.*sand, gold"):
        found("colour in ('sand', 'blue')")
    with pytest.raises(AssertionError, match="'key' takes a quoted UUID"):
        found("key = 'x'")
    with pytest.raises(AssertionError, match="ask what it contains, as in tags contains 'x'"):
        found("tags = 'x'")
