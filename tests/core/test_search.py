"""``?search=``: what it means, checked against Python on real rows; and what it refuses, with the position."""

import itertools
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ambient_core import BadQuery, search
from ambient_core.rest import searchable
from tests.core.meaning import Said, between, compare, expressions, like, nothing, within

TEXTS = ["alpha", "Beta", "it's", "100%", "a_b", "", None]
SESSIONS: list[dict[str, Any]] = [
    {"name": f"s{number}", "prompt": prompt, "timeout": timeout, "llm_temperature": heat, "stop_on_run_finished": stays}
    for number, (prompt, timeout, heat, stays) in enumerate(
        itertools.product(TEXTS, (None, 1, 60), (0.0, 1.5), (True, False))
    )
]


@pytest.fixture(scope="module")
def rows(call: Any, project: str) -> list[dict[str, Any]]:
    for session in SESSIONS:
        body = {name: value for name, value in session.items() if value is not None}
        assert call("POST", "/sessions", json={**body, "project_id": project}).status_code == 201
    return SESSIONS


@pytest.fixture(scope="module")
def found(app: Any, rows: Any) -> Any:
    """The names of the sessions that a text finds."""
    kind = app.runtime.registry["Session"]

    def find(text: str) -> set[str]:
        condition = search.where(search.parse(text), searchable(kind))
        with app.runtime.database.transaction() as transaction:
            return {row[0] for row in transaction.execute(select(kind.table.c.name).where(condition))}

    return find


SIGNS = st.sampled_from(["=", "!=", "<>", "<", "<=", ">", ">="])
STRINGS = st.sampled_from([text for text in TEXTS if text is not None])
CONDITIONS = st.one_of(
    st.builds(compare, st.just("prompt"), st.sampled_from(["=", "!=", "<>"]), STRINGS),
    st.builds(compare, st.just("timeout"), SIGNS, st.sampled_from([0, 1, 59, 60])),
    st.builds(compare, st.just("llm_temperature"), SIGNS, st.sampled_from([0, 0.5, 1.5, 2e0])),
    st.builds(compare, st.just("stop_on_run_finished"), st.sampled_from(["=", "!="]), st.booleans()),
    st.builds(within, st.just("prompt"), st.lists(STRINGS, min_size=1, max_size=3), st.booleans()),
    st.builds(within, st.just("timeout"), st.lists(st.integers(0, 61), min_size=1, max_size=3), st.booleans()),
    st.builds(
        like,
        st.just("prompt"),
        st.sampled_from(["%", "A%", "b__a", "%'%", "a_b", "%TA", ""]),
        st.booleans(),
        st.booleans(),
    ),
    st.builds(between, st.just("timeout"), st.integers(0, 2), st.integers(0, 61), st.booleans()),
    st.builds(nothing, st.sampled_from(["prompt", "timeout"]), st.booleans()),
)
EXPRESSIONS = expressions(CONDITIONS)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(expression=EXPRESSIONS)
def test_an_expression_means_the_same_in_sql_and_in_python(found: Any, rows: Any, expression: Said) -> None:
    text, holds = expression
    assert found(text) == {row["name"] for row in rows if holds(row) is True}


def test_and_binds_tighter_than_or(found: Any) -> None:
    loose = "timeout = 1 or timeout = 60 and prompt = 'alpha'"
    assert found(loose) == found("timeout = 1 or (timeout = 60 and prompt = 'alpha')")
    assert found(loose) != found("(timeout = 1 or timeout = 60) and prompt = 'alpha'")


def test_an_escaped_wildcard_means_itself(found: Any, rows: Any) -> None:
    assert found(r"prompt like '100\%'") == {row["name"] for row in rows if row["prompt"] == "100%"}
    assert found(r"prompt like 'a\_b'") == {row["name"] for row in rows if row["prompt"] == "a_b"}


def test_times_are_compared_as_times(found: Any, rows: Any) -> None:
    assert found("created_at > '2020-01-01' and created_at < '2120-01-01T00:00:00+02:00'") == {r["name"] for r in rows}
    assert found("created_at < '2020-01-01T00:00:00Z'") == set()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour = 'x'", "there is no field 'colour' (position 1); known fields: "),
        ("name = 'x' and colour = 'y'", "'colour' (position 16)"),
        ("name = 'x", "the string that starts at position 8 has no closing quote"),
        ("name =", "ends too early"),
        ("name = null", "nothing equals null (position 8); write is null"),
        ("name = 'x' nor name = 'y'", "at position 12 does not fit"),
        ("name = 5", "'name' takes a quoted string (position 8)"),
        ("timeout = 'many'", "takes a whole number of at most 32 bits (position 11)"),
        ("timeout = 2147483648", "at most 32 bits"),
        ("timeout like '1%'", "like is for text; field 'timeout' is of type integer (position 14)"),
        ("created_at > 'yesterday'", "takes a quoted RFC 3339 time"),
        ("stop_on_run_finished > true", "compare it with = or !="),
        ("labels = 'x'", "holds JSON; ask for a part of it, as in labels.name = 'x'"),
        ("labels.a.b = 'x'", "a name with dots is quoted: labels.'a.b'"),
        ("name.first = 'x'", "field 'name' has no parts (position 1)"),
        ("labels.team = 5", "field 'labels' holds strings; quote the value (position 15)"),
        ("labels.'' = 'x'", "has 1 to 317 characters (position 1)"),
        ("labels contains 5", "takes a quoted string here (position 17)"),
        ("timeout contains '1'", "contains is for text; field 'timeout' is of type integer"),
        ("resource_overrides.a.b.c.d.e.f.g.h.i = 1", "has more than 8 steps"),
        ("resource_overrides.a.'0' = 1", "not to places of a list"),
        ("resource_overrides.a in (1, 'x')", "values of one type"),
        ("resource_overrides.a > true", "by = or !="),
        (r"name like 'x\'", "must not end in a single backslash"),
        ("(" * 33 + "name = 'x'" + ")" * 33, "nested too deep"),
        ("name in (" + ", ".join(["'x'"] * 201) + ")", "201 values; 200 are the most"),
        ("name = 'x" + "x" * 5000 + "'", "4096 are the most"),
        ("name = 'x'; drop table users", "at position 11"),
    ],
)
def test_what_is_wrong_is_said_with_its_position(found: Any, text: str, words: str) -> None:
    with pytest.raises(BadQuery) as refused:
        found(text)
    assert words in refused.value.reason


@pytest.mark.slow
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(max_size=60)
    | st.lists(st.sampled_from(["name", "=", "'x'", "(", ")", "not", "and", "in", ",", "is", "null", "1"])).map(
        " ".join
    )
)
def test_no_text_is_a_fault_of_ours(found: Any, text: str) -> None:
    with suppress(BadQuery):
        found(text)


def test_a_secret_field_is_unknown_to_search_and_order(call: Any, rows: Any) -> None:
    for query in ("search=endpoint is not null", "orderBy=endpoint", "fields=endpoint"):
        assert call("GET", f"/sessions?{query}").status_code == 400
