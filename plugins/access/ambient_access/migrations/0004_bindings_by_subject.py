"""Indexes that hold all that is asked of somebody's bindings, so that a thousand of them are read from a few pages."""

from alembic import op

revision = "access_0004"
down_revision = "access_0003"
branch_labels = None
depends_on = None

_SUBJECTS = ("user_id", "group_name", "service_account_id")


def upgrade() -> None:
    """Apply."""
    for subject in _SUBJECTS:
        op.create_index(f"ix_role_bindings_of_{subject}", "role_bindings", [subject, "scope", "role_id", "project_id"])
        op.drop_index(f"ix_role_bindings_{subject}", "role_bindings")


def downgrade() -> None:
    """Undo."""
    for subject in _SUBJECTS:
        op.create_index(f"ix_role_bindings_{subject}", "role_bindings", [subject])
        op.drop_index(f"ix_role_bindings_of_{subject}", "role_bindings")
