"""What a session gets of its project's skills: one file each."""

from collections.abc import Iterator
from typing import Any

import yaml
from ambient_sdk import AmbientClient

from ambient_core import hookimpl


def skill_file(name: str, description: str, prompt: str) -> tuple[str, str]:
    """The file of one skill, as (path, content): front matter with name and description, then what the agent reads."""
    front = yaml.safe_dump({"name": name, "description": description}, sort_keys=False, allow_unicode=True)
    return f".claude/skills/{name}/SKILL.md", f"---\n{front}---\n\n{prompt}\n"


# Optional, because the sessions plugin publishes this hook and may not be there.
@hookimpl(optionalhook=True)
def ambient_session_inputs(session: dict[str, Any], client: AmbientClient) -> Iterator[tuple[str, str]]:
    """The skills that a session asks for; all of its project's when it does not say."""
    wanted = session.get("skills")
    for skill in client.skills.list_all(project_id=session["project_id"]):
        if wanted is None or skill.name in wanted:
            yield skill_file(skill.name, skill.description or "", skill.prompt or "")
