"""Who a user is at an identity provider, and whether the user is kept out."""

import sqlalchemy as sa
from alembic import op

revision = "users_0002"
down_revision = "users_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("users", sa.Column("issuer", sa.String(512)))
    op.add_column("users", sa.Column("subject", sa.String(255)))
    op.add_column("users", sa.Column("disabled", sa.Boolean, server_default=sa.text("false"), nullable=False))
    op.create_unique_constraint("uq_users_issuer_subject", "users", ["issuer", "subject"])


def downgrade() -> None:
    """Undo."""
    op.drop_constraint("uq_users_issuer_subject", "users")
    for name in ("disabled", "subject", "issuer"):
        op.drop_column("users", name)
