"""The key that page tokens are signed with, made here so that nobody has to; and an index for forgetting old keys."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "core_0002"
down_revision = "core_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    keys = op.create_table(
        "signing_keys",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_signing_keys"),
    )
    assert keys is not None
    op.bulk_insert(keys, [{"name": "page_token", "key": secrets.token_bytes(32)}])
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_idempotency_keys_created_at", "idempotency_keys")
    op.drop_table("signing_keys")
