"""Sessions, their messages and their tokens."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "sessions_0001"
down_revision = None
branch_labels = ("sessions",)
depends_on = ("projects_0001",)

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(63), nullable=False),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.BigInteger, server_default=sa.text("1"), nullable=False),
        sa.Column("project_id", sa.String(63), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("prompt", sa.Text),
        sa.Column("repo_url", sa.String(2048)),
        sa.Column("repos", JSONB),
        sa.Column("llm_model", sa.String(255), nullable=False),
        sa.Column("llm_temperature", sa.Float, nullable=False),
        sa.Column("llm_max_tokens", sa.Integer, nullable=False),
        sa.Column("timeout", sa.Integer),
        sa.Column("inactivity_timeout", sa.Integer),
        sa.Column("stop_on_run_finished", sa.Boolean, nullable=False),
        sa.Column("parent_session_id", sa.String(63)),
        *[
            sa.Column(name, JSONB)
            for name in ("environment_variables", "resource_overrides", "labels", "annotations", "skills")
        ],
        sa.Column("created_by", sa.String(255), nullable=False),
        sa.Column("phase", sa.String(16)),
        sa.Column("conditions", JSONB),
        sa.Column("starts", sa.Integer, nullable=False),
        sa.Column("start_time", _TIME),
        sa.Column("completion_time", _TIME),
        sa.Column("observed_version", sa.Integer),
        *[sa.Column(name, sa.String(63)) for name in ("kube_cr_name", "kube_cr_uid", "kube_namespace")],
        sa.Column("reconciled_repos", JSONB),
        sa.Column("pending_message_id", sa.String(63)),
        sa.Column("run_id", sa.String(255)),
        sa.Column("run_state", sa.String(16)),
        sa.Column("run_changed_at", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_sessions_project_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["parent_session_id"], ["sessions.id"], name="fk_sessions_parent_session_id", ondelete="SET NULL"
        ),
    )
    op.create_index("ix_sessions_project_id", "sessions", ["project_id"])
    op.create_index("ix_sessions_parent_session_id", "sessions", ["parent_session_id"])
    op.create_table(
        "session_messages",
        sa.Column("id", sa.String(63), nullable=False),
        sa.Column("session_id", sa.String(63), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("event_type", sa.String(255), nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_session_messages"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name="fk_session_messages_session_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("session_id", "seq", name="uq_session_messages_session_id_seq"),
    )
    op.create_table(
        "session_tokens",
        sa.Column("session_id", sa.String(63), nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("issued_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name="pk_session_tokens"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name="fk_session_tokens_session_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("digest", name="uq_session_tokens_digest"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("session_tokens")
    op.drop_table("session_messages")
    op.drop_table("sessions")
