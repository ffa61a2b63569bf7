"""Who leads the control plane, what it has to do, and what it knows of each object."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "core_0004"
down_revision = "core_0003"
branch_labels = None
depends_on = None

_NOW = sa.text("now()")


def _time(name: str, *, needed: bool = True) -> "sa.Column[object]":
    default = _NOW if needed else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not needed, server_default=default)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "controlplane_leaders",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        _time("since"),
        sa.PrimaryKeyConstraint("name", name="pk_controlplane_leaders"),
    )
    op.create_table(
        "controlplane_figures",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        _time("at"),
        sa.Column("figures", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_controlplane_figures"),
    )
    op.create_table(
        "controlplane_requests",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("object_id", sa.Text, nullable=False),
        _time("at"),
        sa.PrimaryKeyConstraint("kind", "object_id", name="pk_controlplane_requests"),
    )
    op.create_table(
        "reconcile_states",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("object_id", sa.Text, nullable=False),
        sa.Column("waiting_for", sa.Text),
        _time("since"),
        sa.Column("attempts", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("last_error", sa.Text),
        _time("next_at", needed=False),
        sa.Column("seen", JSONB),
        _time("at"),
        sa.PrimaryKeyConstraint("kind", "object_id", name="pk_reconcile_states"),
    )


def downgrade() -> None:
    """Undo."""
    for table in ("reconcile_states", "controlplane_requests", "controlplane_figures", "controlplane_leaders"):
        op.drop_table(table)
