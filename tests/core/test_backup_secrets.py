"""Secrets in a backup: left out, or as they are stored; whatever a file says, they come in sealed."""

import io
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from ambient_core.app import Application, create_app
from ambient_core.backup.loading import Import, Imported
from ambient_core.backup.sections import sections_of
from ambient_core.backup.writing import export
from ambient_core.config import Settings
from ambient_core.kinds import Resource
from ambient_core.plugins import Source, installed, load_plugins
from ambient_core.profiles import given_keyring
from ambient_core.secrets.keyring import Place
from tests.core import vaults


@pytest.fixture(scope="module")
def plugin() -> Iterator[Source]:
    with vaults.source() as found:
        yield found


@pytest.fixture
def systems(server: Any, template: str, settings: Settings, plugin: Source) -> Iterator[Callable[..., Application]]:
    made = []

    def system(**changed: Any) -> Application:
        name = f"test_{secrets.token_hex(4)}"
        own = replace(settings, database_url=server.create(name, template), **changed)
        app = create_app(own, plugins=load_plugins(own, [*installed(), plugin]))
        with app.runtime.database.engine.begin() as connection:
            Resource.metadata.tables["vaults"].create(connection)
        made.append((name, app))
        return app

    yield system
    for name, app in made:
        app.runtime.database.close()
        server.drop(name)


def exported(app: Application, *, with_secrets: bool) -> bytes:
    to = io.BytesIO()
    sections = sections_of(app.plugins, secrets=with_secrets, only=["Vault"])
    export(app.runtime.database, sections, to, lambda _line: None)
    return to.getvalue()


def load(app: Application, content: bytes, **options: Any) -> Imported:
    sections = {section.table.name: section for section in sections_of(app.plugins, secrets=True)}
    known = json.loads(content.splitlines()[0])["revisions"]
    ring = given_keyring(app.runtime.settings)
    return Import(app.runtime.database, sections, ring, **options).read(io.BytesIO(content), known, lambda _line: None)


def rows(app: Application) -> list[tuple[Any, ...]]:
    with app.runtime.database.transaction() as transaction:
        return transaction.raw("SELECT id, word, version FROM vaults ORDER BY id").fetchall()


def edited(content: bytes, **changed: Any) -> bytes:
    """A backup whose one row says something else."""
    head, row, end = content.splitlines()
    found = json.loads(row)
    found["row"] |= changed
    return b"\n".join([head, json.dumps(found).encode(), end]) + b"\n"


@pytest.fixture
def here(systems: Callable[..., Application], calls: Callable[[Application], Any]) -> Application:
    app = systems()
    assert calls(app)("POST", "/vaults", json={"name": "v", "word": "canary", "number": 7}).status_code == 201
    return app


def test_a_backup_has_secrets_only_when_asked_and_then_sealed(here: Application) -> None:
    assert b"word" not in exported(here, with_secrets=False)
    assert b"enc:v1:" in exported(here, with_secrets=True)
    assert b"canary" not in exported(here, with_secrets=True)


@pytest.mark.slow
def test_sealed_rows_come_in_as_they_are_and_again_as_unchanged(here: Application, systems: Any) -> None:
    there, content = systems(), exported(here, with_secrets=True)
    assert load(there, content).created == {"vaults": 1}
    assert rows(there) == rows(here)
    assert load(there, content).unchanged == {"vaults": 1}


def test_the_same_secret_under_another_seal_is_no_difference_and_another_one_is(here: Application) -> None:
    before = rows(here)
    plain = edited(exported(here, with_secrets=True), word="canary")
    assert load(here, plain, overwrite=True).unchanged == {"vaults": 1}
    assert rows(here) == before
    other = edited(plain, word="another")
    assert load(here, other).words == [f"vaults {before[0][0]}: it is here and differs in word"]
    assert load(here, other, overwrite=True).changed == {"vaults": 1}
    ring = here.runtime.keyring
    assert ring is not None
    (identifier, sealed, version) = rows(here)[0]
    assert (ring.open(sealed, Place("vaults", identifier, "word")), version) == ("another", 2)


@pytest.mark.slow
def test_plain_text_in_a_file_is_sealed_on_its_way_in(here: Application, systems: Any) -> None:
    there = systems()
    load(there, edited(exported(here, with_secrets=True), word="canary-in-a-file"))
    assert rows(there)[0][1].startswith("enc:v1:")


def test_what_does_not_open_here_is_left_out_and_named(here: Application, systems: Any, settings: Settings) -> None:
    there = systems(keyring=settings.keyring.replace('"1"', '"2"'))
    done = load(there, exported(here, with_secrets=True))
    assert (done.conflicts, rows(there)) == ({"vaults": 1}, [])
    assert "sealed with key 1, which this server's keyring lacks" in done.words[0]
