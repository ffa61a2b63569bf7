"""Somebody with a role in very many projects: the same is shown as to anybody, and a list reads no more than it must."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from ambient_access import grants
from flask import g
from psycopg import sql

from ambient_core.app import Application
from ambient_core.rest.operation import Operation
from ambient_core.store import listing
from conftest import BASE
from tests.access.people import People
from tests.bench import bindings
from tests.core.test_plans import nodes

SIZE = bindings.Size(sessions=50_000, projects=1000)
_PARAMETER = re.compile(r"%\((\w+)\)s")


@pytest.fixture(scope="module")
def filled(app: Application) -> str:
    """A database where ``caller`` has a role in 100 of 1,000 projects; its URL."""
    url = app.runtime.database.url.set(drivername="postgresql").render_as_string(False)
    bindings.fill(url, SIZE)
    bindings.bind(url, "caller", SIZE)
    return url


def planned(app: Application, url: str, caller: str, mode: str) -> dict[str, Any]:
    """The plan of a list of 20 sessions as it was run; with one plan for everybody, or with one of the caller's own."""
    with app.test_request_context(f"{BASE}/sessions", headers={"Authorization": f"Bearer person:{caller}"}):
        operation = g.operation = Operation("test", app.runtime)
        app.identify(operation)
        store = operation.store("Session", "list")
        text = listing.select_list(store.kind, store.scope.text, listing.Shape(None, (("id", False),), count=False))
        values = {**store.scope.parameters, "limit_": 20, "offset_": 0}
    names = list(dict.fromkeys(_PARAMETER.findall(text)))
    prepared = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", text).replace("%%", "%")
    given = sql.SQL(", ").join(sql.Literal(values[name]) for name in names)
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


@pytest.mark.parametrize("mode", ["generic", "custom"])
def test_somebody_with_few_projects_reads_no_others_sessions(app: Application, filled: str, mode: str) -> None:
    found = planned(app, filled, "own-7", mode)
    assert {node.get("Index Name") for node in nodes(found)} >= {"ix_sessions_project_id"}
    assert not [node for node in nodes(found) if node.get("Parent Relationship") == "SubPlan"]
    mine = SIZE.sessions // SIZE.projects * 4
    assert all(node["Actual Rows"] * node["Actual Loops"] <= mine for node in of_sessions(found))


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
        assert [c["project_id"] for c in asking("GET", "/changes?kinds=Session").json["items"]] == [project]
    monkeypatch.setattr(grants, "MANY", 1)
    assert call("DELETE", f"/role_bindings/{binding}").status_code == 204
    assert asking("GET", "/sessions").json["total"] == 0
