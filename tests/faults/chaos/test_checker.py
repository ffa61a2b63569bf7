"""The checker itself, over histories made by hand: good ones pass, and each broken promise is named."""

from collections.abc import Sequence

import pytest

from tests.faults.chaos import checker
from tests.faults.chaos.checker import check
from tests.faults.chaos.history import Attempt, Entry, Event, History, Shown


def state(version: int, marker: str, identifier: str = "a") -> Shown:
    return Shown("Skill", identifier, version, marker)


def entry(verb: str, version: int, marker: str, identifier: str = "a") -> Entry:
    return Entry(verb, state(version, marker, identifier))


LOG = [entry("create", 1, "one"), entry("patch", 2, "two"), entry("start", 3, "two"), entry("delete", 3, "two")]


class Story:
    """A history in the making; every attempt comes after the one before."""

    def __init__(self, log: Sequence[Entry] = LOG, present: dict[tuple[str, str], int] | None = None) -> None:
        self.history = History(log=list(log), present=present or {})
        self.clock = 0.0

    def attempt(self, verb: str, marker: str | None, status: int | None, **more: object) -> "Story":
        """One attempt; ``version`` is what its answer shows, ``target`` is ``a`` unless it creates."""
        version, shown, identifier = more.pop("version", None), more.pop("shown", marker), more.pop("identifier", "a")
        made = Attempt(0, verb, "Skill", marker=marker, status=status, **more)  # type: ignore[arg-type]
        made.target = None if verb == "create" else "a"
        made.invoked, made.answered = self.clock, None if status is None else self.clock + 0.5
        if version is not None:
            made.shown = (state(version, str(shown), str(identifier)),)  # type: ignore[arg-type]
        self.clock += 1
        self.history.attempts.append(made)
        return self

    def told(self, *events: Event) -> "Story":
        self.history.events["watcher"] = list(events)
        return self

    @property
    def broken(self) -> set[str]:
        return {violation.rule for violation in check(self.history)}


def test_a_whole_life_breaks_nothing() -> None:
    story = Story().attempt("create", "one", 201, version=1, key="k").attempt("get", None, 200, version=1, shown="one")
    story.attempt("patch", "two", 200, version=2, if_match=1).attempt(
        "start", None, 200, version=3, shown="two", key="s"
    )
    story.attempt("delete", None, 204).attempt("get", None, 404)
    assert story.told(*(entry.event for entry in LOG)).broken == set()


def test_a_lost_answer_may_mean_either() -> None:
    there, not_there = Story().attempt("patch", "two", None), Story().attempt("patch", "never", None)
    unsure = Story().attempt("patch", "two", 503, again=True)
    assert there.broken == not_there.broken == unsure.broken == set()


def test_a_lost_post_that_is_retried_makes_one_object() -> None:
    story = Story().attempt("create", "one", None, key="k").attempt("create", "one", 201, version=1, key="k")
    assert story.attempt("create", "one", 201, version=1, key="k").broken == set()


def test_a_replayed_answer_may_be_old() -> None:
    story = Story().attempt("patch", "two", 200, version=2).attempt("create", "one", 201, version=1, key="k")
    assert story.broken == set()


def test_an_acknowledged_write_that_is_not_there() -> None:
    story = Story(LOG[:1], {("Skill", "a"): 1}).attempt("patch", "two", 200, version=2)
    assert checker.every_acknowledged_write_is_there_once.__name__ in story.broken


def test_an_acknowledged_write_that_wrote_nothing() -> None:
    assert Story().attempt("patch", "mine", 200, version=2, shown="two").broken == {
        "every_acknowledged_write_is_there_once"
    }


def test_an_acknowledged_write_that_is_there_twice() -> None:
    log = [*LOG[:2], entry("patch", 3, "three"), entry("patch", 4, "two")]
    story = Story(log, {("Skill", "a"): 4}).attempt("patch", "two", 200, version=2)
    assert story.broken == {"every_acknowledged_write_is_there_once"}


def test_an_acknowledged_delete_that_is_not_there() -> None:
    story = Story(LOG[:3], {("Skill", "a"): 3}).attempt("delete", None, 204)
    assert story.broken == {"every_acknowledged_write_is_there_once"}


