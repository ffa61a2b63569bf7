"""Kinds that the client was not generated for."""

from typing import Any

from ambient_sdk import Plain

from sdk.python.tests.test_sdk import real

__all__ = ["real"]


def test_a_kind_that_the_client_was_not_generated_for_has_the_five_verbs_too(real: Any, project: str) -> None:
    with real() as client:
        skills = client.kind("Skill", "/api/ambient/v1/skills")
        made = skills.create(Plain(name="plain", project_id=project))
        assert (made["kind"], [one["id"] for one in skills.list_all(project_id=project)]) == ("Skill", [made["id"]])
        assert skills.patch(made["id"], Plain(prompt="Look."), if_match=made["version"])["prompt"] == "Look."
        assert skills.apply(name="plain", project_id=project, prompt="Look.")[1] == "unchanged"
        skills.delete(made["id"])
