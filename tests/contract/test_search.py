"""What every kind promises of its fields in a search: a literal of each type finds, and an index that is declared is used."""

import json
from typing import Any

import psycopg
import pytest
from sqlalchemy import Index

from ambient_core.kinds import Access, Kind, rules_of
from ambient_core.kinds.indexes import text_indexes
from ambient_core.rest import searchable
from tests.contract.maker import Maker, refused
from tests.statements import overheard

_BY_TYPE: dict[str, Any] = {
    "string": "some text",
    "integer": 7,
    "number": 2.5,
    "boolean": True,
    "time": "2026-01-31T12:00:00Z",
    "uuid": "6f1c9a52-7a0e-4d0c-9b1e-1f4a3f0b8d11",
}
_BY_FORMAT: dict[str, Any] = {
    "string-map": {"team": "x"},
    "object": {"team": "x", "deep": {"size": 7}},
    "string-list": ["x", "y"],
    "array": ["x", 7],
}


@pytest.fixture
def full(kind: Kind, maker: Maker) -> dict[str, Any]:
    """An object with as many fields as its kind's own rules let be given one by one."""
    path = f"/{kind.plural}/{maker.make(kind)['id']}"
    for column in (c for c in kind.columns(Access.WRITE) if not c.foreign_keys):
        shown = maker.call("GET", path).json
        if column.name not in shown:
            maker.call("PATCH", path, json={column.name: given(kind, column)})
    return dict(maker.call("GET", path).json)


def given(kind: Kind, column: Any) -> Any:
    rules, found = rules_of(column), searchable(kind)[column.name]
    if rules.example is not None or rules.choices:
        return rules.example if rules.example is not None else rules.choices[0]
    return _BY_FORMAT[found.format] if found.type == "json" else _BY_TYPE[found.type]


