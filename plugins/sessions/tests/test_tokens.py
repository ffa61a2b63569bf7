"""The tokens of a running session: told once, kept as hashes, dead with the session."""

import secrets
from collections.abc import Callable
from typing import Any

import psycopg
import pytest


@pytest.fixture
def session(call: Any, control_plane: Any, project: str) -> str:
    """A session that is on its way."""
    made = call("POST", "/sessions", json={"name": "s", "project_id": project}).json["id"]
    assert call("POST", f"/sessions/{made}/start").status_code == 200
    return str(made)


def issue(control_plane: Any, session: str, **headers: str) -> str:
    answer = control_plane("POST", f"/sessions/{session}/token", headers=headers)
    assert answer.status_code == 201, answer.json
    return str(answer.json["token"])


def test_a_token_asked_for_anew_is_another_and_both_live_until_the_end(
    control_plane: Any, caller: Callable[[str], Any], session: str
) -> None:
    one, two = (issue(control_plane, session, **{"Idempotency-Key": secrets.token_hex(8)}) for _ in range(2))
    assert one != two
    assert [caller(token)("GET", f"/sessions/{session}").status_code for token in (one, two)] == [200, 200]
    ended = {"starts": 1, "phase": "Failed"}
    assert control_plane("PATCH", f"/sessions/{session}/status", json=ended).status_code == 200
    assert [caller(token)("GET", f"/sessions/{session}").status_code for token in (one, two)] == [401, 401]


def test_a_token_asked_for_again_with_its_key_is_the_same(control_plane: Any, session: str, app: Any) -> None:
    key = {"Idempotency-Key": secrets.token_hex(8)}
    assert issue(control_plane, session, **key) == issue(control_plane, session, **key)
    with app.runtime.database.transaction() as transaction:
        kept = transaction.raw("SELECT count(*) FROM session_tokens WHERE session_id = %(id)s", {"id": session})
        assert kept.fetchone() == (1,)


def test_no_token_is_kept_anywhere_in_clear(control_plane: Any, database_url: str, session: str) -> None:
    token = issue(control_plane, session, **{"Idempotency-Key": secrets.token_hex(8)})
    with psycopg.connect(database_url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        rows = [row for (table,) in tables for row in connection.execute(f'SELECT * FROM "{table}"').fetchall()]
    assert rows
    assert not [
        row
        for row in rows
        for value in row
        if token in (value.decode(errors="replace") if isinstance(value, bytes) else str(value))
    ]


def test_a_batch_issues_no_tokens(control_plane: Any, session: str) -> None:
    operation = {"op": "action", "kind": "Session", "id": session, "action": "issue_token"}
    answer = control_plane("POST", "/batch", json={"operations": [operation], "atomic": False})
    assert answer.json["results"][0]["status"] == 400, answer.json
