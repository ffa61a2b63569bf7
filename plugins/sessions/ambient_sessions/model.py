"""The kind: a session of an agent."""

from datetime import datetime
from typing import Any

import marshmallow as ma
from sqlalchemy import Boolean, DateTime, Float, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from ambient_core import Access, Resource, field
from ambient_core.schemas.fields import Text as TextField
from ambient_core.schemas.fields import broken
from ambient_core.schemas.validators import git_url_fault
from ambient_sessions.lifecycle import ACTIVE, Phase


def _check_url(value: str) -> None:
    if reason := git_url_fault(value, local=True):
        raise broken("format", reason)


def _check_branch(value: str) -> None:
    odd = any(c.isspace() or not c.isprintable() or c in "~^:?*[\\" for c in value)
    if not value or value.startswith("-") or ".." in value or odd or len(value) > 255:
        raise broken("format", "must be the name of a branch, as git takes it.")


def _check_name(value: str) -> None:
    if not value or value.startswith(("-", ".")) or "/" in value or not value.isprintable() or len(value) > 100:
        raise broken(
            "format",
            "must be a folder name of at most 100 characters, without slashes, and without a dot or dash at its start.",
        )


class RepositorySchema(ma.Schema):
    """A repository that is cloned into the workspace."""

    url = TextField(
        required=True,
        validate=_check_url,
        metadata={"format": "git-url", "example": "https://example.com/site.git", "maxLength": 2048},
    )
    branch = TextField(
        validate=_check_branch, metadata={"description": "The default branch when absent.", "example": "main"}
    )
    name = TextField(validate=_check_name, metadata={"description": "Its folder; from the address when absent."})


class ConditionSchema(ma.Schema):
    """One fact about a session, with its reason."""

    type = TextField(required=True)
    status = TextField(required=True, metadata={"description": "True, False or Unknown."})
    reason = TextField()
    message = TextField()
    last_transition_time = TextField(metadata={"format": "date-time"})


class ReconciledRepositorySchema(ma.Schema):
    """A repository as it was cloned."""

    url = TextField(required=True)
    branch = TextField()
    name = TextField()
    status = TextField(metadata={"description": "Cloning, Ready or Failed."})


ACTIVE_PHASES = ", ".join(f"'{phase}'" for phase in Phase if phase in ACTIVE)
"""In SQL: the phases of a session that runs; the index's own words, so that it is used."""