def test_a_refused_write_that_is_there() -> None:
    assert Story().attempt("patch", "two", 412, tag=3).broken == {"every_acknowledged_write_is_there_once"}


def test_a_retried_post_that_made_two_objects() -> None:
    log = [entry("create", 1, "one"), entry("create", 1, "one", "b")]
    story = Story(log, {("Skill", "a"): 1, ("Skill", "b"): 1})
    story.attempt("create", "one", None, key="k").attempt("create", "one", 201, version=1, identifier="b", key="k")
    assert "a_retried_post_makes_one_object" in story.broken


def test_a_retried_post_whose_answers_differ() -> None:
    story = Story().attempt("start", None, 200, version=2, shown="two", key="s")
    assert story.attempt("start", None, 200, version=3, shown="two", key="s").broken == {
        "a_retried_post_makes_one_object"
    }


def test_a_retried_post_that_is_refused_though_it_was_done() -> None:
    story = Story().attempt("create", "one", None, key="k").attempt("create", "one", 409, key="k")
    assert story.broken == {"a_retried_post_makes_one_object"}


@pytest.mark.parametrize(
    ("log", "present"),
    [
        ([LOG[0], entry("patch", 3, "three")], 3),
        ([LOG[0], LOG[1], entry("patch", 2, "other")], 2),
        ([LOG[1], LOG[0]], 1),
        ([LOG[1]], 2),
        ([*LOG, entry("patch", 4, "late")], 4),
        (LOG, 3),
        (LOG[:2], 1),
        (LOG[:2], None),
        ([], 1),
    ],
    ids=[
        "gap",
        "fork",
        "order",
        "no create",
        "after the end",
        "ghost",
        "row behind",
        "row gone",
        "row without a change",
    ],
)
def test_versions_that_do_not_follow(log: list[Entry], present: int | None) -> None:
    story = Story(log, {("Skill", "a"): present} if present else {})
    assert story.broken == {"versions_have_no_gap_and_no_fork"}


def test_two_patches_that_were_built_on_one_version() -> None:
    log = [*LOG[:2], entry("patch", 3, "three")]
    story = Story(log, {("Skill", "a"): 3}).attempt("patch", "two", 200, version=2, if_match=1)
    assert story.attempt("patch", "three", 200, version=3, if_match=1).broken == {"if_match_is_honoured"}


def test_a_patch_that_was_built_on_an_old_version() -> None:
    log = [*LOG[:2], entry("patch", 3, "three")]
    story = Story(log, {("Skill", "a"): 3}).attempt("patch", "three", 200, version=3, if_match=1)
    assert story.broken == {"if_match_is_honoured"}


def test_a_precondition_that_was_right_and_was_refused() -> None:
    assert Story().attempt("patch", "mine", 412, if_match=2, tag=2).broken == {"a_refused_precondition_was_stale"}
    assert Story().attempt("patch", "mine", 412, if_match=1, tag=2).broken == set()


def test_an_answer_that_nobody_wrote() -> None:
    assert Story().attempt("get", None, 200, version=2, shown="dream").broken == {"answers_show_what_was_written"}


def test_an_answer_that_is_older_than_what_was_acknowledged() -> None:
    story = Story().attempt("patch", "two", 200, version=2).attempt("get", None, 200, version=1, shown="one")
    assert story.broken == {"answers_show_what_was_written"}


@pytest.mark.parametrize("order", [(0, 1, 3), (0, 1, 1, 2, 3), (0, 2, 1, 3), (1, 2, 3), (0, 1, 2), ()], ids=str)
def test_a_watcher_that_was_told_something_else(order: tuple[int, ...]) -> None:
    story = Story().told(*(LOG[place].event for place in order))
    assert story.broken == {"every_watcher_saw_every_change_once_in_order"}


def test_a_watcher_that_was_told_of_another_state() -> None:
    events = [entry.event for entry in LOG]
    events[1] = Event("MODIFIED", state(2, "dream"))
    assert Story().told(*events).broken == {"every_watcher_saw_every_change_once_in_order"}


def test_watchers_may_see_different_objects_in_different_orders() -> None:
    log = [LOG[0], entry("create", 1, "other", "b"), LOG[1]]
    story = Story(log, {("Skill", "a"): 2, ("Skill", "b"): 1})
    assert story.told(*(log[place].event for place in (0, 2, 1))).broken == set()
