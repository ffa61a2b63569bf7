"""The role of the control plane: it reads, says what it sees, runs sessions, and takes over what the legacy platform had."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "access_0003"
down_revision = "access_0002"
branch_labels = None
depends_on = None

_PERMISSIONS = (
    *("*:read", "*:list", "*:patch_status", "session:run", "session:issue_token", "session:put_endpoint"),
    *("session:import_session", "session:import_messages", "session:hand_over", "project:create", "project:update"),
)
_ROLES = sa.table(
    "roles", sa.column("id"), sa.column("name"), sa.column("permissions", JSONB), sa.column("built_in", sa.Boolean)
)


def upgrade() -> None:
    """Apply."""
    role = {"id": "platform-control-plane", "name": "platform:control-plane", "permissions": list(_PERMISSIONS)}
    op.bulk_insert(_ROLES, [{**role, "built_in": True}])


def downgrade() -> None:
    """Undo."""
    op.execute("DELETE FROM roles WHERE id = 'platform-control-plane'")