class Session(Resource):
    """A session of an agent: what it shall do, on which repositories, and where it stands."""

    __tablename__ = "sessions"
    __table_args__ = (
        Index("ix_sessions_imported_from", "imported_from", unique=True),
        Index("ix_sessions_agent_id", "agent_id", "project_id", postgresql_where=text("agent_id IS NOT NULL")),
        Index("ix_sessions_active", "project_id", postgresql_where=text(f"phase IN ({ACTIVE_PHASES})")),
    )

    project_id: Mapped[str] = field(
        String(63),
        ForeignKey("projects.id", ondelete="CASCADE"),
        access=Access.CREATE,
        index=True,
        doc="Where it lives.",
        example="website",
    )
    agent_id: Mapped[str | None] = field(
        String(63),
        access=Access.CREATE,
        pattern=r"[a-zA-Z0-9_-]+",
        doc="The agent of the project whose session it is; fixed. Who has a role at that agent has it here.",
        example="reviewer",
    )
    name: Mapped[str] = field(String(255), min_length=1, doc="For people to read.", example="Tidy the readme")
    prompt: Mapped[str | None] = field(Text, doc="First message to the agent.", example="Look around and report.")
    repo_url: Mapped[str | None] = field(
        String(2048), format="git-url", doc="A repository to clone.", example="https://example.com/site.git"
    )
    repos: Mapped[list[Any] | None] = field(
        JSONB, format="array", schema=RepositorySchema, doc="Repositories to clone."
    )
    llm_model: Mapped[str] = field(
        String(255), min_length=1, default="claude-sonnet-4-6", doc="Model that the agent uses."
    )
    llm_temperature: Mapped[float] = field(Float, min=0, max=2, default=0.7, doc="Sampling temperature.")
    llm_max_tokens: Mapped[int] = field(Integer, min=1, default=4000, doc="Tokens of one answer at most.")
    timeout: Mapped[int | None] = field(
        Integer, min=0, doc="Seconds that the session may run; 0 for no limit.", example=3600
    )
    inactivity_timeout: Mapped[int | None] = field(
        Integer, min=0, doc="Seconds without a run after which it is stopped; 0 for no limit."
    )
    stop_on_run_finished: Mapped[bool] = field(
        Boolean, default=False, doc="Complete the session when a run has finished."
    )
    parent_session_id: Mapped[str | None] = field(
        String(63),
        ForeignKey("sessions.id", ondelete="SET NULL"),
        index=True,
        doc="The session that this one continues.",
    )
    environment_variables: Mapped[dict[str, Any] | None] = field(
        JSONB, format="string-map", doc="Variables that the runner gets."
    )
    resource_overrides: Mapped[dict[str, Any] | None] = field(
        JSONB, format="object", doc="Requests and limits of the runner."
    )
    labels: Mapped[dict[str, Any] | None] = field(
        JSONB, format="string-map", doc="For selecting.", example={"team": "web"}
    )
    annotations: Mapped[dict[str, Any] | None] = field(JSONB, format="string-map", doc="For tools.")
    skills: Mapped[list[Any] | None] = field(
        JSONB, format="string-list", doc="Names of skills; all of the project's when absent."
    )
    created_by: Mapped[str] = field(String(255), access=Access.READ, doc="Who made it.")
    phase: Mapped[str | None] = field(
        String(16),
        access=Access.READ,
        enum=[phase.value for phase in Phase],
        doc="Where it stands; absent before the first start.",
    )
    phase_changed_at: Mapped[datetime | None] = field(
        DateTime(timezone=True), access=Access.READ, doc="Since when it stands there."
    )
    conditions: Mapped[list[Any] | None] = field(
        JSONB, format="array", schema=ConditionSchema, access=Access.READ, doc="Why it stands there."
    )
    starts: Mapped[int] = field(Integer, access=Access.READ, default=0, doc="How often it was started.")
    start_time: Mapped[datetime | None] = field(
        DateTime(timezone=True), access=Access.READ, doc="When the runner began to answer."
    )
    completion_time: Mapped[datetime | None] = field(DateTime(timezone=True), access=Access.READ, doc="When it ended.")
    observed_version: Mapped[int | None] = field(
        Integer, access=Access.READ, doc="Version that the control plane acted on last."
    )
    kube_cr_name: Mapped[str | None] = field(String(63), access=Access.READ, doc="Name of its custom resource.")
    kube_cr_uid: Mapped[str | None] = field(String(63), access=Access.READ, doc="Uid of its custom resource.")
    kube_namespace: Mapped[str | None] = field(String(63), access=Access.READ, doc="Namespace of its custom resource.")
    reconciled_repos: Mapped[list[Any] | None] = field(
        JSONB, format="array", schema=ReconciledRepositorySchema, access=Access.READ, doc="Repositories as cloned."
    )
    sdk_session_id: Mapped[str | None] = field(
        String(255), access=Access.READ, doc="What the runner's own kit calls the conversation; its runner writes it."
    )
    sdk_restart_count: Mapped[int | None] = field(
        Integer, access=Access.READ, doc="How often the runner's own kit was started anew; its runner writes it."
    )
    pending_message_id: Mapped[str | None] = field(
        String(63), access=Access.READ, doc="Newest message of a person that no run has taken."
    )
    run_id: Mapped[str | None] = field(String(255), access=Access.READ, doc="The newest run.")
    run_state: Mapped[str | None] = field(String(16), access=Access.READ, doc="active, finished, error or cancelled.")
    run_changed_at: Mapped[datetime | None] = field(
        DateTime(timezone=True), access=Access.READ, doc="When the run began or ended."
    )
    imported_from: Mapped[str | None] = field(
        String(400), access=Access.READ, doc="Object of the legacy platform that it was read from: namespace/name/uid."
    )
    mirrored: Mapped[bool] = field(
        Boolean,
        access=Access.READ,
        default=False,
        doc="Whether the legacy platform owns it still, and it is only read here.",
    )
