"""Projects: what everything else lives in."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from ambient_core import Access, Kind, Resource, field, hookimpl


class Project(Resource):
    """A project: what sessions, skills and tasks live in. Its id is its name."""

    __tablename__ = "projects"

    name: Mapped[str] = field(
        String(63),
        access=Access.CREATE,
        min_length=2,
        pattern=r"[a-z][a-z0-9-]*[a-z0-9]",
        doc="Lower-case letters, digits and dashes, a letter first; fixed, because it is the id.",
        example="website",
    )
    display_name: Mapped[str | None] = field(String(255), doc="For people to read.", example="Our website")
    description: Mapped[str | None] = field(Text, doc="What the project is about.", example="The public pages.")
    prompt: Mapped[str | None] = field(Text, doc="What every agent of this project is told first.", example="Be brief.")
    labels: Mapped[dict[str, Any] | None] = field(
        JSONB, format="string-map", doc="For selecting.", example={"team": "web"}
    )
    annotations: Mapped[dict[str, Any] | None] = field(
        JSONB, format="string-map", doc="For tools.", example={"owner": "ada"}
    )
    status: Mapped[str | None] = field(String(63), access=Access.READ, doc="What the platform says about the project.")


@hookimpl
def ambient_kinds() -> Iterator[Kind]:
    """The kind of this plugin."""
    yield Kind(Project, id_from="name", project_field="id")
