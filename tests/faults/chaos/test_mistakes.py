"""Each mechanism broken on purpose, in the server's own processes: the checker says which promise is gone."""

from pathlib import Path

import pytest

from tests.faults.chaos import scenes
from tests.faults.chaos.checker import check
from tests.faults.chaos.fleet import Fleet

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("chaos")]


def broken(folder: Path, mistake: str, *played: scenes.Scene) -> set[str]:
    """The promises that are gone when these scenes are played over servers with a mistake."""
    with Fleet(folder, mistake).serving() as fleet:
        return {violation.rule for violation in check(scenes.play(fleet, *played))}


def test_without_a_mistake_every_promise_holds(tmp_path: Path) -> None:
    played = (scenes.two_patches_of_one_version, scenes.an_answer_that_is_lost, scenes.a_write_that_is_overtaken)
    assert broken(tmp_path, "nothing", *played) == set()


def test_if_match_that_is_ignored(tmp_path: Path) -> None:
    assert broken(tmp_path, "ignore_if_match", scenes.two_patches_of_one_version) == {"if_match_is_honoured"}


def test_an_idempotency_row_that_is_dropped(tmp_path: Path) -> None:
    gone = broken(tmp_path, "drop_the_idempotency_row", scenes.an_answer_that_is_lost)
    assert "a_retried_post_makes_one_object" in gone


def test_a_reader_without_its_bound(tmp_path: Path) -> None:
    gone = broken(tmp_path, "skip_the_bound_of_the_reader", scenes.a_write_that_is_overtaken_and_missed)
    assert gone == {"every_watcher_saw_every_change_once_in_order"}
