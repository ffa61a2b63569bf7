"""Sieves of bindings, kept by a trigger; and indexes that answer of one project whether a binding names it."""

from alembic import op

revision = "access_0006"
down_revision = "access_0005"
branch_labels = None
depends_on = None

_SUBJECTS = ("user_id", "group_name", "service_account_id")
_FALLEN = """
SELECT one.subject, bit_or(set_bit(B'0'::bit(32768), hashtext(place.id) & 32767, 1)) AS places, count(*)::integer AS added
FROM {source} AS b
CROSS JOIN LATERAL (VALUES ('user_id:' || b.user_id), ('group_name:' || b.group_name),
    ('service_account_id:' || b.service_account_id)) AS one (subject)
CROSS JOIN LATERAL (VALUES (b.project_id), (b.agent_id), (b.session_id), (b.credential_id)) AS place (id)
WHERE one.subject IS NOT NULL AND place.id IS NOT NULL{only}
GROUP BY one.subject
"""
_ALL = _FALLEN.format(source="role_bindings", only="")
_ADDED = _FALLEN.format(source="added", only="")
_ANEW = _FALLEN.format(
    source="role_bindings",
    only=""" AND one.subject = fallen.subject AND (b.user_id = substring(fallen.subject FROM '^user_id:(.*)$')
    OR b.group_name = substring(fallen.subject FROM '^group_name:(.*)$')
    OR b.service_account_id = substring(fallen.subject FROM '^service_account_id:(.*)$'))""",
)
# A row that another transaction has locked is passed over, so that nobody waits here, and no two wait for each other: the bits
# of a binding that is not committed are always in a row that its transaction holds. So whoever holds a row may make it anew of
# the bindings that are committed: bits that were set by bindings long gone go once in ten thousand times.
_KEEP = f"""
CREATE FUNCTION keep_role_binding_sieves() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    fallen record;
    held record;
BEGIN
    FOR fallen IN {_ADDED} LOOP
        UPDATE role_binding_sieves AS s SET places = s.places | fallen.places, added = s.added + fallen.added
        WHERE s.id = (
            SELECT free.id FROM role_binding_sieves AS free WHERE free.subject = fallen.subject
            ORDER BY free.id LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING s.id, s.added INTO held;
        IF NOT FOUND THEN
            INSERT INTO role_binding_sieves (subject, places, added)
            VALUES (fallen.subject, fallen.places, fallen.added);
        ELSIF held.added >= 10000 THEN
            DELETE FROM role_binding_sieves AS s WHERE s.id IN (
                SELECT free.id FROM role_binding_sieves AS free WHERE free.subject = fallen.subject AND free.id <> held.id
                FOR UPDATE SKIP LOCKED
            );
            UPDATE role_binding_sieves AS s SET places = anew.places, added = 0 FROM ({_ANEW}) AS anew
            WHERE s.id = held.id;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$
"""
_TRIGGER = """
CREATE TRIGGER keep_sieves_after_{verb} AFTER {verb} ON role_bindings REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION keep_role_binding_sieves()
"""
_GROUPS = (
    "CREATE INDEX ix_role_bindings_groups_of_project ON role_bindings (project_id) INCLUDE (scope, role_id, group_name) "
    "WHERE group_name IS NOT NULL"
)
_TABLE = """
CREATE TABLE role_binding_sieves (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject text NOT NULL,
    places bit(32768) NOT NULL,
    added integer NOT NULL
)
"""


def upgrade() -> None:
    """Apply."""
    _index(["scope", "project_id"], ["role_id"])
    op.execute(_GROUPS)
    op.execute(_TABLE)
    op.execute("CREATE INDEX ix_role_binding_sieves_subject ON role_binding_sieves (subject)")
    op.execute(_KEEP)
    for verb in ("INSERT", "UPDATE"):
        op.execute(_TRIGGER.format(verb=verb))
    # After the triggers: from then on nobody else writes a binding until this is committed.
    op.execute(f"INSERT INTO role_binding_sieves (subject, places, added) {_ALL}")


def downgrade() -> None:
    """Undo."""
    for verb in ("INSERT", "UPDATE"):
        op.execute(f"DROP TRIGGER keep_sieves_after_{verb} ON role_bindings")
    op.execute("DROP FUNCTION keep_role_binding_sieves()")
    op.execute("DROP TABLE role_binding_sieves")
    op.execute("DROP INDEX ix_role_bindings_groups_of_project")
    _index(["scope", "role_id", "project_id"], [])


def _index(columns: list[str], include: list[str]) -> None:
    for subject in _SUBJECTS:
        op.drop_index(f"ix_role_bindings_of_{subject}", "role_bindings")
        op.create_index(
            f"ix_role_bindings_of_{subject}", "role_bindings", [subject, *columns], postgresql_include=include
        )