def literal(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return json.dumps(value)


def questions(kind: Kind, name: str, value: Any) -> list[tuple[str, bool]]:
    """Searches over one field, each with whether it finds an object that has this value."""
    column, here = searchable(kind)[name], literal(value)
    if column.type == "json":
        return [(f"{name} is not null", True), (f"{name} is null", False), *_inside(name, value)]
    asked = [(f"{name} = {here}", True), (f"{name} != {here}", False), (f"not {name} = {here}", False)]
    if column.type == "boolean":
        return asked
    asked += [(f"{name} in ({here}, {here})", True), (f"{name} not in ({here})", False)]
    asked += [(f"{name} >= {here}", True), (f"{name} < {here}", False), (f"{name} between {here} and {here}", True)]
    if column.type == "string" and not column.choices and len(value) < 200 and not set("\\%_") & set(value):
        asked += [
            (f"{name} contains {literal(value[1:].upper())}", True),
            (f"{name} like {literal(value[:1] + '%')}", True),
        ]
        asked += [(f"{name} ilike {literal(value.upper())}", True), (f"{name} contains '~~'", False)]
    return asked


def _inside(name: str, value: Any) -> list[tuple[str, bool]]:
    if isinstance(value, list):
        plain = [item for item in value if isinstance(item, str | int)]
        return [(f"{name} contains {literal(item)}", True) for item in plain] + [(f"{name} contains '~'", False)]
    plain = {key: part for key, part in value.items() if isinstance(part, str | int | float)}
    asked = [(f"{name}.{literal(key)} = {literal(part)}", True) for key, part in plain.items()]
    asked += [(f"not {name}.{literal(key)} = {literal(part)}", False) for key, part in plain.items()]
    asked += [(f"{name} contains {literal(key)}", True) for key in value]
    return [*asked, (f"{name}.nope = 'x'", False), (f"{name} contains '~'", False)]


def test_a_literal_of_each_field_s_type_finds_what_has_it(kind: Kind, full: dict[str, Any], call: Any) -> None:
    for name in (name for name in searchable(kind) if name in full):
        for search, finds in questions(kind, name, full[name]):
            answer = call("GET", f"/{kind.plural}", query_string={"search": f"id = '{full['id']}' and ({search})"})
            assert answer.status_code == 200, (search, answer.json["reason"])
            assert [item["id"] for item in answer.json["items"]] == [full["id"]] * finds, search


def test_words_and_signs_find_those_that_they_mean(kind: Kind, maker: Maker, call: Any) -> None:
    made = ", ".join(f"'{maker.make(kind)['id']}'" for _ in range(3))
    path = f"/{kind.plural}?search=id in ({made})"
    first, second, third = ids = [item["id"] for item in call("GET", path).json["items"]]
    for search, found in (
        (f"id < '{second}'", [first]),
        (f"id > '{second}'", [third]),
        (f"id <> '{second}'", [first, third]),
        (f"id = '{first}' or id = '{third}'", [first, third]),
        (f"id = '{first}' or id = '{second}' and id = '{third}'", [first]),
        (f"not (id = '{first}' or id = '{second}')", [third]),
        (f"id in ('{first}', '{third}')", [first, third]),
        (f"id not in ('{first}', '{third}')", [second]),
        (f"id between '{first}' and '{second}'", [first, second]),
        (f"id not between '{second}' and '{third}'", [first]),
        (f"id like '{first.upper()}'", []),
        (f"id ilike '{first.upper()}'", [first]),
        ("id is not null", ids),
    ):
        answer = call("GET", f"{path} and ({search})")
        assert [item["id"] for item in answer.json["items"]] == found, search


def test_a_literal_of_another_type_is_refused_with_its_place(kind: Kind, call: Any) -> None:
    for column in searchable(kind).values():
        wrong = "'x'" if column.type in ("integer", "number", "boolean", "time", "uuid") or column.choices else "7"
        answer = call("GET", f"/{kind.plural}", query_string={"search": f"{column.name} = {wrong}"})
        reason = refused(answer, 400, "21")["reason"]
        assert column.name in reason
        assert "position" in reason


def test_35_36_a_search_is_bounded(kind: Kind, call: Any) -> None:
    for search, word in (
        ("id = '" + "x" * 5000 + "'", "characters"),
        ("(" * 100 + "id = 'x'" + ")" * 100, "deep"),
        (" or ".join(["id='x'"] * 201), "values"),
        ("id like '" + "%a" * 20 + "'", "%"),
    ):
        assert word in refused(call("GET", f"/{kind.plural}", query_string={"search": search}), 400, "21")["reason"]


def test_a_search_over_an_indexed_field_can_go_by_its_index(
    kind: Kind, full: dict[str, Any], call: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, Any]] = []
    overheard(monkeypatch, lambda _, statement, parameters: sent.append((statement, parameters)))
    for search, index in by_index(kind, full):
        sent.clear()
        query = {"search": search, "total": "false", "orderBy": "created_at"}
        assert call("GET", f"/{kind.plural}", query_string=query).status_code == 200
        statement, parameters = next(
            one for one in sent if f"FROM {kind.plural}" in one[0] or f'"{kind.plural}"' in one[0]
        )
        assert index in plan(app, statement, parameters), search


def by_index(kind: Kind, full: dict[str, Any]) -> list[tuple[str, str]]:
    """Searches, each with the index that its field was declared with."""
    whole = (index for index in kind.table.indexes if len(index.columns) == 1 and not partial(index))
    single = {next(iter(index.columns)).name: str(index.name) for index in whole}
    asked = [("id = 'x'", f"pk_{kind.plural}")]
    for name, index in single.items():
        if name not in full or name not in searchable(kind):
            continue
        value = full[name]
        if searchable(kind)[name].type != "json":
            asked.append((f"{name} = {literal(value)}", index))
        elif isinstance(value, list):
            asked.append((f"{name} contains {literal(value[0])}", index))
        else:
            asked.append((f"{name}.{literal(next(iter(value)))} = 'x'", index))
    return asked + [(f"{column.name} contains 'some words'", name) for name, column in text_indexes([kind])]


def partial(index: Index) -> bool:
    """Whether only some rows are in it: it serves what asks for those alone."""
    return index.dialect_options["postgresql"]["where"] is not None


def plan(app: Any, statement: str, parameters: Any) -> str:
    """How the server would run it over a table that is too large to be read from end to end."""
    with psycopg.connect(app.runtime.database.url.set(drivername="postgresql").render_as_string(False)) as connection:
        connection.execute("SET enable_seqscan = off")
        cursor = psycopg.ClientCursor(connection)
        cursor.execute(f"EXPLAIN {statement}".encode(), parameters)
        return "\n".join(row[0] for row in cursor.fetchall())
