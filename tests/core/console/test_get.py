"""``ambient get`` over our kinds and a stranger's."""

import json
import re
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.usefixtures("pride")


def ageless(text: str) -> str:
    return re.sub(r"\d+[smh]$", "AGE", text, flags=re.MULTILINE)


def test_a_list_is_a_table_whose_columns_the_schema_chooses(ambient: Any) -> None:
    shown = ambient("get", "lions", "--sort", "name")
    assert shown.exit_code == 0, shown.output
    assert ageless(shown.stdout) == (
        "NAME    COLOUR   AGE\n"
        "Nala    sand     AGE\n"
        "Simba   gold     AGE\n"
        "Zira    sand     AGE\n"
    )  # fmt: skip


def test_a_kind_of_ours_shows_its_project_and_where_it_stands(ambient: Any) -> None:
    shown = ambient("get", "sessions", "--search", "name = 'lone'")
    assert ageless(shown.stdout) == "NAME   PROJECT   PHASE   AGE\nlone   pride     -       AGE\n"


def test_wide_shows_more(ambient: Any, call: Any) -> None:
    identifier = call("GET", "/lions?search=name = 'Nala'").json["items"][0]["id"]
    head, row = ageless(ambient("get", "lions", "--search", "name='Nala'", "-o", "wide").stdout).splitlines()
    assert head.split() == ["ID", "NAME", "COLOUR", "RANK", "STEPS", "WEIGHT", "TAME", "BORN", "AGE"]
    assert row.split() == [identifier, "Nala", "sand", "2", "-", "-", "true", "-", "AGE"]


@pytest.mark.parametrize("word", ["lions", "lion", "Lion", "LION"])
def test_a_kind_is_named_in_any_way(ambient: Any, word: str) -> None:
    assert ambient("get", word, "Zira", "-o", "name").stdout == "lions/Zira\n"


def test_one_object_is_found_by_name_or_id_and_comes_as_the_server_has_it(ambient: Any, call: Any) -> None:
    stored = call("GET", "/lions?search=name = 'Simba'").json["items"][0]
    assert json.loads(ambient("get", "lion", "Simba", "-o", "json").stdout) == stored
    assert yaml.safe_load(ambient("get", "lion", stored["id"], "-o", "yaml").stdout) == stored


def test_several_objects_are_a_list(ambient: Any) -> None:
    shown = json.loads(ambient("get", "lions", "Simba", "Zira", "-o", "json").stdout)
    assert (shown["kind"], [row["name"] for row in shown["items"]]) == ("LionList", ["Simba", "Zira"])


def test_of_several_those_that_are_there_are_shown_and_the_status_is_that_of_the_first_that_is_not(
    ambient: Any,
) -> None:
    shown = ambient("get", "lions", "Mufasa", "Zira", "Scar", "-o", "name")
    assert (shown.exit_code, shown.stdout) == (3, "lions/Zira\n")
    assert [line.split(":")[1] for line in shown.stderr.splitlines()] == [" lions/Mufasa", " lions/Scar"]


def test_of_several_those_that_are_there_are_described(ambient: Any) -> None:
    shown = ambient("describe", "lions", "Mufasa", "Zira")
    assert (shown.exit_code, "Zira" in shown.stdout, "lions/Mufasa" in shown.stderr) == (3, True, True)


def test_what_is_printed_as_name_is_taken_as_name(ambient: Any) -> None:
    printed = ambient("get", "lions", "-o", "name").stdout.split()
    assert ambient("get", *printed, "-o", "name").stdout.split() == printed
    assert "Zira" in ambient("describe", "lions/Zira").stdout
    assert ambient("delete", *printed, "--dry-run").stdout.splitlines() == [
        f"{one} deleted (dry run)" for one in printed
    ]


def test_one_object_by_kind_and_name_at_once(ambient: Any) -> None:
    assert ambient("logs", "keeper/Nobody").exit_code == 3
    assert "One object at a time" in ambient("logs", "keeper/Nobody", "other").stderr
    assert "Missing argument 'NAME'" in ambient("logs", "keeper").stderr


@pytest.mark.parametrize(
    ("expression", "printed"),
    [
        ("jsonpath=.items[*].name", "Nala\nSimba\nZira\n"),
        ("jsonpath={.items[0].name} is {.items[0].labels['herd']}", "Nala is pride\n"),
        ("jsonpath={.items[-1].tame}", "false\n"),
        ("columns=name,labels.herd", "NAME    LABELS.HERD\nNala    pride\nSimba   pride\nZira    pride\n"),
    ],
)
def test_expressions_pick_values(ambient: Any, expression: str, printed: str) -> None:
    assert ambient("get", "lions", "--sort", "name", "-o", expression).stdout == printed


