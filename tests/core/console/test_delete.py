"""``ambient delete``: by name, or by a search that says how many may go."""

import secrets
from typing import Any

import pytest


@pytest.fixture
def herd(call: Any) -> str:
    """Three lions of one note."""
    note = secrets.token_hex(4)
    for number in range(3):
        assert call("POST", "/lions", json={"name": f"{note}-{number}", "note": note}).status_code == 201
    return note


def left(call: Any, note: str) -> int:
    return int(call("GET", f"/lions?search=note = '{note}'").json["total"])


def test_objects_go_by_name(ambient: Any, call: Any, herd: str) -> None:
    gone = ambient("delete", "lions", f"{herd}-0", f"{herd}-1", "--yes")
    assert (gone.exit_code, gone.stdout) == (0, f"lions/{herd}-0 deleted\nlions/{herd}-1 deleted\n")
    assert left(call, herd) == 1


def test_one_that_is_not_there_does_not_keep_the_others(ambient: Any, call: Any, herd: str) -> None:
    gone = ambient("delete", "lions", "nobody", f"{herd}-0", "--yes")
    assert (gone.exit_code, gone.stdout) == (3, f"lions/{herd}-0 deleted\n")
    assert gone.stderr.startswith("ambient: lions/nobody: There is no Lion")


def test_what_matches_goes_if_it_is_no_more_than_was_said(ambient: Any, call: Any, herd: str) -> None:
    search = ("--search", f"note = '{herd}'", "--yes")
    refused = ambient("delete", "lions", *search, "--max-affected", "2")
    assert (refused.exit_code, refused.stderr) == (
        1,
        "ambient: 3 lions match, and at most 2 may go; none is deleted.\n",
    )
    assert left(call, herd) == 3
    assert ambient("delete", "lions", *search, "--max-affected", "3").stdout == "3 lions deleted\n"
    assert left(call, herd) == 0


def test_a_rehearsal_deletes_nothing(ambient: Any, call: Any, herd: str) -> None:
    assert ambient("delete", "lion", f"{herd}-0", "--dry-run").stdout == f"lions/{herd}-0 deleted (dry run)\n"
    search = ambient("delete", "lions", "--search", f"note = '{herd}'", "--dry-run")
    assert (search.stdout, left(call, herd)) == ("3 lions deleted (dry run)\n", 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Name the objects, or give --search."),
        (["x", "--search", "a = 1"], "Name the objects, or give --search."),
        (["x"], "Nobody can be asked here whether it is meant; give --yes."),
        (["--search", "rank = 1", "--yes"], "needs --max-affected"),
        (["x", "--max-affected", "1", "--yes"], "belongs to --search"),
    ],
)
def test_what_is_not_meant_is_not_done(ambient: Any, arguments: list[str], words: str) -> None:
    refused = ambient("delete", "lions", *arguments)
    assert (refused.exit_code, words in refused.stderr) == (2, True), refused.output
