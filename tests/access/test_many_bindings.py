"""Somebody with a role in very many projects: the same is shown as to anybody, and a list reads no more than it must."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import psycopg
import pytest
from ambient_access import grants
from ambient_access.subject import any_of
from flask import g
from psycopg import sql
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH
from sqlalchemy import column, literal, or_, select, true

from ambient_core.app import Application, create_app
from ambient_core.config import Settings
from ambient_core.database.paged import Paged
from ambient_core.database.statements import Clause, clause_of, scoped
from ambient_core.kinds import Kind
from ambient_core.plugins import Source, installed, load_plugins
from ambient_core.rest.operation import Operation
from ambient_core.store import listing
from conftest import BASE
from tests.access.people import People
from tests.bench import bindings
from tests.core.test_plans import nodes

SIZE = bindings.Size(sessions=50_000, projects=1000)
_CROWD = (
    "INSERT INTO role_bindings (id, role_id, scope, group_name, project_id) SELECT 'crowd' || n, 'project-viewer', 'project', 'crowd', "
    "'p' || n * 10 FROM generate_series(1, 100) AS n"
)
_PARAMETER = re.compile(r"%\((\w+)\)s")


@pytest.fixture(scope="module")
def filled(app: Application) -> str:
    """A database where ``caller`` has a role in 100 of 1,000 projects; its URL."""
    url = app.runtime.database.url.set(drivername="postgresql").render_as_string(False)
    bindings.fill(url, SIZE)
    bindings.bind(url, "caller", SIZE)
    with psycopg.connect(url) as connection:
        connection.execute(_CROWD)
    return url


def scope_of(app: Application, caller: str, *, page: bool) -> tuple[Kind, Clause]:
    """What a list of sessions is limited to."""
    with app.test_request_context(f"{BASE}/sessions", headers={"Authorization": f"Bearer person:{caller}"}):
        operation = g.operation = Operation("test", app.runtime)
        app.identify(operation)
        store = operation.store("Session", "list")
        operation.transaction.rollback()
        return store.kind, scoped(store.kind, store.condition, page=page)


def planned(app: Application, url: str, caller: str, mode: str, *, page: bool = False) -> dict[str, Any]:
    """The plan of a list of 20 sessions as it was run; with one plan for everybody, or with one of the caller's own.

    Args:
        page: as it is asked when only a page is wanted.
    """
    kind, scope = scope_of(app, caller, page=page)
    text = listing.select_list(kind, scope.text, listing.Shape(None, (("id", False),), count=False, size=20))
    names = list(dict.fromkeys(_PARAMETER.findall(text)))
    prepared = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", text).replace("%%", "%")
    given = sql.SQL(", ").join(sql.Literal(scope.parameters[name]) for name in names)
    with psycopg.connect(url) as connection:
        connection.execute(f"PREPARE asked AS {prepared}")
        connection.execute(f"SET plan_cache_mode = force_{mode}_plan")
        asked = sql.SQL("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked({})").format(given)
        return dict(connection.execute(asked).fetchone()[0][0]["Plan"])


def of_sessions(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (node for node in nodes(plan) if node.get("Relation Name") == "sessions")


@pytest.mark.parametrize("mode", ["generic", "custom"])
def test_a_list_goes_along_the_order_and_reads_the_bindings_once(app: Application, filled: str, mode: str) -> None:
    found = planned(app, filled, "caller", mode)
    assert {(node["Node Type"], node["Index Name"]) for node in of_sessions(found)} == {("Index Scan", "pk_sessions")}
    # One session in ten is theirs.
    assert all(node["Actual Rows"] + node["Rows Removed by Filter"] <= 400 for node in of_sessions(found))
    asked = [node for node in nodes(found) if node.get("Relation Name") == "role_bindings"]
    # By which way is the planner's affair: the table is small, and how clean it is just then decides.
    assert {node["Actual Loops"] for node in asked} == {1}


@pytest.mark.parametrize("caller", ["caller", "caller/staff+dev", "member/crowd+staff+dev"])
@pytest.mark.parametrize("mode", ["generic", "custom"])
def test_a_page_asks_the_bindings_only_of_what_falls_through_the_sieve(
    app: Application, filled: str, mode: str, caller: str
) -> None:
    found = planned(app, filled, caller, mode, page=True)
    assert {(node["Node Type"], node["Index Name"]) for node in of_sessions(found)} == {("Index Scan", "pk_sessions")}
    rows = [node["Actual Rows"] + node["Rows Removed by Filter"] for node in of_sessions(found)]
    sieves = [node for node in nodes(found) if node.get("Relation Name") == "role_binding_sieves"]
    assert {node["Actual Loops"] for node in sieves} == {1}
    asked = [node for node in nodes(found) if node.get("Relation Name") == "role_bindings"]
    # 21 that are shown, and a few for nothing; by which index is the planner's affair.
    assert sum(rows) > 150
    assert all(node["Actual Loops"] <= 35 for node in asked)
    assert {node["Node Type"] for node in asked} <= {"Index Only Scan", "Index Scan"}
    assert all(node["Actual Rows"] + node.get("Rows Removed by Filter", 0) <= 3 for node in asked)


def test_the_text_of_a_page_is_short_enough_for_the_driver_to_keep(app: Application, filled: str) -> None:
    kind, scope = scope_of(app, "caller/a+b+c+d+e+f", page=True)
    following = listing.Shape(None, (("id", True),), count=False, after=(True,), size=50)
    assert len(listing.select_list(kind, scope.text, following)) < MAX_CACHED_STATEMENT_LENGTH


@pytest.mark.parametrize("mode", ["generic", "custom"])
def test_somebody_with_few_projects_reads_no_others_sessions(app: Application, filled: str, mode: str) -> None:
    found = planned(app, filled, "own-7", mode)
    assert {node.get("Index Name") for node in nodes(found)} >= {"ix_sessions_project_id"}
    assert not [node for node in nodes(found) if node.get("Parent Relationship") == "SubPlan"]
    mine = SIZE.sessions // SIZE.projects * 4
    assert all(node["Actual Rows"] * node["Actual Loops"] <= mine for node in of_sessions(found))


@pytest.mark.parametrize("caller", ["caller", "caller/staff+dev", "member/crowd"])
@pytest.mark.parametrize("what", ["size=20", "size=20&total=false&orderBy=id desc", "size=7&total=false&page_token="])
def test_the_plan_of_a_list_is_kept_for_somebody_with_many_projects(
    people: People, another: Application, filled: str, what: str, caller: str
) -> None:
    asking = type(people.admin)(another.test_client(), f"person:{caller}")
    if what.endswith("="):
        what += asking("GET", "/sessions?size=7&total=false").json["next_page_token"]
    path = f"/sessions?{what}&fields=name,phase"
    sieved = "total=false" in what
    before = _kept(another, sieved=sieved)
    shown = [asking("GET", path).json["items"] for _ in range(12)]
    assert shown[0]
    assert shown == shown[:1] * 12
    # PostgreSQL plans the first five times for the values that are given, and then looks whether that is worth it.
    assert _kept(another, sieved=sieved) >= before + 4


def test_one_plan_is_good_for_any_value_only_where_each_row_is_asked() -> None:
    few = column("place").in_(select(column("held")).where(column("user") == "ann"))
    many, one = few.is_(true()), column("id") == "x"
    assert [clause_of(condition).steady for condition in (many, or_(many, one), or_(many, few), None)] == [True] * 4
    assert [clause_of(condition).steady for condition in (few, one, or_(few, one), many & one)] == [False] * 4


def test_two_ways_to_ask_have_a_plan_that_is_kept_where_both_have() -> None:
    few = column("place").in_(select(column("held")).where(column("user") == "ann"))
    many = few.is_(true())
    assert [clause_of(Paged(many, one)).steady for one in (many, few)] == [True, False]
    paged = or_(Paged(few, many), column("id") == "x")
    assert "IS true" in clause_of(paged, page=True).text
    assert "IS true" not in clause_of(paged).text


def _kept(app: Application, *, sieved: bool) -> int:
    """How often a list of sessions was run by one plan for all values, on the only connection.

    Args:
        sieved: of lists that ask the sieves, as one for no more than a page does; of the others else.
    """
    with app.runtime.database.transaction() as transaction:
        found = transaction.raw(
            "SELECT coalesce(sum(generic_plans), 0) FROM pg_prepared_statements WHERE statement LIKE '%%in scope of sessions%%' "
            "AND statement NOT LIKE '%%pg_prepared%%' AND (statement LIKE '%%bit_or%%') = %(sieved)s",
            {"sieved": sieved},
        ).fetchone()
    return int(found[0])


@pytest.mark.parametrize("caller", ["person:ann", "person:bob/staff+dev", "service:robot"])
def test_how_many_there_are_changes_nothing_of_what_is_shown(
    people: People, project: str, other: str, call: Any, monkeypatch: pytest.MonkeyPatch, caller: str
) -> None:
    subject = {"person:ann": {"user_id": people.known("ann")}, "person:bob/staff+dev": {"group_name": "dev"}}.get(
        caller
    )
    if subject is None:
        made = call("POST", "/service_accounts", json={"name": f"robot-{project}"}).json["id"]
        subject, caller = {"service_account_id": made}, f"service:{made}"
    body = {"role_id": "project-viewer", "scope": "project", "project_id": project, **subject}
    binding = call("POST", "/role_bindings", json=body).json["id"]
    for place in (project, other):
        assert call("POST", "/sessions", json={"name": "one", "project_id": place}).status_code == 201
    asking = type(call)(people.app.test_client(), caller)
    for many in (1, 50):
        monkeypatch.setattr(grants, "MANY", many)
        monkeypatch.setattr(grants, "KEPT", 0)
        listed = asking("GET", "/sessions").json
        assert (listed["total"], [one["project_id"] for one in listed["items"]]) == (1, [project])
        for kind in ("sessions", "role_bindings", "projects"):
            page = asking("GET", f"/{kind}?size=20&total=false").json["items"]
            assert {one.get("project_id", one["id"]) for one in page} == {project}
        assert [c["project_id"] for c in asking("GET", "/changes?kinds=Session").json["items"]] == [project]
    monkeypatch.setattr(grants, "MANY", 1)
    assert call("DELETE", f"/role_bindings/{binding}").status_code == 204
    assert asking("GET", "/sessions").json["total"] == 0


@pytest.mark.parametrize("group", ['"', "\\", '\\"', "a,b", "{}", "NULL", "null", "", " a ", "x\ny", "it's", "%s"])
def test_groups_of_any_name_are_found_by_it_and_by_no_other(app: Application, group: str) -> None:
    asked = select(
        literal(group) == any_of("groups", ["other", group]), literal("o") == any_of("groups", [group, "other"])
    )
    with app.runtime.database.transaction() as transaction:
        assert tuple(transaction.execute(asked).one()) == (True, False)


EVERYTHING = (
    "size=20",
    "size=1&total=false",
    "size=51&total=false&orderBy=id desc",
    "total=false&orderBy=name desc",
    "search=name like 's%'",
    "size=2&page_token={}",
)


@pytest.mark.parametrize("many", [1, 50])
@pytest.mark.parametrize("also", [False, True], ids=["projects", "a single session too"])
def test_what_is_taken_away_is_gone_from_the_very_next_list_of_another_worker(
    people: People,
    another: Application,
    project: str,
    other: str,
    monkeypatch: pytest.MonkeyPatch,
    many: int,
    also: bool,
) -> None:
    monkeypatch.setattr(grants, "MANY", many)
    name = people.new()
    binding = people.give("project:viewer", name, project_id=project)
    lost = {_session(people, project) for _ in range(3)}
    left = {_session(people, other)} if also else set()
    for single in left:
        people.give("project:viewer", name, session_id=single)
    asking = type(people.admin)(another.test_client(), f"person:{name}")
    token = asking("GET", "/sessions?size=1").json["next_page_token"]
    paths = [f"/sessions?{what.format(token)}" for what in EVERYTHING]
    # So often that the plans are kept.
    assert all(_shown(asking, path) & lost for path in paths for _ in range(8))
    assert _streamed(asking) == lost | left
    assert people.admin("DELETE", f"/role_bindings/{binding}").status_code == 204
    assert [_shown(asking, path) - left for path in paths] == [set()] * len(paths)
    assert asking("GET", "/sessions").json["total"] == len(left)
    assert _streamed(asking) == left
    assert {asking("GET", f"/sessions/{one}/history").status_code for one in lost} == {404}


@pytest.fixture(scope="module")
def another(settings: Settings, database_url: str, names: Source) -> Iterator[Application]:
    """Another worker over the same database, with one connection: what is prepared there is used there."""
    own = replace(settings, database_url=database_url, pool_size=1)
    made = create_app(own, plugins=load_plugins(own, [*installed(), names]))
    yield made
    made.runtime.database.close()


def _session(people: People, project: str) -> str:
    answer = people.admin("POST", "/sessions", json={"name": f"s{people.new()}", "project_id": project})
    assert answer.status_code == 201, answer.json
    return str(answer.json["id"])


def _shown(asking: Any, path: str) -> set[str]:
    answer = asking("GET", path)
    assert answer.status_code == 200, answer.json
    return {one["id"] for one in answer.json["items"]}


def _streamed(asking: Any) -> set[str]:
    lines = asking("GET", "/sessions", headers={"Accept": "application/x-ndjson"}).data.splitlines()
    return {orjson.loads(line)["id"] for line in lines}
