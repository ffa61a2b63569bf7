"""What says who may do what: roles, bindings of them to somebody somewhere, and accounts of machines."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, DateTime, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from ambient_access.permissions import PATTERN
from ambient_core import DNS_LABEL, Access, Resource, field

SCOPES = ("global", "project", "agent", "session", "credential")
SUBJECTS = ("user_id", "group_name", "service_account_id")


class Role(Resource):
    """A named set of permissions. Built-in roles are there from the start and cannot be changed."""

    __tablename__ = "roles"

    name: Mapped[str] = field(
        String(63),
        access=Access.CREATE,
        pattern=r"[a-z][a-z0-9-]*(:[a-z][a-z0-9-]*)?",
        unique=True,
        doc="Unique; fixed, because people know the role by it.",
        example="skill:author",
    )
    display_name: Mapped[str | None] = field(String(255), doc="For people to read.", example="Author of skills")
    description: Mapped[str | None] = field(
        Text, doc="What the role is for.", example="Writes the skills of a project."
    )
    permissions: Mapped[list[Any]] = field(
        JSONB,
        format="string-list",
        default=[],
        doc=f"What it allows: `resource:verb`, either side may be `*` ({PATTERN}).",
        example=["skill:read", "skill:create", "skill:update"],
    )
    built_in: Mapped[bool] = field(
        Boolean, access=Access.READ, default=False, doc="Whether it came with the platform and cannot be changed."
    )


class RoleBinding(Resource):
    """Gives a role to a person, a group or a service account, everywhere or in one place.

    With scope `credential` and nobody named it lends the credential to sessions: of a project, of an agent, or to all.
    """

    __tablename__ = "role_bindings"
    __table_args__ = (
        UniqueConstraint(
            "role_id",
            "scope",
            *SUBJECTS,
            "project_id",
            "agent_id",
            "session_id",
            "credential_id",
            name="uq_role_bindings_grant",
            postgresql_nulls_not_distinct=True,
        ),
        # Of somebody with a thousand projects, a list asks all of this: the index alone answers it, for one project or for all.
        *(
            Index(f"ix_role_bindings_of_{subject}", subject, "scope", "project_id", postgresql_include=["role_id"])
            for subject in SUBJECTS
        ),
        # However many people have a role in a project, and however many groups a caller is of.
        Index(
            "ix_role_bindings_groups_of_project",
            "project_id",
            postgresql_include=["scope", "role_id", "group_name"],
            postgresql_where=text("group_name IS NOT NULL"),
        ),
    )

    role_id: Mapped[str] = field(
        String(63), ForeignKey("roles.id", ondelete="RESTRICT"), index=True, doc="Which role.", example="project-viewer"
    )
    scope: Mapped[str] = field(
        String(16),
        access=Access.CREATE,
        enum=list(SCOPES),
        doc="Where it holds; all but `global` need the id of the place.",
        example="project",
    )
    user_id: Mapped[str | None] = field(
        String(255), access=Access.CREATE, doc="The person who has it: the id of a user.", example="ada"
    )
    group_name: Mapped[str | None] = field(
        String(255), access=Access.CREATE, doc="The group of the identity provider whose members have it."
    )
    service_account_id: Mapped[str | None] = field(
        String(63),
        ForeignKey("service_accounts.id", ondelete="CASCADE"),
        access=Access.CREATE,
        doc="The service account that has it.",
    )
    # Checked at the commit: a project's first owner is written with the project, and before it.
    project_id: Mapped[str | None] = field(
        String(63),
        ForeignKey("projects.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED"),
        access=Access.CREATE,
        index=True,
        doc="The project it holds in; of a session or agent, the project that this lives in.",
        example="website",
    )
    agent_id: Mapped[str | None] = field(
        String(63),
        access=Access.CREATE,
        pattern=r"[a-zA-Z0-9_-]+",
        index=True,
        doc="The agent it holds for, of the project that is named with it; of a session, the agent that this is of.",
    )
    session_id: Mapped[str | None] = field(
        String(63), access=Access.CREATE, index=True, doc="The session it holds for."
    )
    credential_id: Mapped[str | None] = field(
        String(63), access=Access.CREATE, index=True, doc="The credential it holds for."
    )
    note: Mapped[str | None] = field(Text, doc="Why it was given.", example="Reviews the pages.")


class ServiceAccount(Resource):
    """A machine that uses the platform under its own name, by API tokens."""

    __tablename__ = "service_accounts"

    name: Mapped[str] = field(
        String(63), access=Access.CREATE, pattern=DNS_LABEL, unique=True, doc="Unique; fixed.", example="ci"
    )
    project_id: Mapped[str | None] = field(
        String(63),
        ForeignKey("projects.id", ondelete="CASCADE"),
        access=Access.CREATE,
        index=True,
        doc="The project whose owners keep it; of the whole platform when absent.",
        example="website",
    )
    description: Mapped[str | None] = field(Text, doc="What it does.", example="Runs the tests.")
    disabled: Mapped[bool] = field(Boolean, default=False, doc="Whether its tokens are refused.", example=False)


class Token(Resource):
    """A token by which a person or a service account uses the API: narrowed, and with an end. Its secret is made apart."""

    __tablename__ = "tokens"

    name: Mapped[str] = field(String(255), min_length=1, doc="What it is for.", example="nightly build")
    permissions: Mapped[list[Any] | None] = field(
        JSONB,
        format="string-list",
        access=Access.CREATE,
        doc="What it is narrowed to, of what its owner may at the time of use; all of it when absent.",
        example=["skill:read", "session:read"],
    )
    lifetime_days: Mapped[int] = field(
        Integer, access=Access.CREATE, min=1, max=36500, doc="How long it lives.", example=30
    )
    expires_at: Mapped[datetime] = field(DateTime(timezone=True), access=Access.READ, doc="When it ends.")
    user_id: Mapped[str | None] = field(String(255), access=Access.READ, index=True, doc="The person who owns it.")
    service_account_id: Mapped[str | None] = field(
        String(63),
        ForeignKey("service_accounts.id", ondelete="CASCADE"),
        access=Access.CREATE,
        index=True,
        doc="The service account that owns it; who makes it owns it when absent.",
    )
    project_id: Mapped[str | None] = field(
        String(63),
        ForeignKey("projects.id", ondelete="CASCADE"),
        access=Access.READ,
        index=True,
        doc="The project of the service account.",
    )
    last_used_at: Mapped[datetime | None] = field(
        DateTime(timezone=True), access=Access.READ, doc="When it was used last, to the minute."
    )
