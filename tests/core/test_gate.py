"""The gate before the database: what carries no scope is not run, whoever wrote it and however."""

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, text, update

from ambient_core.database.gate import Gate, Ungated, mark, tables_named
from ambient_core.rest.operation import Operation, current

ROOT = Path(__file__).parents[2]
PLURALS = {"skills", "sessions", "projects"}

SYSTEM = {
    "ambient_core/store/cascades.py: system = store.transaction.as_system",
    "ambient_core/store/__init__.py: self.logged(statements.remove(self.kind), parameters, run=self.transaction.as_system)",
    "ambient_core/store/__init__.py: where, run = NOWHERE, self.transaction.as_system",
    "plugins/access/ambient_access/authority.py: rows = store.transaction.as_system(_HELD, asked).fetchall()",
    "plugins/access/ambient_access/authority.py: return store.transaction.as_system(_KNOWN, asked).fetchone() is not None",
    "plugins/access/ambient_access/authority.py: rows = store.transaction.as_system(statement, {'id': identifier}).fetchall()",
    "plugins/access/ambient_access/authority.py: row = store.transaction.as_system(_ROLE, {'id': role_id}).fetchone()",
    "plugins/access/ambient_access/authority.py: store.transaction.as_system(_LOCK, {'key': f'owners of {place}'})",
    "plugins/access/ambient_access/authority.py: if store.transaction.as_system(_OTHER_OWNER[scope], asked).fetchone() is None:",
    "plugins/access/ambient_access/grants.py: rows = operation.transaction.as_system(_HELD, subject_of(principal).parameters()).fetchall()",
    "plugins/access/ambient_access/owners.py: for (token,) in current().transaction.as_system(_TOKENS, {'id': user}).fetchall():",
    "plugins/access/ambient_access/owners.py: store = current().system_store('RoleBinding', verb)",
    "plugins/access/ambient_access/owners.py: tokens = current().system_store('Token', 'delete')",
    "plugins/access/ambient_access/review.py: rows = current().transaction.as_system(_CHAIN, subject_of(asked).parameters()).fetchall()",
    "plugins/access/ambient_access/review.py: rows = current().transaction.as_system(_OWNERS, {'project': project, 'role': OWNERS['project']}).fetchall()",
    "plugins/access/ambient_access/standing.py: row = operation.transaction.as_system(_FIND, {'id': principal.id}).fetchone()",
    "plugins/access/ambient_access/stores.py: if self.transaction.as_system(_PERSON, {'id': identifier}).fetchone() is None:",
    "plugins/access/ambient_access/tokens.py: row = transaction.as_system(_FIND, {'digest': key}).fetchone()",
    "plugins/access/ambient_access/tokens.py: transaction.as_system(_USED, {'id': identifier})",
    "plugins/access/ambient_access/tokens.py: row = current().transaction.as_system(_PERSON, {'id': user}).fetchone()",
    "plugins/sessions/ambient_sessions/room.py: store.transaction.as_system(_LOCK, {'key': f'running sessions of {project}'})",
    "plugins/sessions/ambient_sessions/room.py: found = store.transaction.as_system(_RUNNING, {'project': project}).fetchone()",
    "plugins/tasks/ambient_tasks/runs.py: answer: Answer = action_.function(current().system_store('Session', 'start'), session)",
    "plugins/sessions/ambient_sessions/tokens.py: found = current().transaction.as_system(_FIND, {'digest': digest(token)}).fetchone()",
}
"""Every use of the one exception: what the system does on its own account, whoever asks."""


def test_every_use_of_the_systems_exception_is_listed_here() -> None:
    found = set()
    for path in [*ROOT.glob("ambient_core/**/*.py"), *ROOT.glob("plugins/*/ambient_*/**/*.py")]:
        name = str(path.relative_to(ROOT))
        for line in path.read_text().splitlines():
            used = (
                re.search(r"\.as_system\b|\.system_store\(", line) and "self.as_system(" not in line and "`" not in line
            )
            if used:
                found.add(f"{name}: {line.strip()}".replace('"', "'"))
    assert found == SYSTEM


