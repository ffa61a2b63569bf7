"""Changing the key: every secret is sealed anew while everybody is served, and a rotation that was killed is begun again."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ambient_core.app import Application, create_app
from ambient_core.config import Settings
from ambient_core.errors import SetupError
from ambient_core.rest.idempotency import reseal
from ambient_core.secrets.keyring import Keyring, Place, new_keyring, read_keyring
from ambient_core.secrets.rotation import CHUNK, rotate
from tests.core import vaults
from tests.e2e.conftest import wait_for

MANY = 2 * CHUNK + 50
WAITS = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'ambient-rotate' AND wait_event_type = 'Lock'"


@pytest.fixture(scope="module")
def app(settings: Settings, database_url: str) -> Iterator[Application]:
    with vaults.serving(settings, database_url) as application:
        yield application


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        yield connection
        connection.execute("DELETE FROM credentials")
        connection.execute("DELETE FROM vaults")


@pytest.fixture
def both(settings: Settings) -> str:
    """The keyring with one more key."""
    return new_keyring(settings.keyring)


def make(call: Any, kind: str, field: str, count: int) -> None:
    more = {"provider": "github"} if kind == "Credential" else {}
    for start in range(0, count, 250):
        bodies = [
            {"name": f"n{number:04}-{secrets.token_hex(3)}", field: f"secret {number}", **more}
            for number in range(start, min(start + 250, count))
        ]
        operations = [{"op": "create", "kind": kind, "body": body} for body in bodies]
        assert call("POST", "/batch", json={"operations": operations, "atomic": True}).status_code == 200


def run(app: Application, ring: str) -> Any:
    told: list[str] = []
    done = rotate(app.runtime.database, app.plugins.registry, read_keyring(ring), told.append)
    return done, told


def versions(database: psycopg.Connection[Any], table: str, column: str) -> list[str]:
    rows = database.execute(f"SELECT DISTINCT split_part({column}, ':', 2) FROM {table} ORDER BY 1").fetchall()
    return [row[0] for row in rows]


def test_every_secret_is_sealed_anew_and_nothing_else_changes(
    app: Application, call: Any, database: Any, both: str
) -> None:
    make(call, "Vault", "word", 3)
    rest = "SELECT id, name, version, updated_at FROM vaults ORDER BY id"
    log = "SELECT count(*) FROM changes"
    before = database.execute(rest).fetchall(), database.execute(log).fetchone()
    done, told = run(app, both)
    assert (done.fields, done.unreadable) == (3, [])
    assert "vaults: 3 secrets are sealed anew under key 2" in told
    assert versions(database, "vaults", "word") == ["v2"]
    assert (database.execute(rest).fetchall(), database.execute(log).fetchone()) == before
    ring = read_keyring(both)
    sealed = database.execute("SELECT id, word FROM vaults ORDER BY name").fetchall()
    assert [ring.open(word, Place("vaults", i, "word")) for i, word in sealed] == [f"secret {n}" for n in range(3)]


def test_a_second_rotation_has_nothing_to_do(app: Application, call: Any, database: Any, both: str) -> None:
    make(call, "Vault", "word", 3)
    run(app, both)
    before = database.execute("SELECT word FROM vaults ORDER BY id").fetchall()
    assert run(app, both)[0].fields == 0
    assert database.execute("SELECT word FROM vaults ORDER BY id").fetchall() == before


def test_what_was_stored_before_it_was_sealed_is_sealed(app: Application, call: Any, database: Any, both: str) -> None:
    make(call, "Vault", "word", 1)
    database.execute("UPDATE vaults SET word = 'bare', number = '7'")
    run(app, both)
    identifier, word, number = database.execute("SELECT id, word, number FROM vaults").fetchone()
    ring = read_keyring(both)
    opened = [ring.open(s, Place("vaults", identifier, n)) for s, n in ((word, "word"), (number, "number"))]
    assert opened == ["bare", "7"]


def test_what_does_not_open_is_named_and_left_and_the_others_are_done(
    app: Application, call: Any, database: Any, both: str
) -> None:
    make(call, "Vault", "word", 2)
    foreign = Keyring({9: b"9" * 32}).seal("x", Place("vaults", "elsewhere", "word"))
    database.execute("UPDATE vaults SET word = %s WHERE name LIKE 'n0000%%'", [foreign])
    done, _ = run(app, both)
    assert done.fields == 1
    assert [words.split(": ")[1] for words in done.unreadable] == [
        f"The word of {done.unreadable[0].split()[1][:-1]} is sealed with key 9, which this server's keyring lacks."
    ]
    assert versions(database, "vaults", "word") == ["v2", "v9"]


@pytest.fixture
def kept(call: Any, project: str, database: Any) -> Any:
    """Asks again for the secret of a token, with the key with which it was asked for already."""
    account = call("POST", "/service_accounts", json={"name": f"r{secrets.token_hex(4)}", "project_id": project}).json[
        "id"
    ]
    body = {"name": "t", "lifetime_days": 1, "service_account_id": account}
    path = f"/tokens/{call('POST', '/tokens', json=body).json['id']}/secret"
    first = call("POST", path, headers={"Idempotency-Key": "once"})
    assert first.status_code == 201, first.json["reason"]
    yield lambda call: (call("POST", path, headers={"Idempotency-Key": "once"}), first)
    database.execute("DELETE FROM idempotency_keys")


def test_an_answer_that_is_kept_is_told_again_when_the_old_key_is_gone(
    app: Application, settings: Settings, calls: Any, kept: Any, both: str
) -> None:
    told: list[str] = []
    done = reseal(app.runtime.database, read_keyring(both), told.append)
    assert (done.fields, done.unreadable) == (1, [])
    assert told == ["answers kept for an Idempotency-Key: 1 are sealed anew under key 2"]
    assert reseal(app.runtime.database, read_keyring(both), told.append).fields == 0
    only = replace(app.runtime.settings, keyring=json.dumps({"2": json.loads(both)["2"]}))
    server = create_app(only)
    again, first = kept(calls(server))
    server.runtime.database.close()
    assert (again.status_code, again.json) == (201, first.json)


def test_an_answer_that_does_not_open_is_named_and_left(app: Application, kept: Any, both: str) -> None:
    done = reseal(app.runtime.database, read_keyring(json.dumps({"2": json.loads(both)["2"]})), lambda _: None)
    assert done.fields == 0
    assert ["sealed with key 1" in words for words in done.unreadable] == [True]


def command(settings: Settings, url: str, ring: str) -> subprocess.Popen[str]:
    given = {"AMBIENT_PROFILE": "development", "AMBIENT_DATABASE_URL": url, "AMBIENT_KEYRING": ring}
    words = [sys.executable, "-m", "ambient_core", "credentials", "rotate-key"]
    return subprocess.Popen(words, env={**os.environ, **given}, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_one_that_is_killed_in_the_middle_and_run_again_ends_complete(
    settings: Settings, database_url: str, call: Any, database: Any, both: str
) -> None:
    make(call, "Credential", "token", MANY)
    middle = database.execute("SELECT id FROM credentials ORDER BY id OFFSET %s", [CHUNK + 10]).fetchone()
    with psycopg.connect(database_url.replace("+psycopg", "")) as holding:
        # It cannot get past this row.
        holding.execute("SELECT 1 FROM credentials WHERE id = %s FOR UPDATE", middle)
        killed = command(settings, database_url, both)
        wait_for(lambda: database.execute(WAITS).fetchone() is not None, "the rotation waits for the row")
        killed.kill()
        killed.communicate()
    assert versions(database, "credentials", "token") == ["v1", "v2"]
    # Whoever has both keys is served meanwhile.
    again = command(settings, database_url, both)
    out, _ = again.communicate(timeout=60)
    assert again.returncode == 0
    assert f"credentials: {MANY - CHUNK} secrets are sealed anew under key 2" in out
    assert "answers kept for an Idempotency-Key: 0 are sealed anew under key 2" in out
    assert versions(database, "credentials", "token") == ["v2"]
    ring = read_keyring(both)
    rows = database.execute("SELECT id, token FROM credentials ORDER BY name").fetchall()
    assert [ring.open(t, Place("credentials", i, "token")) for i, t in rows] == [f"secret {n}" for n in range(MANY)]


def test_a_keyring_gets_another_key_and_keeps_those_it_had(settings: Settings, both: str) -> None:
    assert json.loads(both).keys() == {"1", "2"}
    assert json.loads(both)["1"] == json.loads(settings.keyring)["1"]
    assert len(set(json.loads(new_keyring(both)).values())) == 3
    with pytest.raises(SetupError):
        new_keyring("nonsense")


def test_two_servers_whose_keys_overlap_read_each_other_s_secrets(settings: Settings, both: str) -> None:
    old, new = read_keyring(both, 1), read_keyring(both)
    place = Place("vaults", "v", "word")
    assert (old.sealing, new.sealing) == (1, 2)
    assert new.open(old.seal("x", place), place) == old.open(new.seal("x", place), place) == "x"


def test_the_first_start_of_ambient_dev_makes_a_keyring_that_nobody_else_reads(tmp_path: Path) -> None:
    from ambient_core.embedded.system import kept

    path = kept(tmp_path / "keyring", new_keyring)
    first = path.read_text()
    assert (path.stat().st_mode & 0o777, len(read_keyring(first).keys)) == (0o600, 1)
    assert kept(path, new_keyring).read_text() == first
