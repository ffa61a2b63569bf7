"""What an import decides, as a table of what is seen."""

from typing import Any

import pytest
from ambient_sessions.importing.legacy import LegacyProject, LegacySession
from ambient_sessions.importing.plan import Seen, Step, plan

OWN = {"ambient-code.io/imported-from": "web/u", "ambient-code.io/owner": "legacy"}
BODY = {"name": "web", "annotations": OWN}


def project(name: str = "web", *, ending: bool = False, ours: bool = False) -> LegacyProject:
    return LegacyProject(name, "u", ending, ours, {**BODY, "name": name})


def session(name: str, created: str = "1", parent: str | None = None) -> LegacySession:
    return LegacySession(
        "web", name, f"uid-{name}", created, parent, {"project_id": "web", "name": name}, {"phase": "Stopped"}
    )


def row(found: LegacySession, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"id-{found.name}",
        "project_id": "web",
        "name": found.name,
        "mirrored": True,
        "created_by": "legacy",
        "phase": "Stopped",
        "llm_model": "claude-sonnet-4-6",
        "llm_temperature": 0.7,
        "llm_max_tokens": 4000,
        "stop_on_run_finished": False,
        **fields,
    }


def seen(projects: Any = (), sessions: Any = (), ours: Any = None, rows: Any = ()) -> Seen:
    known = {found.origin: told for found, told in rows}
    return Seen(tuple(projects), tuple(sessions), ours or {}, known)


def outcome(steps: tuple[Step, ...], name: str) -> tuple[str, str]:
    found = next(step for step in steps if step.name == name)
    return found.outcome, found.reason


@pytest.mark.parametrize(
    ("found", "ours", "expected", "words"),
    [
        (project(), None, "create", ""),
        (project(ours=True), None, "left", "our control plane has made it"),
        (project(ending=True), None, "conflict", "is being deleted"),
        (project("9lives"), None, "conflict", "starts with a letter"),
        (project(), {"annotations": OWN}, "unchanged", ""),
        (project(), {"annotations": OWN, "description": "old"}, "update", ""),
        (project(), {"annotations": OWN | {"own": "x"}}, "unchanged", ""),
        (project(), {}, "conflict", "was not imported"),
        (project(ours=True), {}, "left", "our control plane has made it"),
        (project(), {"annotations": OWN | {"ambient-code.io/imported-from": "web/v"}}, "conflict", "made anew"),
        (project(), {"annotations": OWN | {"ambient-code.io/owner": "ambient"}}, "left", "handed over"),
    ],
)
def test_a_project_is(found: LegacyProject, ours: Any, expected: str, words: str) -> None:
    told, reason = outcome(plan(seen([found], ours={} if ours is None else {found.name: ours})), found.name)
    assert (told, words in reason) == (expected, True)


OURS = {"web": {"annotations": OWN}}
FIRST = session("first")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (None, "create"),
        (row(FIRST), "unchanged"),
        (row(FIRST, labels={}), "unchanged"),
        (row(FIRST, phase="Running"), "update"),
        (row(FIRST, name="other"), "update"),
        (row(FIRST, prompt="more"), "update"),
        (row(FIRST, mirrored=False), "left"),
    ],
)
def test_a_session_is(told: Any, expected: str) -> None:
    steps = plan(seen([project()], [FIRST], OURS, [(FIRST, told)] if told else []))
    assert outcome(steps, "web/first")[0] == expected


def test_sessions_share_the_fate_of_their_project() -> None:
    conflict = plan(seen([project()], [FIRST], {"web": {}}))
    assert outcome(conflict, "web/first") == (
        "conflict",
        "of its project: a project of this name is there already, and was not imported",
    )
    handed = {"web": {"annotations": OWN | {"ambient-code.io/owner": "ambient"}}}
    assert outcome(plan(seen([project()], [FIRST], handed)), "web/first")[0] == "left"


def test_a_parent_comes_before_what_continues_it_and_is_known_by_it() -> None:
    child, parent = session("child", "2", parent="parent"), session("parent", "1")
    steps = plan(seen([project()], [child, parent], OURS))
    assert [step.name for step in steps] == ["web", "web/parent", "web/child"]
    both = [(parent, row(parent)), (child, row(child))]
    assert outcome(plan(seen([project()], [child, parent], OURS, both)), "web/child")[0] == "update"
    both[1] = (child, row(child, parent_session_id="id-parent"))
    assert outcome(plan(seen([project()], [child, parent], OURS, both)), "web/child")[0] == "unchanged"


def test_what_is_deleted_there_stays_here_and_runs_no_more() -> None:
    gone = plan(seen([project()], [], OURS, [(FIRST, row(FIRST, phase="Running", prompt="Look."))]))
    assert outcome(gone, "web/first")[0] == "gone"
    assert gone[-1].body["state"]["phase"] == "Stopped"
    assert gone[-1].body["session"]["prompt"] == "Look."
    assert plan(seen([project()], [], OURS, [(FIRST, row(FIRST))]))[-1].body == {}
    assert len(plan(seen([project()], [], OURS, [(FIRST, row(FIRST, mirrored=False))]))) == 1


def test_one_project_alone_can_be_asked_for() -> None:
    other = row(FIRST, project_id="other")
    steps = plan(seen([project(), project("more")], [FIRST], {}, [(session("x"), other)]), only="more")
    assert [step.name for step in steps] == ["more"]
