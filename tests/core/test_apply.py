"""``ambient apply`` against a server on a real socket."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ambient_core.cli import cli
from tests.core.lions import serving
from tests.sockets import on_a_socket

Apply = Callable[..., Result]


@pytest.fixture(scope="module")
def zoo(settings: Any, database_url: str) -> Iterator[Any]:
    with serving(settings, database_url) as app:
        yield app


@pytest.fixture(scope="module")
def call(zoo: Any, calls: Any) -> Any:
    return calls(zoo)


@pytest.fixture(scope="module")
def url(zoo: Any) -> Iterator[str]:
    with on_a_socket(zoo) as address:
        yield address


@pytest.fixture
def apply(url: str, tokens: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Apply:
    monkeypatch.setenv("AMBIENT_API_URL", url)
    monkeypatch.setenv("AMBIENT_TOKEN", tokens["developer"].read_text())
    monkeypatch.setenv("AMBIENT_PROFILE", "development")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, text: str | None = None) -> Result:
        given = ("-f", "-") if text is not None else ()
        return CliRunner().invoke(cli, ["apply", *given, *arguments], input=text)

    return run


def team(name: str) -> str:
    return f"""
kind: Project
name: {name}
labels: {{team: {name}}}
---
kind: skills
project_id: {name}
name: review
description: Reads a change.
"""


def said(result: Result) -> str:
    return f"{result.stdout}{result.stderr}{result.exception}"


def test_a_document_without_a_project_is_in_that_of_the_context(
    apply: Apply, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMBIENT_PROJECT", "meant")
    text = (
        "kind: Project\nname: meant\n---\nkind: skills\nname: review\n---\nkind: skills\nname: other\nproject_id: said"
    )
    assert apply(text="kind: Project\nname: said").exit_code == 0
    assert apply(text=text).exit_code == 0, said(apply(text=text))
    assert call("GET", "/skills?search=project_id = 'meant'").json["items"][0]["name"] == "review"
    assert call("GET", "/skills?search=project_id = 'said'").json["items"][0]["name"] == "other"


def test_twice_changes_nothing_and_a_change_is_seen(apply: Apply, call: Any) -> None:
    first = apply(text=team("twice"))
    assert (first.exit_code, first.stdout) == (0, "projects/twice created\nskills/review created\n"), said(first)
    seen = call("GET", "/skills?search=project_id = 'twice'").json["items"]
    assert apply(text=team("twice")).stdout == "projects/twice unchanged\nskills/review unchanged\n"
    assert call("GET", "/skills?search=project_id = 'twice'").json["items"] == seen
    other = team("twice").replace("Reads a change.", "Reads it well.")
    assert apply(text=other).stdout == "projects/twice unchanged\nskills/review changed\n"


def test_a_dry_run_shows_each_difference_and_keeps_nothing(apply: Apply, call: Any) -> None:
    apply(text=team("dry"))
    changed = team("dry").replace("Reads a change.", "Reads it well.") + "---\n{kind: Project, name: dry-two}\n"
    done = apply("--dry-run", "--exit-code", text=changed)
    assert done.exit_code == 1
    assert '  - description: "Reads a change."\n  + description: "Reads it well."\n' in done.stdout
    assert "projects/dry-two created (dry run)" in done.stdout
    assert call("GET", "/projects/dry-two").status_code == 404
    assert apply("--dry-run", "--exit-code", text=team("dry")).exit_code == 0


def test_a_kind_of_a_stranger_is_pruned_by_label(apply: Apply, call: Any) -> None:
    lions = [{"kind": "Lion", "name": f"pruned-{n}", "labels": {"pride": "it's"}} for n in range(3)]
    assert apply(text=json.dumps([*lions, {"kind": "lions", "name": "pruned-not"}])).exit_code == 0
    kept = json.dumps(lions[:2])
    shown = apply("--prune", "-l", "pride=it's", "--dry-run", text=kept)
    assert "lions/pruned-2 deleted (dry run)" in shown.stdout, said(shown)
    assert call("GET", "/lions?search=name like 'pruned%'").json["total"] == 4
    assert "lions/pruned-2 deleted" in apply("--prune", "-l", "pride=it's", text=kept).stdout
    names = {lion["name"] for lion in call("GET", "/lions?search=name like 'pruned%'").json["items"]}
    assert names == {"pruned-0", "pruned-1", "pruned-not"}


def test_a_folder_is_read_in_order_and_deep_when_asked(apply: Apply, tmp_path: Path) -> None:
    deep = tmp_path / "all" / "deep"
    deep.mkdir(parents=True)
    (deep.parent / "b.json").write_text('{"kind": "Lion", "name": "folder-b"}\n{"kind": "Lion", "name": "folder-c"}')
    (deep.parent / "a.yaml").write_text("kind: Lion\nname: folder-a\n")
    (deep / "d.yml").write_text("- {kind: Lion, name: folder-d}\n")
    assert [line.split()[0] for line in apply("-f", "all").stdout.splitlines()] == [f"lions/folder-{x}" for x in "abc"]
    assert "lions/folder-d created" in apply("-f", "all", "-R").stdout


def test_more_than_a_batch_goes_in_several(apply: Apply, call: Any) -> None:
    done = apply("-o", "json", text=json.dumps([{"kind": "Lion", "name": f"many-{n}"} for n in range(501)]))
    assert "in batches of 500" in done.stderr
    assert {line["outcome"] for line in json.loads(done.stdout)} == {"created"}
    assert call("GET", "/lions?search=name like 'many%'").json["total"] == 501


def test_the_servers_refusal_names_the_document_and_undoes_the_batch(apply: Apply, call: Any, tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text("kind: Lion\nname: whole\n---\nkind: Lion\nname: broken\ncolour: red\n")
    done = apply("-f", "two.yaml")
    assert "two.yaml:4: lions/broken: /colour must be one of" in str(done.exception)
    assert call("GET", "/lions?search=name = 'whole'").json["total"] == 0
    single = apply("-f", "two.yaml", "--no-atomic")
    assert (single.exit_code, single.stdout) == (1, "lions/whole created\nlions/broken refused\n")
    assert "two.yaml:4: lions/broken: /colour" in single.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: Lion\nname: [", "-:2: this is no YAML"),
        ("kind: Lion\n---\n\nkind: Tiger\n", "-:1: Lion needs what makes it unique: name"),
        ("kind: Tiger\nname: a\n", "-:1: the server has no kind 'Tiger'"),
        ("kind: Lion\nname: a\nstripes: 3\n", "-:1: Lion has no field 'stripes'"),
        ("kind: Lion\nname: a\n---\nkind: lions\nname: a\n", "-:4: lions/a is declared at -:1 already"),
        ("kind: Lion\nname: a\nname: b\n", "-:3: this is no YAML that can be taken: 'name' is given twice"),
        ("a: &a [x]\nb: [*a, *a]\n", "-:2: this is no YAML that can be taken: aliases"),
        ('{"kind": "Lion",\n "name": }', "-:2: this is no JSON"),
        ("kind: Lion\nname: a\nweight: .nan\n", "-:1: a value is nothing that JSON can hold"),
        ("name: a\n", "-:1: a document is an object with kind"),
        ("[" * 100_000, "nested too deeply"),
        ("\n# nothing\n", "There is no document in -"),
        ("kind: Lion\nname: !!python/object:os.system a\n", "-:2: this is no YAML"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_before_anything_is_sent(apply: Apply, text: str, words: str) -> None:
    assert words in str(apply(text=text).exception)


@pytest.mark.parametrize("arguments", [["--prune"], ["-l", "a=b"], ["--prune", "-l", "a"], ["--exit-code"]])
def test_a_wrong_command_line_ends_with_2(apply: Apply, arguments: list[str]) -> None:
    assert apply(*arguments, text="kind: Lion\nname: a\n").exit_code == 2


def test_an_empty_folder_and_a_file_that_is_not_there_are_named(apply: Apply, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "empty: there is no" in str(apply("-f", "empty").exception)
    assert "gone.yaml cannot be read" in str(apply("-f", "gone.yaml").exception)
