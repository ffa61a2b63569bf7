"""The change log's order holds for each object, and what is kept of the log is known."""

import sqlalchemy as sa
from alembic import op

from ambient_core.changes import TransactionId

revision = "core_0003"
down_revision = "core_0002"
branch_labels = None
depends_on = None

# Own transaction or the latest that is over, whichever is later; a function that may change takes a fresh snapshot, so that
# it sees the end of the transaction whose row lock the writing statement waited for. See docs/decisions/0010.
_POSITION = """
CREATE FUNCTION change_position() RETURNS xid8 LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN greatest(
        pg_current_xact_id(), (pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1)::text::xid8);
END $$
"""


def upgrade() -> None:
    """Apply."""
    op.execute(_POSITION)
    op.alter_column("changes", "xid", server_default=sa.text("change_position()"))
    op.create_index("ix_changes_kind_object_id_seq", "changes", ["kind", "object_id", "seq"])
    op.drop_index("ix_changes_kind_object_id", "changes")
    op.create_table(
        "change_horizon",
        sa.Column("id", sa.SmallInteger, server_default=sa.text("1"), nullable=False, autoincrement=False),
        sa.Column("log", sa.Text, server_default=sa.text("substr(gen_random_uuid()::text, 1, 8)"), nullable=False),
        sa.Column("xid", TransactionId, server_default=sa.text("'0'"), nullable=False),
        sa.Column("seq", sa.BigInteger, server_default=sa.text("0"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_change_horizon"),
        sa.CheckConstraint("id = 1", name="ck_change_horizon_one_row"),
    )
    op.execute("INSERT INTO change_horizon DEFAULT VALUES")


def downgrade() -> None:
    """Undo."""
    op.drop_table("change_horizon")
    op.create_index("ix_changes_kind_object_id", "changes", ["kind", "object_id"])
    op.drop_index("ix_changes_kind_object_id_seq", "changes")
    op.alter_column("changes", "xid", server_default=sa.text("pg_current_xact_id()"))
    op.execute("DROP FUNCTION change_position()")
