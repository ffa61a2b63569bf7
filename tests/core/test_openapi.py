"""The contract: as much as is served and no more, valid, with examples."""

import copy
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from flask import Flask
from openapi_spec_validator import validate

from ambient_core import openapi

ROOT = Path(__file__).resolve().parents[2]
METHODS = ("get", "post", "patch", "delete", "put")


@cache
def committed() -> dict[str, Any]:
    return dict(yaml.load((ROOT / "openapi.yaml").read_text(), yaml.CSafeLoader))


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in committed()["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


def test_the_document_is_valid_openapi() -> None:
    validate(committed())
    assert committed()["openapi"] == "3.0.3"


def test_what_is_served_is_what_is_documented_and_what_is_committed(app: Any) -> None:
    assert openapi.differences(app) == []
    assert openapi.check(app, ROOT / "openapi.yaml") == []


def test_who_has_the_document_is_told_so(call: Any) -> None:
    first = call("GET", "/openapi")
    again = call("GET", "/openapi", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert call("GET", "/openapi", headers={"If-None-Match": '"other"'}).json == first.json


def test_a_route_that_is_not_documented_and_an_operation_that_is_not_served_are_named(app: Any) -> None:
    bare = Flask("bare")
    bare.extensions["ambient_openapi"] = copy.deepcopy(app.extensions["ambient_openapi"])
    bare.extensions["ambient_openapi"]["paths"] = {"/ghost": {"get": {}}}
    bare.add_url_rule("/real/<string:id>", endpoint="real", view_func=str, methods=["PATCH"])
    assert {"served, not documented: PATCH /real/{id}", "documented, not served: GET /ghost"} <= set(
        openapi.differences(bare)
    )


def test_every_operation_has_a_name_of_its_own_a_summary_and_its_errors() -> None:
    names = [operation["operationId"] for _, operation in operations()]
    assert len(names) == len(set(names))
    for name, operation in operations():
        assert operation.get("summary"), name
        assert {status[0] for status in operation["responses"]} >= {"2"}, name
        if operation.get("security") != []:
            assert {"401", "429", "500", "503", "504"} <= set(operation["responses"]), name


def test_what_a_parameter_can_lead_to_is_among_the_answers() -> None:
    for name, operation in operations():
        given = {p.get("$ref", "").rsplit("/", 1)[-1] for p in operation.get("parameters", ())}
        answers = set(operation["responses"])
        if "IfMatch" in given:
            assert answers >= ({"412"} if name.startswith("GET") else {"412", "428"}), name
        if given & {"AsOf", "LastEventId"}:
            assert "410" in answers, name
        if "IdempotencyKey" in given:
            assert {"409", "422"} <= answers, name


def test_every_post_takes_a_key() -> None:
    for name, operation in operations():
        given = {parameter.get("$ref", "").rsplit("/", 1)[-1] for parameter in operation.get("parameters", ())}
        assert ("IdempotencyKey" in given) == name.startswith("POST "), name


def test_every_error_has_the_one_shape() -> None:
    for response in committed()["components"]["responses"].values():
        assert response["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}


def test_every_body_and_every_object_has_an_example() -> None:
    for name, operation in operations():
        contents = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (c["content"] for c in contents if "content" in c):
            for media, described in content.items():
                assert "example" in described or "examples" in described, (name, media)


def test_enums_of_answers_are_open_and_ids_are_words_for_sdks() -> None:
    text = yaml.safe_dump(committed()["components"]["schemas"]["Session"])
    assert "x-enum" in text
    assert "\nenum" not in text.replace("x-enum", "")
