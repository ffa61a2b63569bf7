"""The command line, as a process."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ambient_core.secrets.keyring import new_keyring
from tests.e2e.conftest import free_port

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]


def ambient(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "ambient_core", *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AMBIENT_", "DATABASE_URL"))}
    return subprocess.run(
        command, capture_output=True, text=True, env={**clean, **environment}, cwd=ROOT, timeout=100, check=False
    )


@pytest.fixture
def empty(server: Any) -> Iterator[str]:
    name = f"cli_{secrets.token_hex(4)}"
    yield server.create(name)
    server.drop(name)


def test_help_lists_every_command_and_imports_nothing_heavy() -> None:
    shown = ambient("--help").stdout
    for command in (
        "apply",
        "config",
        "controlplane",
        "credentials",
        "db",
        "dev",
        "login",
        "logout",
        "openapi",
        "plugins",
        "serve",
        "version",
        "whoami",
    ):
        assert f"\n  {command} " in shown
    script = (
        "import sys; from click.testing import CliRunner; from ambient_core.cli import cli; "
        "assert CliRunner().invoke(cli, ['--help']).exit_code == 0; "
        "print([m for m in ('flask', 'sqlalchemy', 'psycopg', 'gevent', 'ambient_sessions', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("command", [["serve"], ["controlplane", "run"]])
def test_production_refuses_to_start_in_one_line(command: list[str]) -> None:
    done = ambient(*command, DATABASE_URL="postgresql://user:very-secret@127.0.0.1:1/db")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "needs an identity provider" in done.stderr
    assert "very-secret" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AUTHORIZATION", "", "authorization is not set"),
        ("PLUGINS_DISABLED", "access", "plugins_disabled names it"),
        ("OIDC_ISSUER", "http://login.example.com", "oidc_issuer: issuer is"),
        ("CONTROL_PLANE_TOKEN_FILE", "/nowhere/token", "control_plane_token_file: /nowhere/token cannot be read"),
    ],
)
def test_what_no_worker_could_start_with_is_refused_in_one_line_before_there_is_any(
    name: str, value: str, words: str
) -> None:
    given = {"OIDC_ISSUER": "https://login.example.com", "OIDC_AUDIENCE": "ambient", "KEYRING": new_keyring()}
    ports = {name: f"127.0.0.1:{free_port()}" for name in ("BIND", "HEALTH_BIND", "METRICS_BIND")}
    environment = {f"AMBIENT_{key}": text for key, text in {**given, **ports, name: value}.items()}
    done = ambient("serve", DATABASE_URL="postgresql://user@127.0.0.1:1/db", **environment)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert words in done.stderr


@pytest.mark.parametrize("command", ["status", "prune", "export", "import", "check", "upgrade"])
def test_a_database_that_is_away_is_one_line(command: str) -> None:
    more = ["pyproject.toml"] if command == "import" else []
    away = "postgresql://user:very-secret@127.0.0.1:1/db"
    done = ambient("db", command, *more, AMBIENT_PROFILE="development", DATABASE_URL=away)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "does not answer" in done.stderr
    assert "very-secret" not in done.stderr


def test_the_database_goes_up_is_checked_and_comes_down(empty: str) -> None:
    def db(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return ambient("db", *arguments, AMBIENT_PROFILE="development", DATABASE_URL=empty)

    waiting = db("check")
    assert (waiting.returncode, "pending: sessions_0001" in waiting.stdout) == (1, True)
    assert db("upgrade").returncode == 0
    assert db("check").returncode == 0
    assert "Go on?" in db("downgrade", "base").stdout
    assert db("check").returncode == 0
    assert db("downgrade", "base", "--yes").returncode == 0
    assert db("check").returncode == 1


def test_a_database_that_is_away_is_said_in_one_line() -> None:
    done = ambient("db", "upgrade", DATABASE_URL="postgresql://127.0.0.1:1/none?connect_timeout=2")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "The database does not answer" in done.stderr


def test_plugins_are_listed_with_their_state() -> None:
    rows = [line.split() for line in ambient("plugins").stdout.splitlines()]
    assert [row[0] for row in rows if row[2] == "serving"] == [
        "access",
        "credentials",
        "projects",
        "sessions",
        "skills",
        "tasks",
        "users",
    ]


def test_the_contract_is_what_the_code_says() -> None:
    done = ambient("openapi", "--check", AMBIENT_PROFILE="development")
    assert (done.returncode, done.stdout) == (0, "The contract is what the code says.\n")


def test_a_contract_that_drifted_is_named(tmp_path: Path) -> None:
    stale = tmp_path / "openapi.yaml"
    stale.write_text((ROOT / "openapi.yaml").read_text().replace("Ambient API", "Other API", 1))
    done = ambient("openapi", "--check", "--output", str(stale))
    assert (done.returncode, "is not what the code says" in done.stdout) == (1, True)


def test_version_says_the_installed_one() -> None:
    assert ambient("version").stdout.strip().endswith("0.1.0")


def test_a_command_is_looked_for_among_plugins_by_the_same_environment_and_flags_as_ours() -> None:
    unknown = ambient("unheard-of", AMBIENT_SESSIONS_RUNTIME="local")
    assert "No such command 'unheard-of'" in unknown.stderr
    refused = ambient("--log-level", "loud", "unheard-of")
    assert (refused.returncode, "log_level is 'loud'" in refused.stderr) == (1, True)
