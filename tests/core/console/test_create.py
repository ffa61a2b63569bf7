"""``ambient create``: flags by schema, files, secrets, and what the server refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("pride")


def stored(call: Any, name: str) -> dict[str, Any]:
    (row,) = call("GET", f"/lions?search=name = '{name}'").json["items"]
    return row


def test_every_type_has_a_flag(ambient: Any, call: Any) -> None:
    text = ["--name", "Kion", "--note", "first\nsecond", "--born", "2026-01-31T12:00:00Z", "--colour", "gold"]
    numbers = ["--rank", "-4", "--steps", "5", "--weight", "1.5", "--tame"]
    many = ["--labels", "herd=pride", "--labels", "a.b=c=d", "--tags", "x", "--tags", "y,z", "--data", '{"deep": [1]}']
    made = ambient("create", "lion", *text, *numbers, *many)
    assert (made.exit_code, made.stdout) == (0, "lions/Kion created\n"), made.output
    row = stored(call, "Kion")
    assert (row["note"], row["rank"], row["weight"], row["tame"]) == ("first\nsecond", -4, 1.5, True)
    assert row["labels"] == {"herd": "pride", "a.b": "c=d"}
    assert (row["tags"], row["data"]) == (["x", "y,z"], {"deep": [1]})


def test_a_kind_of_ours_takes_the_project_by_either_option(ambient: Any, call: Any) -> None:
    for number, option in enumerate(("--project", "--project-id", "-p")):
        made = ambient("create", "skill", option, "pride", "--name", f"roar-{number}", "-o", "jsonpath={.project_id}")
        assert made.stdout == "pride\n", made.output


def test_a_rehearsal_makes_nothing(ambient: Any, call: Any) -> None:
    assert ambient("create", "lion", "--name", "Shadow", "--dry-run").stdout == "lions/Shadow created (dry run)\n"
    assert call("GET", "/lions?search=name = 'Shadow'").json["items"] == []


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        (["--rank", "many"], "Invalid value for '--rank': must be a whole number, not 'many'."),
        (["--rank", "3000000000"], "Invalid value for '--rank': must be at most 2147483647."),
        (["--colour", "red"], "Invalid value for '--colour': 'red' is not one of 'sand', 'gold'."),
        (["--born", "yesterday"], "Invalid value for '--born': must be a time such as"),
        (["--labels", "herd"], "Invalid value for '--labels': takes NAME=VALUE, not 'herd'."),
        (["--data", "[1]"], "Invalid value for '--data': must be a JSON object."),
        (["--note", "@missing"], "missing cannot be read"),
        (["--size", "1"], "No such option '--size'"),
    ],
)
def test_a_wrong_flag_is_refused_before_anything_is_sent(ambient: Any, flag: list[str], words: str) -> None:
    made = ambient("create", "lion", "--name", "Wrong", *flag)
    assert made.exit_code == 2
    assert words in made.stderr


def test_what_must_be_given_is_asked_for(ambient: Any) -> None:
    made = ambient("create", "lion")
    assert (made.exit_code, "Missing option '--name'" in made.stderr) == (2, True)


def test_the_servers_faults_are_named_by_flag(ambient: Any) -> None:
    made = ambient("create", "session", "--name", "x", "--llm-model", "m")
    assert (made.exit_code, made.stderr) == (1, "ambient: --project-id is required; give a string.\n")


def test_what_clashes_is_said_in_the_servers_words(ambient: Any) -> None:
    made = ambient("create", "lion", "--name", "Simba")
    assert made.exit_code == 1
    assert "name" in made.stderr
    assert made.stderr.count("\n") == 1


def test_a_value_comes_from_a_file_or_the_standard_input(ambient: Any, call: Any, tmp_path: Path) -> None:
    Path("note.txt").write_text("from a file\n")
    assert ambient("create", "lion", "--name", "Filed", "--note", "@note.txt").exit_code == 0
    assert ambient("create", "lion", "--name", "Piped", "--note", "@-", input="from a pipe\n").exit_code == 0
    assert ambient("create", "lion", "--name", "Plain", "--note", "@@home").exit_code == 0
    notes = [stored(call, name)["note"] for name in ("Filed", "Piped", "Plain")]
    assert notes == ["from a file", "from a pipe", "@home"]


def test_help_says_what_the_schema_says(ambient: Any) -> None:
    shown = ambient("create", "session", "--help").stdout
    assert "--llm-temperature NUMBER" in shown
    assert "Sampling temperature. [default 0.7]" in " ".join(shown.split())
    kinds = ambient("create", "--help").stdout
    assert "lions" in kinds
    assert "sessions" in kinds


def test_files_are_made_all_or_none(ambient: Any, call: Any) -> None:
    Path("two.yaml").write_text("kind: Lion\nname: Ona\n---\nkind: lions\nname: Beshte\nrank: 7\n")
    assert ambient("create", "-f", "two.yaml").stdout == "lions/Ona created\nlions/Beshte created\n"
    Path("bad.yaml").write_text("kind: Lion\nname: Fuli\n---\nkind: Lion\nname: Bunga\nrank: many\n")
    refused = ambient("create", "-f", "bad.yaml")
    assert refused.exit_code == 1
    assert refused.stderr.splitlines()[0].startswith("ambient: bad.yaml:4: rank must be ")
    assert call("GET", "/lions?search=name = 'Fuli'").json["items"] == []


def test_json_on_the_standard_input_is_taken(ambient: Any) -> None:
    text = json.dumps([{"kind": "Lion", "name": "Anga"}])
    assert ambient("create", "-f", "-", input=text).stdout == "lions/Anga created\n"


def test_a_kind_that_is_unknown_is_a_wrong_command_line(ambient: Any) -> None:
    made = ambient("create", "tiger", "--name", "x")
    assert (made.exit_code, "no kind 'tiger'" in made.stderr) == (2, True)
