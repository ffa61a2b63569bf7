"""Export and import: one snapshot, every row, into an empty or a running system, as often as one likes."""

import io
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from ambient_core import backup
from ambient_core.app import create_app
from ambient_core.cli import cli
from ambient_core.config import Settings
from ambient_core.errors import SetupError

pytestmark = pytest.mark.slow
KINDS = ("credentials", "projects", "sessions", "skills", "tasks", "users")


class Place:
    """One system: its settings and who calls it."""

    def __init__(self, settings: Settings, call: Any) -> None:
        self.settings = settings
        self.call = call

    def export(self, *kinds: str, **options: Any) -> bytes:
        to = io.BytesIO()
        backup.export(self.settings, to, kinds, **options)
        return to.getvalue()

    def load(self, content: bytes, **options: Any) -> backup.Imported:
        return backup.load(self.settings, io.BytesIO(content), **options)

    def lists(self) -> dict[str, bytes]:
        return {kind: self.call("GET", f"/{kind}?size=500&orderBy=id").data for kind in KINDS}

    def query(self, text: str) -> list[tuple[Any, ...]]:
        url = self.settings.database_url.replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(text).fetchall()


@pytest.fixture(scope="module")
def here(call: Any, settings: Settings, database_url: str) -> Place:
    """A system with something of everything."""
    place = Place(replace(settings, database_url=database_url), call)
    for name in ("alpha", "beta"):
        assert call("POST", "/projects", json={"name": name, "labels": {"team": 'q"\\\n'}}).status_code == 201
    parent = None
    for number in range(3):
        body = {"name": f"s{number}", "project_id": "alpha", "prompt": "Ünïcode \\ \t", "llm_temperature": 0.1}
        parent = call("POST", "/sessions", json={**body, "parent_session_id": parent} if parent else body).json["id"]
        call("POST", f"/sessions/{parent}/messages", json={"event_type": "user", "payload": "hello"})
    task = call("POST", "/tasks", json={"name": "t", "project_id": "beta", "prompt": "x"}).json["id"]
    assert call("POST", f"/tasks/{task}/run").status_code in (200, 201)
    call("PATCH", "/projects/beta", json={"description": "changed"})
    return place


@pytest.fixture
def there(server: Any, template: str, settings: Settings, calls: Callable[[Any], Any]) -> Iterator[Place]:
    """A system in which nothing is."""
    name = f"test_{secrets.token_hex(4)}"
    own = replace(settings, database_url=server.create(name, template))
    application = create_app(own)
    yield Place(own, calls(application))
    application.runtime.database.close()
    server.drop(name)


def test_an_empty_system_becomes_the_same(here: Place, there: Place) -> None:
    done = there.load(here.export())
    assert not done.conflicts
    assert there.lists() == here.lists()
    for table in ("session_messages", "task_sessions"):
        text = f"SELECT row_to_json(t)::text FROM {table} AS t ORDER BY 1"
        assert there.query(text) == here.query(text) != []


def test_the_change_log_has_every_object_with_its_version(here: Place, there: Place) -> None:
    there.load(here.export())
    text = "SELECT kind, object_id, version, verb, actor FROM changes WHERE object_id = 'beta'"
    assert there.query(text) == [("Project", "beta", 2, "import", "service:import")]


def test_a_second_import_changes_nothing(here: Place, there: Place) -> None:
    content = here.export()
    there.load(content)
    before = there.query("SELECT max(seq) FROM changes")
    done = there.load(content)
    assert (done.created.total(), done.conflicts.total()) == (0, 0)
    assert there.query("SELECT max(seq) FROM changes") == before


