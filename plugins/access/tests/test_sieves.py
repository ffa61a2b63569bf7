"""Sieves: no binding is ever held back by one, whoever writes when; and what else falls through is not shown."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from ambient_access import grants
from ambient_access.sieves import BITS

from ambient_core import migrate
from ambient_core.app import Application
from ambient_core.config import Settings
from tests.access.people import People

HELD_BACK = f"""
SELECT b.id FROM role_bindings AS b
CROSS JOIN LATERAL (VALUES ('user_id:' || b.user_id), ('group_name:' || b.group_name)) AS one (subject)
CROSS JOIN LATERAL (VALUES (b.project_id), (b.session_id)) AS place (id)
WHERE one.subject IS NOT NULL AND place.id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM role_binding_sieves AS s
    WHERE s.subject = one.subject AND get_bit(s.places, hashtext(place.id) & {BITS - 1}) = 1
)
"""
PROJECTS = (
    "INSERT INTO projects (id, name) SELECT 'p' || n, 'p' || n FROM generate_series(0, 9) AS n ON CONFLICT DO NOTHING"
)
GIVE = (
    "INSERT INTO role_bindings (id, role_id, scope, user_id, group_name, project_id, session_id) "
    "SELECT %(id)s || n, 'project-viewer', %(scope)s, 'u' || %(user)s::text, 'g' || %(group)s::text, "
    "'p' || %(project)s::text, 's' || %(session)s::text || n "
    "FROM generate_series(1, %(number)s::bigint) AS n ON CONFLICT DO NOTHING"
)
STEPS = (
    "UPDATE role_bindings SET role_id = 'project-editor' WHERE id = %(id)s",
    "UPDATE role_bindings SET user_id = 'u' || %(one)s, group_name = NULL WHERE id = %(id)s",
    "UPDATE role_bindings SET group_name = 'g' || %(one)s, user_id = NULL WHERE id = %(id)s",
    "UPDATE role_bindings SET session_id = 'else' || %(one)s, scope = 'session' WHERE id = %(id)s",
    "DELETE FROM role_bindings WHERE user_id = 'u' || %(one)s",
    "DELETE FROM projects WHERE id = 'p' || %(one)s",
)
SIEVES = "SELECT bit_count(places) FROM role_binding_sieves WHERE subject = 'user_id:u' || %s ORDER BY id"
FULL = "UPDATE role_binding_sieves SET places = places | ~places, added = %s WHERE subject = 'user_id:' || %s"

Connect = Any


@pytest.fixture
def connect(app: Application) -> Iterator[Connect]:
    """Opens connections; one that would have to wait for another fails."""
    url = app.runtime.database.url.set(drivername="postgresql").render_as_string(False)
    with ExitStack() as stack:
        yield lambda: stack.enter_context(psycopg.connect(url, options="-c lock_timeout=1s"))


def give(connection: psycopg.Connection, name: str, number: int = 1, **of: object) -> None:
    """Bind somebody, a person by default, to places: sessions that are nowhere else, by default."""
    parts = {"user": None, "group": None, "project": None, "session": None}
    scope = "project" if "project" in of else "session"
    connection.execute(GIVE, {**parts, "id": name, "number": number, "scope": scope, **of})


def held_back(connection: psycopg.Connection) -> list[Any]:
    return connection.execute(HELD_BACK).fetchall()


@pytest.mark.parametrize("seed", range(5))
def test_no_binding_is_held_back_whatever_is_written(connect: Connect, seed: int) -> None:
    dice, connection = random.Random(seed), connect()
    for step in range(60):
        with connection.transaction(force_rollback=dice.random() < 0.2):
            connection.execute(PROJECTS)
            if dice.random() < 0.5:
                subject, place = dice.choice(["user", "group"]), dice.choice(["project", "session"])
                of = {subject: dice.randrange(10), place: dice.randrange(10)}
                give(connection, f"{seed}-{step}-", dice.randint(1, 4), **of)
            else:
                _change(connection, dice)
            assert held_back(connection) == []
        assert held_back(connection) == []
        connection.commit()


def _change(connection: psycopg.Connection, dice: random.Random) -> None:
    known = [row[0] for row in connection.execute("SELECT id FROM role_bindings ORDER BY id").fetchall()]
    values = {"id": dice.choice(known or [""]), "one": str(dice.randrange(10))}
    # Two bindings may have become the same one; then nothing is written.
    with suppress(psycopg.errors.UniqueViolation), connection.transaction():
        connection.execute(dice.choice(STEPS), values)


def test_two_transactions_that_bind_the_same_people_do_not_wait_for_each_other(connect: Connect) -> None:
    one, other, reader = connect(), connect(), connect()
    for name in ("ann", "ben"):
        give(one, f"at first-{name}", user=name, session="first")
    one.commit()
    give(one, "one-a", user="ann", session="one")
    give(other, "other-b", user="ben", session="other")
    give(one, "one-b", user="ben", session="one")
    give(other, "other-a", user="ann", session="other")
    one.commit()
    assert held_back(other) == held_back(reader) == []
    reader.commit()
    other.commit()
    assert held_back(reader) == []
    assert len(reader.execute(SIEVES, ["ann"]).fetchall()) == 2


def test_what_one_takes_back_takes_nothing_of_the_other_along(connect: Connect) -> None:
    one, other = connect(), connect()
    give(one, "first", user="cy", session="first")
    one.commit()
    give(one, "never", user="cy", session="never")
    give(other, "second", user="cy", session="second")
    other.commit()
    one.rollback()
    assert held_back(one) == []


def test_bits_of_bindings_that_are_gone_go_after_ten_thousand_others(connect: Connect) -> None:
    connection = connect()
    give(connection, "dee", 20, user="dee", session="here")
    connection.execute("DELETE FROM role_bindings WHERE user_id = 'udee' AND id <> 'dee7'")
    assert connection.execute(SIEVES, ["dee"]).fetchone()[0] > 10
    connection.execute("UPDATE role_binding_sieves SET added = 9999 WHERE subject = 'user_id:udee'")
    give(connection, "late", user="dee", session="late")
    assert connection.execute(SIEVES, ["dee"]).fetchall() == [(2,)]
    assert held_back(connection) == []


def test_a_sieve_that_is_made_anew_keeps_what_is_not_committed_yet(connect: Connect) -> None:
    one, other, third = connect(), connect(), connect()
    for connection, name in ((one, "one"), (other, "other")):
        give(connection, name, user="eve", session=name)
    one.commit()
    other.commit()
    give(one, "open", user="eve", session="open")
    third.execute(
        "UPDATE role_binding_sieves SET added = 9999 WHERE subject = 'user_id:ueve' AND added = 1 AND id = (SELECT "
        "max(id) FROM role_binding_sieves WHERE subject = 'user_id:ueve')"
    )
    give(third, "anew", user="eve", session="anew")
    third.commit()
    one.commit()
    assert held_back(one) == []
    assert len(one.execute(SIEVES, ["eve"]).fetchall()) == 2


@pytest.mark.parametrize("place", ["project_id", "session_id"])
def test_what_falls_through_is_shown_only_where_a_binding_says_so(
    people: People, project: str, other: str, connect: Connect, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(grants, "MANY", 1)
    name = people.new()
    seen, _ = (
        str(people.admin("POST", "/sessions", json={"name": "one", "project_id": where}).json["id"])
        for where in (project, other)
    )
    binding = people.give("project:viewer", name, **{place: project if place == "project_id" else seen})
    with connect() as connection:
        assert connection.execute(FULL, [1, name]).rowcount == 1
    asking = people.named(name)
    shown = asking("GET", "/sessions?size=20&total=false").json["items"]
    assert [one["id"] for one in shown] == [seen]
    assert people.admin("DELETE", f"/role_bindings/{binding}").status_code == 204
    assert asking("GET", "/sessions?size=20&total=false").json["items"] == []


def test_an_upgrade_makes_sieves_of_the_bindings_that_are_there(
    app: Application, settings: Settings, connect: Connect
) -> None:
    connection = connect()
    give(connection, "before", 3, user="fay", session="before")
    give(connection, "too", 3, group="fay", session="too")
    connection.commit()
    url = app.runtime.database.url.render_as_string(False)
    own = replace(settings, database_url=url)
    migrate.downgrade(own, "access_0005")
    migrate.upgrade(own)
    assert held_back(connection) == []
    assert connection.execute(SIEVES, ["fay"]).fetchall() == [(3,)]
