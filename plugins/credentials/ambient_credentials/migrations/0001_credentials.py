"""The table of credentials; their tokens are sealed text."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "credentials_0001"
down_revision = None
branch_labels = ("credentials",)
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "credentials",
        sa.Column("id", sa.String(63), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.BigInteger, server_default=sa.text("1"), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("token", sa.Text),
        sa.Column("url", sa.String(2048)),
        sa.Column("email", sa.String(255)),
        sa.Column("labels", JSONB),
        sa.Column("annotations", JSONB),
        sa.PrimaryKeyConstraint("id", name="pk_credentials"),
        sa.UniqueConstraint("name", name="uq_credentials_name"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("credentials")
