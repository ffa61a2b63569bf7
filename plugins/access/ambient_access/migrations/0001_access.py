"""Roles, their bindings, and service accounts; with the built-in roles."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "access_0001"
down_revision = None
branch_labels = ("access",)
depends_on = "projects_0001"

_CONTENT = ("project_content:create", "project_content:read", "project_content:update", "project_content:list")
_SEEING = ("project_content:read", "project_content:list", "session:logs")
_ROLES: dict[str, tuple[str, ...]] = {
    "platform:admin": ("*:*",),
    "platform:viewer": (
        *("project:read", "project:list", "session:read", "session:list", "agent:read", "agent:list"),
        *_SEEING,
    ),
    "project:owner": (
        *("project:read", "project:update", "project:delete", "agent:*", "session:*", "session_message:*"),
        *("project_document:*", "blackboard:*", "role_binding:*", "service_account:*", "token:*", "project_content:*"),
    ),
    "project:editor": (
        *("project:read", "agent:create", "agent:read", "agent:update", "agent:list", "agent:start"),
        *("session:create", "session:read", "session:update", "session:list", "session:logs", "session_message:*"),
        *("project_document:create", "project_document:read", "project_document:update", "project_document:list"),
        *("blackboard:read", "blackboard:watch", "role_binding:delete", *_CONTENT),
    ),
    "project:viewer": (
        *("project:read", "agent:read", "agent:list", "session:read", "session:list"),
        *("session_message:read", "session_message:list", "project_document:read", "project_document:list"),
        *("blackboard:read", *_SEEING),
    ),
    "agent:operator": ("agent:read", "agent:update", "agent:start", "agent:list", "session:read", "session:list"),
    "agent:observer": (
        *("agent:read", "agent:list", "session:read", "session:list", "blackboard:read", "blackboard:watch"),
    ),
    "agent:editor": ("agent:read", "agent:update"),
    "agent:runner": ("session:read", "session_message:*", "blackboard:read", "blackboard:watch"),
    "credential:owner": (
        *("credential:create", "credential:read", "credential:update", "credential:delete", "credential:list"),
        *("credential:fetch_token", "role_binding:create", "role_binding:delete"),
    ),
    "credential:viewer": ("credential:read", "credential:list"),
    "credential:token-reader": ("credential:fetch_token",),
    "gitops:admin": (
        *("application:create", "application:read", "application:update", "application:delete", "application:list"),
    ),
    "gitops:viewer": ("application:read", "application:list"),
}


def _common() -> list[sa.Column[object]]:
    return [
        sa.Column("id", sa.String(63), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.BigInteger, server_default=sa.text("1"), nullable=False),
    ]


def upgrade() -> None:
    """Apply."""
    roles = op.create_table(
        "roles",
        *_common(),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("display_name", sa.String(255)),
        sa.Column("description", sa.Text),
        sa.Column("permissions", JSONB, nullable=False),
        sa.Column("built_in", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_roles"),
        sa.UniqueConstraint("name", name="uq_roles_name"),
    )
    op.create_table(
        "service_accounts",
        *_common(),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("project_id", sa.String(63), index=True),
        sa.Column("description", sa.Text),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_service_accounts"),
        sa.UniqueConstraint("name", name="uq_service_accounts_name"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_service_accounts_project_id", ondelete="CASCADE"
        ),
    )
    _create_bindings()
    op.bulk_insert(
        roles,
        [
            {"id": name.replace(":", "-"), "name": name, "permissions": list(permissions), "built_in": True}
            for name, permissions in _ROLES.items()
        ],
    )


def _create_bindings() -> None:
    places = ("project_id", "agent_id", "session_id", "credential_id")
    op.create_table(
        "role_bindings",
        *_common(),
        sa.Column("role_id", sa.String(63), nullable=False, index=True),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("user_id", sa.String(255), index=True),
        sa.Column("group_name", sa.String(255), index=True),
        sa.Column("service_account_id", sa.String(63), index=True),
        *(sa.Column(name, sa.String(63), index=True) for name in places),
        sa.Column("note", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_role_bindings"),
        sa.ForeignKeyConstraint(["role_id"], ["roles.id"], name="fk_role_bindings_role_id", ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["service_account_id"],
            ["service_accounts.id"],
            name="fk_role_bindings_service_account_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name="fk_role_bindings_project_id",
            ondelete="CASCADE",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.UniqueConstraint(
            *("role_id", "scope", "user_id", "group_name", "service_account_id", *places),
            name="uq_role_bindings_grant",
            postgresql_nulls_not_distinct=True,
        ),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("role_bindings")
    op.drop_table("service_accounts")
    op.drop_table("roles")
