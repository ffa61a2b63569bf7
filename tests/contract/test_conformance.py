"""The contract document and the tables of every kind: what answers conforms to the one, the others go up and down."""

import secrets
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from openapi_schema_validator import OAS30Validator

from ambient_core import migrate
from ambient_core.config import Settings
from ambient_core.kinds import Kind
from tests.contract.maker import Maker, some_field


def test_every_operation_is_documented_with_its_errors(kind: Kind, app: Any) -> None:
    document = app.extensions["ambient_openapi"]
    collection = document["paths"][f"/api/ambient/v1/{kind.plural}"]
    item = document["paths"][f"/api/ambient/v1/{kind.plural}/{{id}}"]
    found = {name: node[method]["operationId"] for name, node, method in (
        ("list", collection, "get"), ("create", collection, "post"), ("get", item, "get"), ("patch", item, "patch"), ("delete", item, "delete"),
    )}  # fmt: skip
    assert found == {verb: f"{verb}{kind.name}" for verb in found}
    assert {"201", "400", "401", "403", "409", "413", "415", "422", "500", "503"} <= set(
        collection["post"]["responses"]
    )


def body_faults(app: Any, path: str, method: str, answer: Any) -> list[str]:
    document = app.extensions["ambient_openapi"]
    described = document["paths"][f"/api/ambient/v1{path}"][method]["responses"][str(answer.status_code)]
    schema = described["content"]["application/json"]["schema"]
    whole = {**schema, "components": document["components"]}
    return [fault.message for fault in OAS30Validator(whole).iter_errors(answer.json)]


def test_what_is_shown_conforms_to_the_contract(kind: Kind, maker: Maker, call: Any, app: Any) -> None:
    path = f"/{kind.plural}"
    made = call("POST", path, json=maker.body(kind))
    item = f"{path}/{made.json['id']}"
    column = some_field(kind)
    patched = call("PATCH", item, json={column.name: made.json.get(column.name, maker.value(kind, column))})
    for shown, address, method in (
        (made, path, "post"),
        (call("GET", item), f"{path}/{{id}}", "get"),
        (call("GET", path), path, "get"),
        (patched, f"{path}/{{id}}", "patch"),
    ):
        assert body_faults(app, address, method, shown) == []


PLAIN_HEADERS = {"Content-Type", "Content-Length", "Vary", "Cache-Control", "X-Accel-Buffering"}


def undocumented(app: Any, path: str, method: str, answer: Any) -> set[str]:
    """The headers, or the status, of an answer that the contract does not have."""
    document = app.extensions["ambient_openapi"]
    found = document["paths"][f"/api/ambient/v1{path}"][method.lower()]["responses"].get(str(answer.status_code))
    if found is None:
        return {f"status {answer.status_code}"}
    if "$ref" in found:
        found = document["components"]["responses"][found["$ref"].rsplit("/", 1)[-1]]
    return {name for name in dict(answer.headers) if name not in PLAIN_HEADERS and name not in found["headers"]}


def test_every_status_and_header_of_an_answer_is_in_the_contract(kind: Kind, maker: Maker, call: Any, app: Any) -> None:
    items, body, key = f"/{kind.plural}", maker.body(kind), {"Idempotency-Key": secrets.token_hex(8)}
    one = f"{items}/{maker.make(kind)['id']}"
    html, stale, log = {"Accept": "text/html"}, {"If-Match": '"7"'}, {"Accept": "text/event-stream"}
    for method, path, address, options in (
        ("POST", items, items, {"json": body, "headers": key}),
        ("POST", items, items, {"json": body, "headers": key}),
        ("POST", items, items, {"json": {**body, "x": 1}, "headers": key}),
        ("POST", f"{items}?dry_run=true", items, {"json": maker.body(kind)}),
        ("POST", items, items, {"data": b"x", "content_type": "text/plain"}),
        ("POST", items, items, {"json": maker.body(kind), "headers": html}),
        ("GET", items, items, {}),
        ("GET", items, items, {"headers": {"Accept": "application/x-ndjson"}}),
        ("GET", f"{items}?watch=true&after=x", items, {}),
        ("GET", one, f"{items}/{{id}}", {}),
        ("GET", one, f"{items}/{{id}}", {"headers": {"If-None-Match": '"1"'}}),
        ("GET", one, f"{items}/{{id}}", {"headers": stale}),
        ("PATCH", one, f"{items}/{{id}}", {"json": {}}),
        ("PATCH", one, f"{items}/{{id}}", {"json": {}, "headers": stale}),
        ("PATCH", one, f"{items}/{{id}}", {"data": b"x", "content_type": "text/plain"}),
        ("GET", f"{one}/history", f"{items}/{{id}}/history", {}),
        ("GET", f"{one}/history", f"{items}/{{id}}/history", {"headers": html}),
        ("POST", f"{one}/restore?dry_run=true", f"{items}/{{id}}/restore", {"json": {"version": 1}}),
        ("POST", f"{one}/restore", f"{items}/{{id}}/restore", {"json": {"version": 1}, "headers": stale}),
        ("DELETE", one, f"{items}/{{id}}", {"headers": stale}),
        ("DELETE", one, f"{items}/{{id}}", {}),
        ("DELETE", one, f"{items}/{{id}}", {}),
        ("POST", f"{one}/restore", f"{items}/{{id}}/restore", {"json": {"version": 1}}),
        ("DELETE", f"{items}?search=id = 'x'&max_affected=0", items, {}),
        ("DELETE", items, items, {}),
        ("GET", f"/changes?kinds={kind.name}&size=1", "/changes", {}),
        ("GET", "/changes?after=x", "/changes", {"headers": log}),
        ("GET", "/changes", "/changes", {"headers": html}),
        ("POST", "/batch?dry_run=true", "/batch", {"json": {"operations": [1]}}),
    ):
        answer = call(method, path, **options)
        answer.get_data()
        assert undocumented(app, address, method, answer) == set(), (method, path, answer.status_code)


