"""Names in a cluster: valid whatever the id, with everything that the operator adds, and never shared by two."""

import re

from ambient_sessions.runtimes.names import namespace_of, session_name
from hypothesis import given
from hypothesis import strategies as st

from ambient_core.ids import new_id

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
OF_THE_OPERATOR = (
    "{}-runner",
    "session-{}",
    "ambient-session-{}",
    "ambient-session-{}-role",
    "ambient-runner-token-{}",
)
TEXTS = st.text(min_size=1, max_size=100) | st.from_regex(r"[A-Za-z0-9_-]{1,100}", fullmatch=True)


def test_a_session_s_name_is_its_id() -> None:
    identifier = new_id()
    assert session_name(identifier) == identifier


@given(TEXTS)
def test_45_every_name_that_the_operator_makes_of_ours_is_a_label(text: str) -> None:
    name = session_name(text)
    assert [made for made in (pattern.format(name) for pattern in OF_THE_OPERATOR) if not LABEL.fullmatch(made)] == []


@given(TEXTS)
def test_45_every_project_has_a_namespace_that_is_a_label(text: str) -> None:
    assert LABEL.fullmatch(namespace_of(text))


@given(st.sets(TEXTS, min_size=2, max_size=8))
def test_45_two_ids_never_share_a_name(texts: set[str]) -> None:
    assert len({session_name(text) for text in texts}) == len(texts)


def test_45_names_that_are_taken_cannot_be_made_up() -> None:
    texts = ("My Session", "my-session", "😀", "x" * 43, "X" * 43, "kube-system", "a_b", "a.b", "a-b")
    assert len({session_name(text) for text in texts}) == len(texts)
