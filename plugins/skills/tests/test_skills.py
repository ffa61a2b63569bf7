"""What the contract suite cannot know of skills: what a session finds in its workspace."""

from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ambient_skills import inputs


class Client:
    """Answers with these skills, as the SDK would."""

    def __init__(self, *skills: dict[str, Any]) -> None:
        self.asked: list[str] = []
        self.skills = SimpleNamespace(list_all=self.list_all)
        self._skills = [SimpleNamespace(to_dict=lambda s=s: s, **s) for s in skills]

    def list_all(self, **query: Any) -> Any:
        self.asked.append(str(query))
        return iter(self._skills)


def files(session: dict[str, Any], *skills: dict[str, Any]) -> dict[str, str]:
    return dict(inputs.ambient_session_inputs(session={"project_id": "p", **session}, client=Client(*skills)))


TRIAGE = {"name": "triage", "description": "Sort: things\n- all", "prompt": "Sort."}


def test_a_skill_becomes_a_file_whose_front_matter_survives_any_text() -> None:
    text = files({}, TRIAGE)[".claude/skills/triage/SKILL.md"]
    _, front, body = text.split("---\n", 2)
    assert yaml.safe_load(front) == {"name": "triage", "description": "Sort: things\n- all"}
    assert body.strip() == "Sort."


@pytest.mark.parametrize(("wanted", "found"), [(None, 2), (["triage"], 1), ([], 0)])
def test_a_session_names_its_skills_or_gets_all_of_its_project(wanted: list[str] | None, found: int) -> None:
    session = {} if wanted is None else {"skills": wanted}
    assert len(files(session, TRIAGE, {**TRIAGE, "name": "other"})) == found
