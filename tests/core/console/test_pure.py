"""Columns, path expressions, flags and changes as tables: what goes in, what comes out."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from ambient_sdk import ApiError

from ambient_core.cli.commands.get import ordering
from ambient_core.cli.commands.logs import moment
from ambient_core.cli.console import columns, editing
from ambient_core.cli.console.faults import NOT_ALLOWED, refusal
from ambient_core.cli.console.flags import BadValue, Flag, flags
from ambient_core.cli.console.paths import BadPath, rendered, template
from ambient_core.cli.contract import Contract, RemoteKind

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TEXT = {"type": "string", "maxLength": 63}
THING = {"name": "a", "n": 1, "gone": None, "deep": {"x.y": [1, 2, {"z": "last"}]}, "tags": ["p", "q"]}


@pytest.mark.parametrize(
    ("expression", "printed"),
    [
        ("name", "a"),
        (".name", "a"),
        ("$.name", "a"),
        ("{.name}", "a"),
        ("{.name}={.n}", "a=1"),
        (r"{.name}\t{.n}\n", "a\t1\n"),
        ("deep['x.y'][0]", "1"),
        ('{.deep["x.y"][-1].z}', "last"),
        ("tags[*]", "p\nq"),
        ("tags", '["p","q"]'),
        ("deep.*", '[1,2,{"z":"last"}]'),
        ("gone", "null"),
        ("nothing.there", ""),
        ("tags[9]", ""),
        ("name[0]", ""),
        ("no braces here: {.n}", "no braces here: 1"),
    ],
)
def test_a_path_picks(expression: str, printed: str) -> None:
    assert rendered(template(expression), THING) == printed


@pytest.mark.parametrize("expression", ["{.name", ".name}x{.n}", ".a..b", ".items[x]", ".items[", ".a b"])
def test_a_path_that_cannot_be_read_says_so(expression: str) -> None:
    with pytest.raises(BadPath):
        template(expression)


@pytest.mark.parametrize(
    ("shown", "given", "titles"),
    [
        ({"id": TEXT, "name": TEXT}, {}, "NAME"),
        ({"id": TEXT, "created_at": TEXT}, {}, "ID AGE"),
        ({"name": TEXT, "project_id": TEXT, "created_at": TEXT}, {}, "NAME PROJECT AGE"),
        ({"name": TEXT, "phase": {**TEXT, "enum": ["A", None]}, "size": {"type": "integer"}}, {}, "NAME PHASE"),
        ({"name": TEXT, "size": {"type": "integer"}}, {"required": ["name", "size"]}, "NAME SIZE"),
        ({"name": TEXT, "note": {"type": "string"}}, {"required": ["name", "note"]}, "NAME"),
        ({"name": TEXT, "mine": {**TEXT, "enum": ["x"]}, "its": {**TEXT, "enum": ["y"]}}, {"mine": 1}, "NAME ITS MINE"),
        ({"role_id": TEXT, "scope": {**TEXT, "enum": ["g"]}}, {"required": ["role_id"]}, "ID SCOPE ROLE"),
    ],
)
def test_columns_are_chosen_by_the_schema(shown: Any, given: Any, titles: str) -> None:
    body = {"properties": {"mine": {}} if "mine" in given else {}, "required": given.get("required", [])}
    kind = RemoteKind("Thing", "/things", shown=shown, given=body)
    assert " ".join(column.title for column in columns.columns(kind)) == titles


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (3599, "59m"),
        (3600, "1h"),
        (86399, "23h"),
        (86400, "1d"),
        (3.2e7, "1y"),
        (-5, "0s"),
    ],
)
def test_an_age_is_said_in_its_largest_unit(seconds: float, said: str) -> None:
    assert columns.age((NOW - timedelta(seconds=seconds)).isoformat(), NOW) == said


def test_an_object_is_called_by_what_is_its_own() -> None:
    shown = {"id": TEXT, "name": TEXT, "username": TEXT, "project_id": TEXT}
    groups: list[tuple[tuple[str, ...], ...]] = [
        (),
        (("username",),),
        (("project_id", "name"),),
        (("id", "project_id", "name"), ("username",)),
    ]
    assert [RemoteKind("K", "/ks", shown=shown, unique=group).handle for group in groups] == [
        "name",
        "username",
        "name",
        "username",
    ]
    person = RemoteKind(
        "User", "/users", shown={"id": TEXT, "name": TEXT, "username": TEXT}, unique=(("username",),), given={}
    )
    assert [column.title for column in columns.columns(person)] == ["USERNAME", "NAME"]


def test_who_may_not_hears_where_to_ask_what_is_missing() -> None:
    refused = refusal(ApiError(httpx.Response(403, json={"reason": "You may not start a Session."})), "http://x")
    assert refused.exit_code == NOT_ALLOWED
    assert refused.lines[0] == "You may not start a Session."
    assert "ambient access review" in refused.lines[1]


def test_what_nobody_makes_shows_its_first_fields() -> None:
    kind = RemoteKind("Refusal", "/refusals", shown={"id": TEXT, "reason": TEXT, "actor": TEXT, "more": TEXT})
    assert [column.title for column in columns.columns(kind)] == ["ID", "REASON", "ACTOR"]


def test_a_table_is_as_wide_as_what_stands_in_it() -> None:
    rows = [{"name": "日本", "n": 1}, {"name": "abc\n", "n": None}]
    assert list(columns.table(columns.chosen("name,n"), rows, NOW)) == ["NAME   N", "日本   1", "abc    -"]


@pytest.mark.parametrize(
    ("schema", "given", "value"),
    [
        (TEXT, "a", "a"),
        ({"type": "integer"}, "-4", -4),
        ({"type": "number"}, "1e3", 1000.0),
        ({"type": "array", "items": TEXT}, ["a", "b,c"], ["a", "b,c"]),
        ({"type": "array", "items": {"type": "integer"}}, ["1"], [1]),
        ({"type": "array", "items": {"$ref": "x"}}, '[{"a": 1}]', [{"a": 1}]),
        ({"type": "object", "additionalProperties": TEXT}, ["a=b=c"], {"a": "b=c"}),
        ({"type": "object", "additionalProperties": {}}, '{"a": [1]}', {"a": [1]}),
        ({"$ref": "x"}, "null", None),
    ],
)
def test_a_text_becomes_the_value_that_the_schema_says(schema: Any, given: Any, value: Any) -> None:
    assert Flag("field", schema).value(given) == value


@pytest.mark.parametrize(
    ("schema", "given", "words"),
    [
        ({"type": "integer"}, "1.5", "must be a whole number, not '1.5'."),
        ({"type": "integer", "minimum": 1}, "0", "must be at least 1."),
        ({"type": "number", "maximum": 2}, "3", "must be at most 2."),
        ({"type": "string", "minLength": 1}, "", "must have at least 1 character."),
        ({"type": "string", "maxLength": 2}, "abc", "must have at most 2 characters; it has 3."),
        ({"type": "string", "enum": ["a", None]}, "b", "must be one of a."),
        ({"type": "object", "additionalProperties": TEXT}, ["a"], "takes NAME=VALUE, not 'a'."),
        ({"type": "object"}, "[]", "must be a JSON object."),
        ({"$ref": "x"}, "{", "must be JSON, not '{'."),
    ],
)
def test_a_text_that_breaks_a_rule_says_which(schema: Any, given: Any, words: str) -> None:
    with pytest.raises(BadValue, match=words.replace(".", r"\.").replace("{", r"\{")):
        Flag("field", schema).value(given)


def test_flags_are_named_after_fields_and_never_as_an_option_that_every_command_has() -> None:
    body = {"properties": {"llm_model": TEXT, "project": TEXT, "pin": TEXT}, "required": ["pin"]}
    found = [(flag.name, flag.required, flag.secret) for flag in flags(body, {"pin"})]
    assert found == [("--llm-model", False, False), ("--field-project", False, False), ("--pin", True, True)]


@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": 1}, {}, {"a": None}),
        ({}, {"a": None}, {}),
        ({"a": 1}, {"a": True}, {"a": True}),
        ({"m": {"x": 1, "y": 2}}, {"m": {"x": 1}}, {"m": {"y": None}}),
        ({"m": {"x": 1}}, {"m": {"x": 1, "z": 3}}, {"m": {"z": 3}}),
        ({"l": [1, 2]}, {"l": [2]}, {"l": [2]}),
        ({"m": {"x": 1}}, {"m": "text"}, {"m": "text"}),
    ],
)
def test_an_edit_sends_what_it_changed(before: Any, after: Any, patch: Any) -> None:
    assert editing.change(before, after) == patch


@pytest.mark.parametrize(
    "text", ["a: 1\n---\nb: 2\n", "- a\n", "just text\n", "a: [\n", "a: &x 1\nb: *x\n", "a: 1\na: 2\n"]
)
def test_an_edited_text_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(editing.BadText):
        editing.read(text)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (None, None),
        ("name", "name"),
        ("-name", "name desc"),
        ("a,-b", "a,b desc"),
        ("created_at desc", "created_at desc"),
    ],
)
def test_an_order_is_said_in_short(given: str | None, sent: str | None) -> None:
    assert ordering(given) == sent


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ("90s", "2026-06-01T11:58:30+00:00"),
        ("2h", "2026-06-01T10:00:00+00:00"),
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00+00:00"),
    ],
)
def test_a_time_may_be_said_as_how_long_ago_it_was(given: str, at: str) -> None:
    assert moment(given, NOW) == at


def test_a_contract_without_kinds_has_none() -> None:
    assert Contract({}).kinds == {}
    assert Contract({"paths": {"/x": {"get": {"operationId": "getX"}}}}).kinds == {}
