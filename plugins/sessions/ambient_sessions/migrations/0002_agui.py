"""The log of AG-UI events, runs, and where runners answer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON

revision = "sessions_0002"
down_revision = "sessions_0001"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def _session(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=f"fk_{table}_session_id", ondelete="CASCADE")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "agui_threads",
        sa.Column("session_id", sa.String(63), nullable=False),
        sa.Column("last_seq", sa.BigInteger, server_default=sa.text("0"), nullable=False),
        sa.Column("active_run", sa.String(255)),
        sa.Column("owner", sa.String(63)),
        sa.Column("lease_until", _TIME),
        sa.Column("interrupted_at", _TIME),
        sa.PrimaryKeyConstraint("session_id", name="pk_agui_threads"),
        _session("agui_threads"),
    )
    op.create_table(
        "agui_runs",
        sa.Column("session_id", sa.String(63), nullable=False),
        sa.Column("run_id", sa.String(255), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("messages", JSON, nullable=False),
        sa.Column("first_seq", sa.BigInteger, nullable=False),
        sa.Column("last_seq", sa.BigInteger),
        sa.Column("started_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", _TIME),
        sa.PrimaryKeyConstraint("session_id", "run_id", name="pk_agui_runs"),
        _session("agui_runs"),
    )
    op.create_table(
        "agui_frames",
        sa.Column("session_id", sa.String(63), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("run_id", sa.String(255), nullable=False),
        sa.Column("type", sa.String(63), nullable=False),
        sa.Column("at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("session_id", "seq", name="pk_agui_frames"),
        _session("agui_frames"),
    )
    op.create_index("ix_agui_frames_session_id_run_id_seq", "agui_frames", ["session_id", "run_id", "seq"])
    op.create_table(
        "session_endpoints",
        sa.Column("session_id", sa.String(63), nullable=False),
        sa.Column("starts", sa.Integer, nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("port", sa.Integer, nullable=False),
        sa.Column("token", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name="pk_session_endpoints"),
        _session("session_endpoints"),
    )


def downgrade() -> None:
    """Undo."""
    for table in ("session_endpoints", "agui_frames", "agui_runs", "agui_threads"):
        op.drop_table(table)