def test_a_limit_says_that_there_is_more(ambient: Any) -> None:
    some = ambient("get", "lions", "--sort", "-name", "--limit", "2", "-o", "name")
    assert (some.stdout, some.stderr) == ("lions/Zira\nlions/Simba\n", "There are more than 2; --all shows them.\n")
    every = ambient("get", "lions", "--all", "-o", "name")
    assert (len(every.stdout.splitlines()), every.stderr) == (3, "")


def test_a_project_is_meant_by_an_option(ambient: Any) -> None:
    assert ambient("get", "sessions", "-p", "pride", "-o", "name").stdout.count("\n") == 3
    nothing = ambient("get", "sessions", "--project", "elsewhere")
    assert (nothing.exit_code, nothing.stdout, nothing.stderr) == (0, "", "No sessions found.\n")


def test_a_name_that_several_have_is_asked_for_by_id(ambient: Any) -> None:
    shown = ambient("get", "session", "twin")
    assert shown.exit_code == 1
    first, *rest = shown.stderr.splitlines()
    assert first.startswith("ambient: Several sessions have the name 'twin'; say which by its id")
    assert len(rest) == 2


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["lion", "Mufasa"], 3, "There is no Lion with the id or name 'Mufasa' that you may see."),
        (["loins"], 2, "The server has no kind 'loins'; did you mean lions?"),
        (["lions", "--search", "nmae = 'x'"], 1, "nmae"),
        (["lions", "-o", "xml"], 2, "'xml' is none of table, wide, json"),
        (["lions", "-o", "jsonpath={.items[}"], 2, "cannot be read from '[' on"),
        (["lions", "Simba", "--all"], 2, "belong to a list"),
    ],
)
def test_what_is_wrong_has_a_status_and_words(ambient: Any, arguments: list[str], status: int, words: str) -> None:
    shown = ambient("get", *arguments)
    assert (shown.exit_code, shown.stdout) == (status, "")
    assert words in shown.stderr


def test_who_is_not_known_may_not(ambient: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMBIENT_TOKEN", "not-a-token")
    assert ambient("get", "lions").exit_code == 4


def test_who_has_no_login_is_told_how_to_get_one(ambient: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMBIENT_TOKEN")
    shown = ambient("get", "lions")
    assert (shown.exit_code, "run: ambient login" in shown.stderr) == (4, True)


def test_the_project_of_the_context_is_meant_unless_another_is(
    ambient: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("other-side", "this-side"):
        call("POST", "/projects", json={"name": name})
        call("POST", "/skills", json={"name": f"skill-of-{name}", "project_id": name})
    monkeypatch.setenv("AMBIENT_PROJECT", "this-side")
    assert ambient("get", "skills", "-o", "name").stdout == "skills/skill-of-this-side\n"
    assert ambient("get", "skills", "-o", "name", "-p", "other-side").stdout == "skills/skill-of-other-side\n"
    assert ambient("get", "skills", "-o", "name", "-p", "").stdout.count("side\n") == 2
    assert ambient("get", "project", "other-side", "-o", "name").stdout == "projects/other-side\n"
    document = "kind: Skill\nname: written\n"
    assert ambient("create", "-f", "-", input=document).stdout == "skills/written created\n"
    assert ambient("get", "skill", "written", "-o", "jsonpath=.project_id").stdout == "this-side\n"


def test_a_server_that_is_away_is_named(ambient: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMBIENT_API_URL", "http://127.0.0.1:9")
    shown = ambient("get", "lions")
    assert shown.exit_code == 5
    assert shown.stderr.splitlines()[0].startswith("ambient: The API at http://127.0.0.1:9 does not answer: GET ")


def test_what_others_wrote_does_not_move_the_cursor(ambient: Any, call: Any) -> None:
    made = call("POST", "/lions", json={"name": "\x1b[2Jscar"}).json
    try:
        shown = ambient("get", "lions", "--search", f"id = '{made['id']}'", "-o", "columns=name").stdout
        assert shown == "NAME\n [2Jscar\n"
    finally:
        call("DELETE", f"/lions/{made['id']}")
