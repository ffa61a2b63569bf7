"""The contract document and the tables of every kind: what answers conforms to the one, the others go up and down."""

import secrets
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from openapi_schema_validator import OAS30Validator
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ambient_core import migrate
from ambient_core.config import Settings
from ambient_core.kinds import Kind
from tests.contract.maker import Maker, some_text

CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]


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
    text = some_text(kind)
    patched = call("PATCH", item, json={text: made.json.get(text, maker.value(kind, kind.table.columns[text]))})
    for shown, address, method in (
        (made, path, "post"),
        (call("GET", item), f"{path}/{{id}}", "get"),
        (call("GET", path), path, "get"),
        (patched, f"{path}/{{id}}", "patch"),
    ):
        assert body_faults(app, address, method, shown) == []


@pytest.mark.slow
def test_whatever_is_sent_the_answer_conforms_to_the_contract(kind: Kind, app: Any, call: Any) -> None:
    document = schemathesis.openapi.from_dict(app.extensions["ambient_openapi"])
    for path, item in app.extensions["ambient_openapi"]["paths"].items():
        if path.split("/")[4:5] != [kind.plural] or "agui" in path:
            continue
        for method in set(item) & {"get", "post", "patch", "delete"}:
            fuzz(document[path][method], app, call.headers)


def fuzz(operation: Any, app: Any, headers: dict[str, str]) -> None:
    @hypothesis_settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def conforms(case: Any) -> None:
        # An answer that was asked for in part is a part of its schema (docs/decisions/0007).
        (case.query or {}).pop("fields", None)
        # A watch has no end.
        (case.query or {}).pop("watch", None)
        response = case.call(app=app, base_url="http://localhost", headers=headers)
        assert response.status_code < 500
        case.validate_response(response, checks=CHECKS)

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
