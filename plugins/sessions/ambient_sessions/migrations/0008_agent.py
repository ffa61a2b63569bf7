"""Sessions say whose agent's they are."""

import sqlalchemy as sa
from alembic import op

revision = "sessions_0008"
down_revision = "sessions_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("sessions", sa.Column("agent_id", sa.String(63)))
    given = sa.text("agent_id IS NOT NULL")
    op.create_index("ix_sessions_agent_id", "sessions", ["agent_id", "project_id"], postgresql_where=given)


def downgrade() -> None:
    """Undo."""
    op.drop_column("sessions", "agent_id")
