"""Sessions that run are counted by project."""

import sqlalchemy as sa
from alembic import op

revision = "sessions_0007"
down_revision = "sessions_0006"
branch_labels = None
depends_on = None

_ACTIVE = sa.text("phase IN ('Pending', 'Creating', 'Running', 'Stopping')")


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_sessions_active", "sessions", ["project_id"], postgresql_where=_ACTIVE)


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_sessions_active", "sessions")
