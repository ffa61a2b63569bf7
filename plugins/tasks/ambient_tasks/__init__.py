"""Tasks: sessions that are described once and run often."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from ambient_core import Access, Kind, Resource, field, hookimpl
from ambient_tasks.runs import run, sessions


class Task(Resource):
    """A session that is described once and run often."""

    __tablename__ = "tasks"

    project_id: Mapped[str] = field(
        String(63),
        ForeignKey("projects.id", ondelete="CASCADE"),
        access=Access.CREATE,
        index=True,
        doc="Where it lives.",
        example="website",
    )
    name: Mapped[str] = field(String(255), min_length=1, doc="Unique in its project.", example="weekly-report")
    description: Mapped[str | None] = field(String(255), doc="What it is for.", example="A report every Monday.")
    prompt: Mapped[str | None] = field(Text, doc="What the agent is asked.", example="Report what changed this week.")
    repo_url: Mapped[str | None] = field(
        String(2048), format="git-url", doc="A repository to clone.", example="https://example.com/site.git"
    )
    branch: Mapped[str | None] = field(
        String(255), pattern=r"[^-\s~^:?*\[\\][^\s~^:?*\[\\]*", doc="Its branch.", example="main"
    )
    skills: Mapped[list[Any] | None] = field(
        JSONB, format="string-list", doc="Names of skills; all of the project's when absent."
    )
    llm_model: Mapped[str | None] = field(
        String(255), min_length=1, doc="Model that the agent uses.", example="claude-sonnet-4-6"
    )


@hookimpl
def ambient_kinds() -> Iterator[Kind]:
    """The kind of this plugin."""
    yield Kind(Task, unique=[("project_id", "name")], actions=(run, sessions))
