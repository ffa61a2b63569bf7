"""Tasks, and the sessions made from them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "tasks_0001"
down_revision = None
branch_labels = ("tasks",)
depends_on = ("projects_0001", "sessions_0001")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "tasks",
        sa.Column("id", sa.String(63), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.BigInteger, server_default=sa.text("1"), nullable=False),
        sa.Column("project_id", sa.String(63), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.String(255)),
        sa.Column("prompt", sa.Text),
        sa.Column("repo_url", sa.String(2048)),
        sa.Column("branch", sa.String(255)),
        sa.Column("skills", JSONB),
        sa.Column("llm_model", sa.String(255)),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_tasks_project_id", ondelete="CASCADE"),
        sa.UniqueConstraint("project_id", "name", name="uq_tasks_project_id_name"),
    )
    op.create_index("ix_tasks_project_id", "tasks", ["project_id"])
    op.create_table(
        "task_sessions",
        sa.Column("session_id", sa.String(63), nullable=False),
        sa.Column("task_id", sa.String(63), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name="pk_task_sessions"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name="fk_task_sessions_session_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="fk_task_sessions_task_id", ondelete="CASCADE"),
    )
    op.create_index("ix_task_sessions_task_id", "task_sessions", ["task_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("task_sessions")
    op.drop_table("tasks")