OWN_TRANSACTIONS = {"plugins/sessions/ambient_sessions/messages.py: with database.transaction() as transaction:"}
"""Where what serves a caller reads in a transaction of its own, that has no gate: a stream, asked for its caller all the while."""


def test_no_store_and_no_action_goes_round_the_gate_by_a_transaction_of_its_own() -> None:
    found = set()
    for path in [*ROOT.glob("ambient_core/**/*.py"), *ROOT.glob("plugins/*/ambient_*/**/*.py")]:
        text = path.read_text()
        if re.search(r"^class \w+\(Store\)|^@action\b", text, re.MULTILINE):
            lines = (line.strip() for line in text.splitlines())
            found |= {f"{path.relative_to(ROOT)}: {line}" for line in lines if ".transaction()" in line}
    assert found == OWN_TRANSACTIONS


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM skills",
        'SELECT name FROM "skills" WHERE id = %(id)s',
        "select 1 from public.SKILLS",
        "SELECT 1 FROM changes, skills",
        "SELECT 1 FROM changes c JOIN skills s ON true",
        "UPDATE skills SET name = 'x'",
        "DELETE FROM skills",
        "INSERT INTO skills (id, name) VALUES ('a', 'b')",
        "WITH x AS (SELECT id FROM skills) SELECT * FROM x",
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM projects /*in scope of skills*/ JOIN skills ON true)",
        "SELECT E'it\\'s', 1 FROM skills WHERE 'x' = 'y'",
        "TABLE skills",
    ],
)
def test_a_statement_on_a_kinds_table_without_its_mark_is_refused(statement: str) -> None:
    with pytest.raises(Ungated, match="skills|projects"):
        Gate(lambda: PLURALS).check(statement)


@pytest.mark.parametrize(
    "statement",
    [
        f"SELECT * FROM skills WHERE true {mark('skills')}",
        f"INSERT INTO sessions (id, skills) VALUES (1, 2) {mark('sessions')}",
        f"SELECT sessions.skills FROM sessions WHERE {mark('sessions')} skills = 'x'",
        "SELECT 'skills' FROM changes WHERE kind = 'skills' -- skills",
        "SELECT 1 FROM session_messages AS skills",
    ],
)
def test_what_carries_the_mark_or_names_no_such_table_is_run(statement: str) -> None:
    Gate(lambda: PLURALS).check(statement)


def test_a_mark_of_one_kind_is_none_of_another() -> None:
    both = f"SELECT 1 FROM skills JOIN sessions ON true {mark('sessions')}"
    assert tables_named(both, PLURALS) == {"skills", "sessions"}
    with pytest.raises(Ungated, match="'skills'"):
        Gate(lambda: PLURALS).check(both)


@pytest.fixture
def operation(app: Any) -> Any:
    """A request of the developer, who may everything: the gate is not about who asks."""
    with app.test_request_context():
        from flask import g

        from ambient_core.identity import DEVELOPER

        g.operation = Operation("01test", app.runtime)
        g.operation.principal = DEVELOPER
        yield current()
        g.operation.transaction.rollback()


def test_a_stores_own_session_runs_neither_text_nor_sqlalchemy_without_a_scope(operation: Any) -> None:
    store = operation.store("Skill", "list")
    table = store.kind.table
    for attempt in (
        lambda: store.transaction.raw("SELECT name FROM skills"),
        lambda: store.transaction.execute(select(table.c.name)),
        lambda: store.transaction.execute(update(table).values(name="x")),
        lambda: store.transaction.execute(delete(table)),
        lambda: store.transaction.execute(text("SELECT name FROM skills")),
        lambda: store.transaction.driver.execute("SELECT name FROM skills"),
    ):
        with pytest.raises(Ungated):
            attempt()


def test_with_its_scope_text_and_sqlalchemy_are_run(operation: Any) -> None:
    store = operation.store("Skill", "list")
    table = store.kind.table
    found = store.transaction.execute(store.limited(select(table.c.name).where(table.c.name == "x"))).fetchall()
    again = store.transaction.raw(f"SELECT name FROM skills WHERE true{store.scope.text}", store.scope.parameters)
    assert (found, again.fetchall()) == ([], [])
