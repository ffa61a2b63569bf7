"""What a session's runner says of itself."""

import sqlalchemy as sa
from alembic import op

revision = "sessions_0006"
down_revision = "sessions_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("sessions", sa.Column("sdk_session_id", sa.String(255)))
    op.add_column("sessions", sa.Column("sdk_restart_count", sa.Integer))


def downgrade() -> None:
    """Undo."""
    op.drop_column("sessions", "sdk_restart_count")
    op.drop_column("sessions", "sdk_session_id")
