"""What was refused, and of each change by which token, from where and in which operation."""

import sqlalchemy as sa
from alembic import op

revision = "core_0005"
down_revision = "core_0004"
branch_labels = None
depends_on = None

_ORIGIN = ("token_id", "address", "operation_id")


def _stamp(name: str) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()"))


def upgrade() -> None:
    """Apply."""
    # Without a default: nothing is written anew.
    for name in _ORIGIN:
        op.add_column("changes", sa.Column(name, sa.Text))
    op.create_table(
        "refusals",
        sa.Column("id", sa.String(63), nullable=False),
        _stamp("created_at"),
        _stamp("updated_at"),
        sa.Column("version", sa.BigInteger, nullable=False, server_default=sa.text("1")),
        sa.Column("status", sa.Integer, nullable=False),
        *(sa.Column(name, sa.String(255), nullable=False) for name in ("code", "method", "route")),
        *(sa.Column(name, sa.String(255)) for name in ("object_kind", "object_id", "actor", "token_id", "address")),
        sa.Column("operation_id", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_refusals"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("refusals")
    for name in _ORIGIN:
        op.drop_column("changes", name)
