"""Several tokens of one start: a launch whose answer was lost must not leave its runner with a dead one."""

from alembic import op

revision = "sessions_0005"
down_revision = "sessions_0004"
branch_labels = None
depends_on = None

_TABLE = "session_tokens"


def upgrade() -> None:
    """Apply."""
    op.drop_constraint("uq_session_tokens_digest", _TABLE)
    op.drop_constraint("pk_session_tokens", _TABLE)
    op.create_primary_key("pk_session_tokens", _TABLE, ["digest"])
    op.create_index("ix_session_tokens_session_id", _TABLE, ["session_id"])


def downgrade() -> None:
    """Undo; of several tokens of a session the newest stays."""
    op.execute(
        f"DELETE FROM {_TABLE} AS old USING {_TABLE} AS new WHERE new.session_id = old.session_id "
        "AND (new.issued_at, new.digest) > (old.issued_at, old.digest)"
    )
    op.drop_index("ix_session_tokens_session_id", _TABLE)
    op.drop_constraint("pk_session_tokens", _TABLE)
    op.create_primary_key("pk_session_tokens", _TABLE, ["session_id"])
    op.create_unique_constraint("uq_session_tokens_digest", _TABLE, ["digest"])
