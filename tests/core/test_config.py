"""Settings: where each comes from, and what is refused, in words that help."""

import socket
from pathlib import Path
from typing import Any

import pytest

from ambient_core.config import (
    Settings,
    Sources,
    load,
    markdown,
    redacted,
)
from ambient_core.config.listeners import check_free, host_and_port
from ambient_core.errors import SetupError
from ambient_core.profiles import check_profile


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ambient.toml"
    path.write_text("workers = 3\npool_size = 4\nlog_level = 'warning'\n[sessions]\nruntime = 'x'\n")
    return path


def loaded(file: Path | None = None, flags: dict[str, Any] | None = None, **environment: str) -> Any:
    return load(Settings, Sources(file, environment, flags or {}))


def test_flags_beat_the_environment_beats_the_file_beats_defaults(file: Path) -> None:
    found = loaded(file, {"log_level": "error"}, AMBIENT_POOL_SIZE="5", AMBIENT_LOG_LEVEL="debug")
    values = found.settings
    assert (values.workers, values.pool_size, values.log_level, values.bind) == (3, 5, "error", "127.0.0.1:8000")
    assert [found.origins[n] for n in ("workers", "pool_size", "log_level", "bind")] == [
        f"file {file}",
        "environment AMBIENT_POOL_SIZE",
        "flag --log-level",
        "default",
    ]


def test_a_secret_may_come_from_a_file_and_from_its_usual_name(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://a:b@c/d\n")
    assert loaded(AMBIENT_DATABASE_URL_FILE=str(secret)).settings.database_url == "postgresql://a:b@c/d"
    assert loaded(DATABASE_URL="postgresql://e/f").settings.database_url == "postgresql://e/f"
    both = loaded(DATABASE_URL="postgresql://e/f", AMBIENT_DATABASE_URL="postgresql://g/h")
    assert both.settings.database_url == "postgresql://g/h"


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"AMBIENT_WORKERS": "many"}, "AMBIENT_WORKERS is 'many'; it must be a whole number"),
        ({"AMBIENT_WORKERS": "0"}, "AMBIENT_WORKERS is '0'; it must be at least 1"),
        (
            {"AMBIENT_CHANGE_RETENTION_DAYS": "inf"},
            "is 'inf'; it must be a number. Days for which the change log is kept, 0 for ever",
        ),
        ({"AMBIENT_CHANGE_RETENTION_DAYS": "nan"}, "is 'nan'; it must be a number"),
        (
            {"AMBIENT_CHANGE_RETENTION_DAYS": "-1"},
            "it must be at least 0. Days for which the change log is kept, 0 for ever",
        ),
        ({"AMBIENT_STRICT": "perhaps"}, "it must be true or false"),
        ({"AMBIENT_PROFILE": "staging"}, "it must be one of production, development"),
        ({"AMBIENT_WORKRES": "2"}, "AMBIENT_WORKRES, which is no setting; did you mean AMBIENT_WORKERS"),
        ({"AMBIENT_DATABASE_URL_FILE": "/nowhere/url"}, "cannot be read"),
    ],
)
def test_a_wrong_environment_is_named_with_its_rule(environment: dict[str, str], words: str) -> None:
    with pytest.raises(SetupError, match=words):
        loaded(**environment)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("wrkers = 3", "sets 'wrkers', which is no setting; did you mean workers"),
        ("workers = ", "no valid TOML"),
        ("workers = 'x'", "workers is 'x'; it must be a whole number"),
        ("workers = [3]", r"workers is \[3\]; it must be a whole number"),
        ("workers = inf", "workers is inf; it must be a whole number"),
    ],
)
def test_a_wrong_file_is_named_with_its_rule(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(SetupError, match=words):
        loaded(path)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read: No such file"):
        loaded(tmp_path / "none.toml")


def test_a_secret_is_shown_nowhere_not_even_when_it_is_wrong() -> None:
    found = loaded(AMBIENT_DATABASE_URL="postgresql://user:very-secret@host/db")
    assert ("database_url", "(set)") in [(name, value) for name, value, _, _ in redacted(found)]
    assert "very-secret" not in str(redacted(found))


def test_production_refuses_to_start_and_says_why() -> None:
    with pytest.raises(SetupError, match="needs an identity provider"):
        check_profile(Settings(database_url="postgresql://a/b"))


@pytest.mark.parametrize("missing", ["database_url", "developer_token_file", "control_plane_token_file"])
def test_the_development_profile_names_what_it_lacks(missing: str) -> None:
    given: dict[str, Any] = {
        "database_url": "postgresql://a/b",
        "developer_token_file": Path("x"),
        "control_plane_token_file": Path("y"),
    }
    check_profile(Settings(profile="development", **given))
    given[missing] = None
    with pytest.raises(SetupError, match=f"^{missing} is not set"):
        check_profile(Settings(profile="development", **given))


@pytest.mark.parametrize("text", ["", "8000", "host:", ":8000", "host:port", "host:99999"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(SetupError, match="must be host:port"):
        host_and_port("bind", text)


def test_an_address_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SetupError, match=f"bind {address} cannot be used: Address already in use"):
            check_free("bind", address)


def test_every_setting_is_documented_with_a_sentence() -> None:
    rows = markdown(Settings).splitlines()[2:]
    assert all(row.rstrip(" |").endswith((".", "`.")) for row in rows), rows
