"""Since when a session is in its phase; for those that are there, since their last change."""

import sqlalchemy as sa
from alembic import op

revision = "sessions_0003"
down_revision = "sessions_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("sessions", sa.Column("phase_changed_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE sessions SET phase_changed_at = updated_at WHERE phase IS NOT NULL")


def downgrade() -> None:
    """Undo."""
    op.drop_column("sessions", "phase_changed_at")
