"""Where a session was read from, and whether it is still owned there."""

import sqlalchemy as sa
from alembic import op

revision = "sessions_0004"
down_revision = "sessions_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("sessions", sa.Column("imported_from", sa.String(400)))
    op.add_column("sessions", sa.Column("mirrored", sa.Boolean, server_default=sa.text("false"), nullable=False))
    op.create_index("ix_sessions_imported_from", "sessions", ["imported_from"], unique=True)


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_sessions_imported_from", "sessions")
    op.drop_column("sessions", "mirrored")
    op.drop_column("sessions", "imported_from")
