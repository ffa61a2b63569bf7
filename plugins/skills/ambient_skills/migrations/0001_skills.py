"""The table of skills."""

import sqlalchemy as sa
from alembic import op

revision = "skills_0001"
down_revision = None
branch_labels = ("skills",)
depends_on = ("projects_0001",)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "skills",
        sa.Column("id", sa.String(63), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.BigInteger, server_default=sa.text("1"), nullable=False),
        sa.Column("project_id", sa.String(63), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("description", sa.String(255)),
        sa.Column("prompt", sa.Text),
        sa.Column("repo_url", sa.String(2048)),
        sa.PrimaryKeyConstraint("id", name="pk_skills"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_skills_project_id", ondelete="CASCADE"),
        sa.UniqueConstraint("project_id", "name", name="uq_skills_project_id_name"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("skills")
