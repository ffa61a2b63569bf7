"""API tokens, and the hashes of their secrets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "access_0002"
down_revision = "access_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(63), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.BigInteger, server_default=sa.text("1"), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("permissions", JSONB),
        sa.Column("lifetime_days", sa.Integer, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.String(255), index=True),
        sa.Column("service_account_id", sa.String(63), index=True),
        sa.Column("project_id", sa.String(63), index=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.ForeignKeyConstraint(
            ["service_account_id"],
            ["service_accounts.id"],
            name="fk_tokens_service_account_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_tokens_project_id", ondelete="CASCADE"),
    )
    op.create_table(
        "token_secrets",
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("token_id", sa.String(63), nullable=False, index=True),
        sa.Column("valid_until", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("digest", name="pk_token_secrets"),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name="fk_token_secrets_token_id", ondelete="CASCADE"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("token_secrets")
    op.drop_table("tokens")
