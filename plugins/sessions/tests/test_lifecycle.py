"""The table of phases: everything that is in it is allowed, everything else is refused in words."""

import re
from pathlib import Path

import pytest
from ambient_sessions import lifecycle
from ambient_sessions.lifecycle import ACTIONS, TERMINAL, WRITES, Phase, check_action, check_status

from ambient_core import Conflict

PHASES = [None, *Phase]


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_follows_the_table_or_is_refused_naming_phase_and_way_out(action: str, phase: Phase | None) -> None:
    if phase in ACTIONS[action]:
        assert check_action(action, phase) is ACTIONS[action][phase]
        return
    with pytest.raises(Conflict) as refusal:
        check_action(action, phase)
    words = refusal.value.reason
    assert (phase.value if phase else "not started") in words
    assert all((allowed.value if allowed else "not started") in words for allowed in ACTIONS[action])


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("new", Phase)
def test_a_status_follows_the_table_or_is_refused(phase: Phase | None, new: Phase) -> None:
    if new == phase or new in WRITES[phase]:
        check_status(phase, new)
    else:
        with pytest.raises(Conflict, match=f"cannot become {new}"):
            check_status(phase, new)


def test_the_table_in_the_docstring_is_the_table_in_the_code() -> None:
    text = Path(lifecycle.__file__).read_text().split("==========")[3]
    rows = [re.split(r"\s{2,}", line) for line in text.splitlines() if line.strip()]
    for name, action, writes in ((row + ["", ""])[:3] for row in rows):
        phase = None if name == "(none)" else Phase(name)
        verb, _, after = action.partition(" -> ") if "->" in action else ("", "", "")
        given = writes if "->" in action else action
        assert {v: p for v, t in ACTIONS.items() for f, p in t.items() if f == phase} == ({verb: after} if verb else {})
        assert set(given.split(", ")) - {""} == {p.value for p in WRITES[phase]}


def test_every_phase_has_a_way_out_and_every_phase_can_be_reached() -> None:
    ways = {phase: {*WRITES[phase], *(t[phase] for t in ACTIONS.values() if phase in t)} for phase in PHASES}
    assert all(ways.values())
    reached: set[Phase | None] = {None}
    while more := {new for phase in reached for new in ways[phase]} - reached:
        reached |= more
    assert reached == set(PHASES)
    assert all(not WRITES[phase] for phase in TERMINAL)
