"""The table of projects."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "projects_0001"
down_revision = None
branch_labels = ("projects",)
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "projects",
        sa.Column("id", sa.String(63), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.BigInteger, server_default=sa.text("1"), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("display_name", sa.String(255)),
        sa.Column("description", sa.Text),
        sa.Column("prompt", sa.Text),
        sa.Column("labels", JSONB),
        sa.Column("annotations", JSONB),
        sa.Column("status", sa.String(63)),
        sa.PrimaryKeyConstraint("id", name="pk_projects"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("projects")
