"""No way in writes what the server alone writes, or changes what is fixed: case 22, for every kind and every field."""

from collections.abc import Callable
from typing import Any

import pytest

from ambient_core.kinds import Access, Kind
from ambient_core.rest.apply import unique_groups
from tests.contract.maker import Maker, refused

Faults = list[dict[str, Any]]
Way = Callable[[Maker, Kind, dict[str, Any], dict[str, Any]], Faults]


def batched(maker: Maker, **operation: Any) -> Faults:
    """What one operation of a batch is refused for."""
    answer = maker.call("POST", "/batch", json={"operations": [operation]})
    (result,) = answer.json["results"]
    assert result["status"] == 400, result
    return list(result["error"]["errors"])


def faults_of(answer: Any) -> Faults:
    return list(refused(answer, 400, "8")["errors"])


def path(kind: Kind, made: dict[str, Any]) -> str:
    return f"/{kind.plural}/{made['id']}"


CREATING: dict[str, Way] = {
    "create": lambda m, k, body, f: faults_of(m.call("POST", f"/{k.plural}", json={**body, **f})),
    "batch": lambda m, k, body, f: batched(m, op="create", kind=k.name, body={**body, **f}),
    "apply": lambda m, k, body, f: batched(m, op="apply", kind=k.name, body={**body, **f}),
}
CHANGING: dict[str, Way] = {
    "patch": lambda m, k, made, f: faults_of(m.call("PATCH", path(k, made), json=f)),
    "batch": lambda m, k, made, f: batched(m, op="patch", kind=k.name, id=made["id"], body=f),
}


def there(maker: Maker, kind: Kind) -> int:
    return int(maker.call("GET", f"/{kind.plural}?size=1").json["total"])


def names_of(faults: Faults, rule: str) -> set[str]:
    return {fault["field"].removeprefix("/") for fault in faults if fault["rule"] == rule}


def given(kind: Kind, access: Access, made: dict[str, Any]) -> dict[str, Any]:
    """The fields of an access, each with a value that it could have."""
    return {column.name: made.get(column.name, "x") for column in kind.columns(access)}


@pytest.mark.parametrize("way", CREATING)
def test_22_what_the_server_writes_is_refused_in_a_new_object(kind: Kind, maker: Maker, way: str) -> None:
    made, body = maker.make(kind), maker.body(kind)
    before, fields = there(maker, kind), given(kind, Access.READ, made)
    assert names_of(CREATING[way](maker, kind, body, fields), "read_only") == set(fields)
    assert there(maker, kind) == before


@pytest.mark.parametrize("way", CHANGING)
def test_22_what_the_server_writes_and_what_is_fixed_is_refused_in_a_change(kind: Kind, maker: Maker, way: str) -> None:
    made = maker.make(kind)
    for access, rule in ((Access.READ, "read_only"), (Access.CREATE, "create_only")):
        if fields := given(kind, access, made):
            assert names_of(CHANGING[way](maker, kind, made, fields), rule) == set(fields)
    assert maker.call("GET", path(kind, made)).json == made


def test_22_applying_changes_nothing_that_is_fixed(kind: Kind, maker: Maker) -> None:
    body = maker.body(kind)
    made = maker.make(kind, **body)
    for group in unique_groups(kind)[:1]:
        for column in kind.columns(Access.CREATE):
            if column.name in group or column.type.python_type is not str:
                continue
            other = maker.body(kind)[column.name] if column.foreign_keys else "another"
            if other == made.get(column.name):
                continue
            faults = batched(maker, op="apply", kind=kind.name, body={**body, column.name: other})
            assert names_of(faults, "create_only") | names_of(faults, "enum") == {column.name}
    assert maker.call("GET", path(kind, made)).json == made
