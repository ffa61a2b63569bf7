"""Editors run tasks, as they started agents on the legacy platform; reading logs is `session:read`, and no permission beside it."""

from alembic import op

revision = "access_0005"
down_revision = "access_0004"
branch_labels = None
depends_on = None

_READERS = "('platform-viewer', 'project-editor', 'project-viewer')"
_WRITTEN = "updated_at = now(), version = version + 1"


def upgrade() -> None:
    """Apply."""
    op.execute(f"UPDATE roles SET permissions = permissions - 'session:logs', {_WRITTEN} WHERE id IN {_READERS}")
    _add("project_content:run", "('project-editor')")


def downgrade() -> None:
    """Undo."""
    op.execute(
        f"UPDATE roles SET permissions = permissions - 'project_content:run', {_WRITTEN} WHERE id = 'project-editor'"
    )
    _add("session:logs", _READERS)


def _add(permission: str, roles: str) -> None:
    op.execute(
        f"UPDATE roles SET permissions = permissions || '[\"{permission}\"]'::jsonb, {_WRITTEN} WHERE id IN {roles}"
    )
