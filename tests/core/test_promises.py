"""What `docs/promises.md` promises is held by tests that exist, and each case of the data contract has a test with its number."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "promises.md").read_text()
NODE = re.compile(r"^- `([\w/.]+)::(\w+)`$", re.MULTILINE)
PROMISE = re.compile(r"^\*\*(.+?)\*\*(.*?)(?=^\*\*|^## |\Z)", re.MULTILINE | re.DOTALL)
CASES = (*range(24, 46), *range(59, 62))
PROMISES = {title: text for title, text in PROMISE.findall(PAGE)}


@cache
def names_in(path: Path) -> frozenset[str]:
    """The names of the tests in a file; none where there is no file."""
    if not path.is_file():
        return frozenset()
    functions = (node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def files() -> Iterator[Path]:
    for folder in ("tests", "plugins", "sdk/python/tests", "runner/tests"):
        yield from (ROOT / folder).rglob("test_*.py")


@pytest.mark.parametrize("promise", PROMISES)
def test_each_promise_is_held_by_tests_that_exist(promise: str) -> None:
    named = NODE.findall(PROMISES[promise])
    assert named, "No test is named."
    assert [f"{path}::{name}" for path, name in named if name not in names_in(ROOT / path)] == []


def test_every_test_that_is_named_exists_and_the_lines_that_name_them_are_read() -> None:
    named = NODE.findall(PAGE)
    assert len(named) == sum(line.startswith("- ") for line in PAGE.splitlines())
    assert [f"{path}::{name}" for path, name in named if name not in names_in(ROOT / path)] == []


def test_each_case_of_the_data_contract_has_a_test_with_its_number() -> None:
    numbered = (re.match(r"test_((?:\d+_)+)", name) for path in files() for name in names_in(path))
    shown = {int(number) for match in numbered if match for number in match[1].strip("_").split("_")}
    assert sorted(set(CASES) - shown) == []


def test_every_test_that_the_page_on_security_names_exists() -> None:
    others = [*(ROOT / "tests" / "access").iterdir(), *(ROOT / "runner" / "tests").iterdir()]
    known = {path.name for path in (*files(), *others)}
    named = re.findall(r"`(?:[\w/]+/)?(\w+\.(?:py|txt))`", (ROOT / "docs" / "security.md").read_text())
    assert named
    assert sorted(set(named) - known) == []
