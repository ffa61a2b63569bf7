"""Skills: named instructions that sessions of a project can load."""

from collections.abc import Iterator

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped

from ambient_core import DNS_LABEL, Access, Kind, Resource, field, hookimpl
from ambient_skills.inputs import ambient_session_inputs


class Skill(Resource):
    """A named instruction set, kept in a project."""

    __tablename__ = "skills"

    project_id: Mapped[str] = field(
        String(63),
        ForeignKey("projects.id", ondelete="CASCADE"),
        access=Access.CREATE,
        doc="Where it lives; fixed once made.",
        example="website",
    )
    name: Mapped[str] = field(String(63), pattern=DNS_LABEL, doc="Unique in its project.", example="triage")
    description: Mapped[str | None] = field(
        String(255), doc="When an agent should reach for it.", example="Sort new issues."
    )
    prompt: Mapped[str | None] = field(Text, doc="What the agent reads.", example="Read the issue, then label it.")
    repo_url: Mapped[str | None] = field(
        String(2048),
        format="git-url",
        doc="Where the skill's files live, if not in the prompt.",
        example="https://example.com/skills.git",
    )


@hookimpl
def ambient_kinds() -> Iterator[Kind]:
    """The kind of this plugin."""
    yield Kind(Skill, unique=[("project_id", "name")])


__all__ = ["Skill", "ambient_kinds", "ambient_session_inputs"]