def test_an_import_that_broke_off_is_begun_again(here: Place, there: Place) -> None:
    content = here.export()
    lines = content.splitlines(keepends=True)
    with pytest.raises(SetupError, match="breaks off"):
        there.load(b"".join(lines[: len(lines) // 2]))
    assert there.lists() != here.lists()
    there.load(content)
    assert there.lists() == here.lists()


def test_what_differs_is_left_alone_and_named_or_overwritten_when_that_is_wanted(here: Place, there: Place) -> None:
    content = here.export()
    there.call("POST", "/projects", json={"name": "alpha", "description": "mine"})
    done = there.load(content)
    assert done.words == ["projects alpha: it is here and differs in labels, description"] or (
        done.words == ["projects alpha: it is here and differs in description, labels"]
    )
    assert there.call("GET", "/projects/alpha").json["description"] == "mine"
    assert there.load(content, overwrite=True).changed == {"projects": 1}
    found, wanted = there.call("GET", "/projects/alpha").json, here.call("GET", "/projects/alpha").json
    assert found["labels"] == wanted["labels"]
    assert "description" not in found
    assert found["version"] == 2


def test_another_object_with_the_same_unique_fields_is_a_conflict(here: Place, there: Place) -> None:
    created = here.call("POST", "/users", json={"username": "ada", "name": "Ada"}).json
    there.call("POST", "/users", json={"username": "ada", "name": "Another"})
    done = there.load(here.export("User"))
    assert done.words == [f"users {created['id']}: another object has its unique fields"]
    here.call("DELETE", f"/users/{created['id']}")


def test_what_refers_to_what_is_not_there_is_left_out_and_named(here: Place, there: Place) -> None:
    done = there.load(here.export("skills", "sessions"))
    assert done.conflicts["sessions"] == 4
    assert done.words[0].endswith("what it refers to is not there")


def test_a_child_that_stands_before_its_parent_comes_too(here: Place, there: Place) -> None:
    lines = here.export().splitlines(keepends=True)
    sessions = [line for line in lines if line.startswith(b'{"table":"sessions"')]
    at = lines.index(sessions[0])
    done = there.load(b"".join([*lines[:at], *reversed(sessions), *lines[at + len(sessions) :]]))
    assert not done.conflicts
    assert there.lists() == here.lists()


def test_it_is_one_snapshot(here: Place) -> None:
    made: list[str] = []

    def write(_line: str) -> None:
        body = {"name": f"late{len(made)}", "project_id": "alpha", "prompt": "x"}
        made.append(here.call("POST", "/tasks", json=body).json["id"])

    content = here.export(report=write)
    assert content.index(b'"table":"projects"') < content.index(b'"table":"tasks"')
    assert not any(task.encode() in content for task in made)
    for task in made:
        here.call("DELETE", f"/tasks/{task}")


def test_secrets_of_sessions_are_in_no_backup(here: Place) -> None:
    tables = json.loads(here.export(secrets=True).splitlines()[0])["tables"]
    assert not {"session_tokens", "session_endpoints", "idempotency_keys", "signing_keys", "changes"} & set(tables)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no JSON"),
        (b"hello\n", "Line 1 is no JSON"),
        (b'{"some": "file"}\n', "no file that"),
        (b'{"format": "ambient-backup", "version": 99}\n', "has format 99"),
        (
            b'{"format": "ambient-backup", "version": 1, "revisions": ["sessions_9999"], "tables": []}\n{"end": true, "rows": 0}\n',
            "newer schema sessions_9999",
        ),
        (b'{"format": "ambient-backup", "version": 1, "revisions": [], "tables": ["moons"]}\n', "has moons"),
        (
            b'{"format": "ambient-backup", "version": 1, "revisions": [], "tables": ["users"]}\n{"table": "changes", "row": {}}\n',
            "Line 2 is no row",
        ),
        (
            b'{"format": "ambient-backup", "version": 1, "revisions": [], "tables": ["users"]}\n{"end": true, "rows": 3}\n',
            "it has 3 rows, and 0 came",
        ),
    ],
)
def test_a_file_that_is_no_backup_is_refused_in_words(there: Place, content: bytes, words: str) -> None:
    with pytest.raises(SetupError, match=words):
        there.load(content)


def test_a_row_that_breaks_a_rule_is_left_out_alone(here: Place, there: Place) -> None:
    content = here.export("projects").replace(b'"id":"alpha"', b'"id":null')
    done = there.load(content)
    assert (done.created["projects"], done.conflicts["projects"]) == (1, 1)
    assert "rule" in done.words[0]


def test_the_commands_write_a_file_for_its_owner_and_read_it(
    here: Place, there: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "backup.ndjson"
    monkeypatch.setenv("AMBIENT_PROFILE", "development")
    monkeypatch.setenv("AMBIENT_DATABASE_URL", here.settings.database_url)
    written = CliRunner().invoke(cli, ["db", "export", "--output", str(path)])
    assert written.exit_code == 0, written.output
    assert path.stat().st_mode & 0o777 == 0o600
    assert [*tmp_path.iterdir()] == [path]
    monkeypatch.setenv("AMBIENT_DATABASE_URL", there.settings.database_url)
    read = CliRunner().invoke(cli, ["db", "import", str(path)])
    assert read.exit_code == 0, read.output
    assert there.lists() == here.lists()


def test_an_unknown_kind_and_a_place_that_cannot_be_written_are_named(
    here: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMBIENT_PROFILE", "development")
    monkeypatch.setenv("AMBIENT_DATABASE_URL", here.settings.database_url)
    with pytest.raises(SetupError, match="no kind 'Moon'"):
        here.export("Moon")
    answer = CliRunner().invoke(cli, ["db", "export", "--output", str(tmp_path / "none" / "file")])
    assert answer.exit_code != 0
    assert "cannot be written" in str(answer.exception or answer.output)


def test_a_database_that_is_behind_is_refused(server: Any, settings: Settings) -> None:
    name = f"test_{secrets.token_hex(4)}"
    own = replace(settings, database_url=server.create(name))
    try:
        with pytest.raises(SetupError, match="ambient db upgrade"):
            backup.export(own, io.BytesIO())
    finally:
        server.drop(name)


def test_memory_does_not_grow_with_the_rows(here: Place) -> None:
    """COPY's pieces go on as they come: what is held at once is bounded, however many rows there are."""
    largest = 0

    class Sink(io.RawIOBase):
        def write(self, piece: Any) -> int:
            nonlocal largest
            largest = max(largest, len(piece))
            return len(piece)

    here.query(
        "INSERT INTO users (id, version, created_at, updated_at, username, name) SELECT 'bulk' || n, 1, now(), now(), 'bulk' || n, "
        "repeat('x', 200) FROM generate_series(1, 20000) AS n RETURNING 1"
    )
    rows = backup.export(here.settings, Sink(), ["users"])  # type: ignore[arg-type]
    here.query("DELETE FROM users WHERE id LIKE 'bulk%' RETURNING 1")
    assert rows >= 20000
    assert largest < 2 * 1024 * 1024
