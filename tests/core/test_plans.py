"""A million rows: each question that an index can answer is answered by it, and a page costs the same at any depth."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from ambient_core.database.statements import clause_of
from ambient_core.kinds.indexes import make_text_indexes
from ambient_core.rest import list_query
from ambient_core.store import listing
from tests.core.lions import serving

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plans")]

_FILL = """
INSERT INTO lions (id, name, rank, born, colour, note, labels, tags, data)
SELECT lpad(n::text, 9, '0'), 'n' || n, nullif(n % 5000, 0),
    CASE WHEN n % 50 <> 0 THEN timestamptz '2026-01-01' + n * interval '1 second' END,
    CASE WHEN n % 2000 = 0 THEN 'gold' ELSE 'sand' END,
    CASE WHEN n % 20 = 0 THEN 'note ' || md5(n::text) END,
    CASE WHEN n % 2 = 0 THEN jsonb_build_object('team', 't' || n % 5000) END,
    CASE WHEN n % 4 = 0 THEN jsonb_build_array('g' || n % 5000) END,
    CASE WHEN n % 4 = 1 THEN jsonb_build_object('deep', jsonb_build_object('size', n % 5001)) END
FROM generate_series(1, 1000000) AS n
"""


@pytest.fixture(scope="module")
def app(settings: Any, database_url: str) -> Iterator[Any]:
    with serving(settings, database_url) as app:
        kind = app.runtime.registry["Lion"]
        with app.runtime.database.engine.connect() as connection:
            connection.exec_driver_sql("SET maintenance_work_mem = '256MB'; SET statement_timeout = 0")
            for index in kind.table.indexes:
                index.drop(connection)
            connection.exec_driver_sql(_FILL.replace("%", "%%"))
            for index in kind.table.indexes:
                index.create(connection)
            make_text_indexes(connection, [kind])
            # Of a million rows the usual sample is small: what it happens to hold must not decide a plan, and so the test.
            connection.exec_driver_sql("SET default_statistics_target = 1000")
            connection.exec_driver_sql("VACUUM ANALYZE lions")
        yield app


def plan(app: Any, query: str, after: tuple[str | None, ...] | None = None, analyze: bool = False) -> dict[str, Any]:
    """The plan of a list, as its parameters are."""
    kind = app.runtime.registry["Lion"]
    with app.test_request_context(f"/api/ambient/v1/lions?{query}&total=false"):
        found = list_query(kind)
    clause = clause_of(found.where)
    shape = listing.Shape(
        None, found.terms, found.page.total, None if after is None else tuple(value is not None for value in after)
    )
    parameters = {**clause.parameters, "limit_": found.page.size, "offset_": 0, **listing.key_parameters(after or ())}
    how = "ANALYZE, BUFFERS, " if analyze else ""
    with psycopg.connect(app.runtime.database.url.set(drivername="postgresql").render_as_string(False)) as connection:
        cursor = psycopg.ClientCursor(connection)
        cursor.execute(f"EXPLAIN ({how}FORMAT JSON) {listing.select_list(kind, clause.text, shape)}", parameters)
        return dict(cursor.fetchone()[0][0]["Plan"])


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", []):
        yield from nodes(inner)


@pytest.mark.parametrize(
    ("search", "index"),
    [
        ("id = '000500000'", "pk_lions"),
        ("id in ('000500000', '000000001')", "pk_lions"),
        ("id > '000050000' and id < '000050010'", "pk_lions"),
        ("name = 'n77'", "uq_lions_name"),
        ("name = 'n7' or id = '000500000'", "uq_lions_name"),
        ("name < 'n10'", "uq_lions_name"),
        ("rank = 7", "ix_lions_rank"),
        ("rank in (7, 8)", "ix_lions_rank"),
        ("rank < 2", "ix_lions_rank"),
        ("rank >= 4999", "ix_lions_rank"),
        ("not rank >= 2", "ix_lions_rank"),
        ("not (rank != 7)", "ix_lions_rank"),
        ("rank = 7 or born = '2026-01-02T00:00:00Z'", "ix_lions_born"),
        ("rank between 7 and 8", "ix_lions_rank"),
        ("rank is null", "ix_lions_rank"),
        ("born = '2026-01-02T00:00:00Z'", "ix_lions_born"),
        ("born > '2026-01-02' and born <= '2026-01-02T00:01:00Z'", "ix_lions_born"),
        ("colour = 'gold'", "ix_lions_colour"),
        ("colour in ('gold')", "ix_lions_colour"),
        ("colour is null", "ix_lions_colour"),
        ("labels.team = 't6'", "ix_lions_labels"),
        ("labels.team in ('t6', 't8')", "ix_lions_labels"),
        ("tags contains 'g4'", "ix_lions_tags"),
        ("tags contains 'g4' or labels.team = 't6'", "ix_lions_labels"),
        ("data.deep.size = 77", "ix_lions_data"),
        ("data.deep.size in (77, 78) or rank = 7", "ix_lions_data"),
        ("rank = 6 and labels.team = 't6'", "ix_lions_labels"),
        ("labels.team = 't6' or rank = 7", "ix_lions_labels"),
        ("not (not labels.team = 't6')", None),
        ("(rank = 7 or rank = 8) and (colour = 'gold' or labels.team = 't6')", "ix_lions_rank"),
        ("note contains 'c4ca4238'", "trgm_lions_note"),
        ("note contains 'c4ca4238' or rank = 7", "trgm_lions_note"),
        ("note = 'note x'", "trgm_lions_note"),
        ("note ilike '%C4CA42%'", "trgm_lions_note"),
        ("note like 'note c4ca42%'", "trgm_lions_note"),
    ],
)
def test_what_an_index_can_answer_it_answers(app: Any, search: str, index: str | None) -> None:
    found = list(nodes(plan(app, f"search={search}")))
    used = {node.get("Index Name") for node in found}
    if index is not None:
        assert not [node for node in found if "Seq Scan" in node["Node Type"]], search
        assert index in used, (search, used)


ORDERS: dict[str, list[tuple[str | None, ...]]] = {
    "id": [("000000100",), ("000999000",)],
    "id desc": [("000999900",), ("000001000",)],
    "rank": [("1", "000005001"), ("4998", "000004998"), (None, "000500000")],
    "rank desc": [("4999", "000004999"), ("2", "000500002"), (None, "000500000")],
    "rank desc, born": [("4999", "2026-01-01 01:23:19+00", "000004999"), ("2", None, "000010002")],
    "born desc, rank, name desc": [
        ("2026-01-12 00:00:01+00", "1", "n950401", "000950401"),
        ("2026-01-01 00:10:00+00", "600", "n600", "000000600"),
        (None, "50", "n999950", "000999950"),
    ],
}


@pytest.mark.parametrize("order", ORDERS)
def test_a_page_reads_as_much_at_any_depth(app: Any, order: str) -> None:
    for after in [None, *ORDERS[order]]:
        found = plan(app, f"orderBy={order}&size=100", after, analyze=True)
        assert not [node for node in nodes(found) if "Seq Scan" in node["Node Type"]], (order, after)
        assert found["Shared Hit Blocks"] + found["Shared Read Blocks"] < 8000, (order, after)
        read = max(node["Actual Rows"] * node["Actual Loops"] for node in nodes(found) if "Relation Name" in node)
        assert read <= 2000, (order, after, read)