def test_every_refusal_of_the_framework_is_in_the_contract(kind: Kind, app: Any) -> None:
    paths = app.extensions["ambient_openapi"]["paths"]
    items, item = f"/api/ambient/v1/{kind.plural}", f"/api/ambient/v1/{kind.plural}/{{id}}"
    for path, method, statuses in (
        (items, "get", "400 401 403 406 410 429 500 503 504"),
        (items, "post", "400 401 403 406 409 413 415 422 500 503 504"),
        (items, "delete", "400 401 403 406 409 428 500 503 504"),
        (item, "get", "304 400 401 403 404 406 410 412 500 503 504"),
        (item, "patch", "400 401 403 404 406 409 412 413 415 428 500 503 504"),
        (item, "delete", "400 401 403 404 409 412 428 500 503 504"),
        (f"{item}/history", "get", "400 401 403 404 406 410 500 503 504"),
        (f"{item}/restore", "post", "201 400 401 403 404 406 409 412 413 415 422 428 500 503 504"),
        ("/api/ambient/v1/changes", "get", "400 401 403 406 410 429 500 503 504"),
        ("/api/ambient/v1/batch", "post", "400 401 403 404 406 409 412 413 415 422 428 500 503 504"),
    ):
        assert set(statuses.split()) <= set(paths[path][method]["responses"]), (method, path)
    given = {(p["in"], p["name"]) for p in app.extensions["ambient_openapi"]["components"]["parameters"].values()}
    for name in ("If-Match", "If-None-Match", "Idempotency-Key", "Last-Event-ID", "Ambient-Position"):
        assert ("header", name) in given


@pytest.mark.slow
def test_whatever_is_sent_the_answer_conforms_to_the_contract(kind: Kind, app: Any, call: Any) -> None:
    import schemathesis

    document = schemathesis.openapi.from_dict(app.extensions["ambient_openapi"])
    for path, item in app.extensions["ambient_openapi"]["paths"].items():
        if path.split("/")[4:5] != [kind.plural] or "agui" in path:
            continue
        for method in set(item) & {"get", "post", "patch", "delete"}:
            fuzz(document[path][method], app, call.headers)


def fuzz(operation: Any, app: Any, headers: dict[str, str]) -> None:
    from schemathesis.specs.openapi import checks

    kept = [checks.status_code_conformance, checks.content_type_conformance, checks.response_schema_conformance]

    @hypothesis_settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def conforms(case: Any) -> None:
        # An answer that was asked for in part is a part of its schema (docs/decisions/0007).
        (case.query or {}).pop("fields", None)
        # A watch has no end.
        (case.query or {}).pop("watch", None)
        response = case.call(app=app, base_url="http://localhost", headers=headers)
        assert response.status_code < 500
        case.validate_response(response, checks=kept)

    conforms()


@pytest.mark.slow
def test_every_table_goes_up_matches_its_model_goes_down_and_comes_up_again(server: Any, settings: Settings) -> None:
    name = f"contract_{secrets.token_hex(4)}"
    fresh = replace(settings, database_url=server.create(name))
    for _ in range(2):
        migrate.upgrade(fresh, report=lambda _line: None)
        assert migrate.check(fresh) == []
        migrate.downgrade(fresh)
        assert any(line.startswith("pending") for line in migrate.check(fresh))
    server.drop(name)
