"""Migrations: one environment, a branch per plugin, each in a transaction of its own."""

import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import psycopg
import pytest

from ambient_core import migrate
from ambient_core.config import Settings
from ambient_core.database import Database
from ambient_core.errors import SetupError
from ambient_core.plugins import Source, installed, load_plugins

BRANCHES = ["access", "core", "credentials", "projects", "sessions", "skills", "tasks", "users"]


@pytest.fixture
def empty(server: object, settings: Settings) -> Iterator[Settings]:
    name = f"empty_{secrets.token_hex(4)}"
    yield replace(settings, database_url=server.create(name))  # type: ignore[attr-defined]
    server.drop(name)  # type: ignore[attr-defined]


def tables(settings: Settings) -> set[str]:
    with psycopg.connect(settings.database_url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return {row[0] for row in rows}


def stranger(folder: Path, upgrade: str, name: str = "zoo") -> Source:
    """A plugin with one migration."""
    (folder / "migrations").mkdir(exist_ok=True)
    (folder / "__init__.py").write_text("")
    head = f"from alembic import op\nrevision = '{name}_0001'\ndown_revision = None\nbranch_labels = ('{name}',)\ndepends_on = None\n"
    (folder / "migrations" / "0001_first.py").write_text(
        f"{head}\n\ndef upgrade():\n    {upgrade}\n\n\ndef downgrade():\n    pass\n"
    )
    module = ModuleType(f"stranger_{name}")
    module.__file__ = str(folder / "__init__.py")
    return Source(name, lambda: module, "1.0")


def test_an_empty_database_says_what_is_pending(empty: Settings) -> None:
    assert {line.split("_")[0] for line in migrate.check(empty)} == {f"pending: {name}" for name in BRANCHES}


@pytest.mark.slow
def test_a_difference_between_models_and_tables_is_named(empty: Settings) -> None:
    migrate.upgrade(empty)
    with psycopg.connect(empty.database_url) as connection:
        connection.execute("ALTER TABLE skills DROP COLUMN description")
    assert migrate.check(empty) == ["differs from the models: add column skills description"]


@pytest.mark.slow
def test_two_replicas_that_start_together_do_not_race(empty: Settings) -> None:
    command = [
        sys.executable,
        "-m",
        "ambient_core",
        "--profile",
        "development",
        "--database-url",
        empty.database_url,
        "db",
        "upgrade",
    ]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    results = [(process.communicate(timeout=100), process.returncode) for process in started]
    assert [status for _, status in results] == [0, 0], results
    assert migrate.check(empty) == []


@pytest.mark.parametrize(
    ("upgrade", "words"),
    [
        pytest.param(
            "op.execute('SELECT 1 FROM nowhere')",
            'the database refused: relation "nowhere" does not exist',
            marks=pytest.mark.slow,
        ),
        pytest.param("raise RuntimeError('not today')", "RuntimeError: not today", marks=pytest.mark.slow),
        ("op.execute('CREATE TABLE half (id int)'); raise RuntimeError('half way')", "RuntimeError: half way"),
    ],
)
def test_a_migration_that_fails_sets_its_plugin_aside_alone(
    empty: Settings, tmp_path: Path, upgrade: str, words: str
) -> None:
    sources = [*installed(), stranger(tmp_path, upgrade)]
    migrate.upgrade(empty, load_plugins(empty, sources))
    assert {"projects", "sessions", "changes"} <= tables(empty)
    assert "half" not in tables(empty)
    database = Database(empty.database_url)
    plugins = load_plugins(empty, sources)
    plugins.apply_migration_faults(database)
    database.close()
    assert [(entry.name, entry.reason) for entry in plugins.set_aside] == [("zoo", f"migration failed: {words}")]


def test_a_mended_migration_serves_after_the_next_upgrade(empty: Settings, tmp_path: Path) -> None:
    migrate.upgrade(empty, load_plugins(empty, [stranger(tmp_path, "raise RuntimeError('not today')")]))
    plugins = load_plugins(empty, [stranger(tmp_path, "op.execute('CREATE TABLE lions (id int)')")])
    migrate.upgrade(empty, plugins)
    database = Database(empty.database_url)
    plugins.apply_migration_faults(database)
    database.close()
    assert (plugins.set_aside, "lions" in tables(empty)) == ([], True)


def test_a_plugin_that_is_gone_takes_nobody_else_down(empty: Settings, tmp_path: Path) -> None:
    needing = stranger(tmp_path, "op.execute('CREATE TABLE lions (id int)')")
    file = tmp_path / "migrations" / "0001_first.py"
    file.write_text(file.read_text().replace("depends_on = None", "depends_on = 'projects_0001'"))
    for sources in ([*installed(), needing], [*installed(), needing], [*installed()], [*installed(), needing]):
        plugins = load_plugins(empty, sources)
        migrate.upgrade(empty, plugins)
        assert plugins.set_aside == []
        assert migrate.check(empty, plugins) == []
    migrate.downgrade(empty, plugins=load_plugins(empty, [*installed(), needing]))


@pytest.mark.slow
def test_a_file_that_cannot_be_read_takes_nobody_else_down(empty: Settings, tmp_path: Path) -> None:
    source = stranger(tmp_path, "pass")
    (tmp_path / "migrations" / "0001_first.py").write_text("this is no python")
    plugins = load_plugins(empty, [*installed(), source])
    migrate.upgrade(empty, plugins)
    assert "does not import" in plugins.set_aside[0].reason
    assert migrate.check(empty, load_plugins(empty)) == []


def test_strict_refuses_with_the_same_words(empty: Settings, tmp_path: Path) -> None:
    plugins = load_plugins(empty, [stranger(tmp_path, "raise RuntimeError('not today')")])
    with pytest.raises(SetupError, match="plugin zoo: RuntimeError: not today"):
        migrate.upgrade(replace(empty, strict=True), plugins)


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """A package with one migration, which builds on a table of ours that nobody else's builds on."""
    package = tmp_path / f"zoo_{secrets.token_hex(4)}"
    package.mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    source = replace(stranger(package, "op.execute('CREATE TABLE lions (id int)')"), package=package.name)
    file = package / "migrations" / "0001_first.py"
    file.write_text(file.read_text().replace("depends_on = None", "depends_on = 'users_0002'"))
    return source


def absent() -> ModuleType:
    raise ImportError("no module named lions")


@pytest.mark.slow
def test_a_plugin_that_imports_no_more_leaves_the_others_and_its_tables_alone(empty: Settings, zoo: Source) -> None:
    migrate.upgrade(empty, load_plugins(empty, [*installed(), zoo]))
    plugins = load_plugins(empty, [*installed(), replace(zoo, load=absent)])
    migrate.upgrade(empty, plugins)
    assert [entry.name for entry in plugins.set_aside] == ["zoo"]
    assert migrate.check(empty, plugins) == []
    with pytest.raises(SetupError, match="zoo_0001 is of a plugin that is not loaded; only with it can this be undone"):
        migrate.downgrade(empty, "base", plugins=plugins)
    assert {"lions", "users"} <= tables(empty)


@pytest.mark.slow
def test_a_killed_migration_releases_the_lock_and_can_be_repeated(empty: Settings, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2]); "
        "import psycopg; connection = psycopg.connect(sys.argv[1], autocommit=True); "
        f"connection.execute('SELECT pg_advisory_lock({migrate.LOCK})'); print('locked', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, empty.database_url, "."]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        holder.kill()
    migrate.upgrade(empty)
    assert migrate.check(empty) == []


@pytest.mark.slow
def test_a_new_revision_is_written_from_the_difference(empty: Settings, tmp_path: Path) -> None:
    migrate.upgrade(empty)
    source = stranger(tmp_path, "pass")
    (tmp_path / "migrations" / "0001_first.py").unlink()
    made = migrate.revision(empty, "zoo", "first lions", load_plugins(empty, [*installed(), source]))
    assert made.name == "0001_first_lions.py"
    assert "revision = 'zoo_0001'" in made.read_text()


def test_an_unknown_plugin_has_no_revision(empty: Settings) -> None:
    with pytest.raises(SetupError, match="There is no plugin 'nope'"):
        migrate.revision(empty, "nope", "x")


def test_a_server_that_is_too_old_is_named_before_anything_is_done(
    empty: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "OLDEST_SERVER", 99)
    with pytest.raises(SetupError, match=r"The database server is PostgreSQL \d\d; 99 is the oldest that works."):
        migrate.upgrade(empty)
    assert tables(empty) == set()
