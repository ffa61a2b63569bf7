"""The skills of a session: ``.claude/skills/<name>/SKILL.md``, a front matter with name and description, then the text."""

from dataclasses import dataclass

import yaml

from ambient_runner.workspace import Workspace, WorkspaceError

FOLDER = ".claude/skills"


@dataclass(frozen=True, slots=True)
class Skill:
    """One skill as its file says."""

    name: str
    description: str
    path: str


def skills_of(workspace: Workspace) -> list[Skill]:
    """The skills that lie in a workspace, by name; files that cannot be read are left out."""
    try:
        paths = workspace.files(FOLDER)
    except WorkspaceError:
        return []
    return [skill for path in paths if path.endswith("/SKILL.md") and (skill := _read(workspace, path)) is not None]


def _read(workspace: Workspace, path: str) -> Skill | None:
    try:
        text = workspace.read(path)
        front = yaml.safe_load(text.split("---", 2)[1]) if text.startswith("---") else {}
    except (WorkspaceError, yaml.YAMLError, IndexError):
        return None
    front = front if isinstance(front, dict) else {}
    return Skill(str(front.get("name") or path.split("/")[-2]), str(front.get("description") or ""), path)
