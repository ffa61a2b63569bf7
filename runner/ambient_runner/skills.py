"""The skills of a session: ``.claude/skills/<name>/SKILL.md``, a front matter with name and description, then the text."""

import re
from dataclasses import dataclass

import yaml

from ambient_runner.workspace import Workspace, WorkspaceError

FOLDER = ".claude/skills"
# Only a line of its own ends it: a description may hold dashes.
_FRONT = re.compile(r"---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)


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
        found = _FRONT.match(text)
        front = yaml.safe_load(found[1]) if found else {}
    except (WorkspaceError, yaml.YAMLError):
        return None
    front = front if isinstance(front, dict) else {}
    return Skill(str(front.get("name") or path.split("/")[-2]), str(front.get("description") or ""), path)
