"""The command line against a server on a real socket, which serves a stranger's kind too."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ambient_core.cli import cli
from tests.core.console.keepers import serving
from tests.sockets import Quiet, on_a_socket

Ambient = Callable[..., Result]


@pytest.fixture(scope="module")
def zoo(settings: Any, database_url: str) -> Iterator[Any]:
    with serving(settings, database_url) as app:
        yield app


@pytest.fixture(scope="module")
def call(zoo: Any, calls: Any) -> Any:
    return calls(zoo)


@pytest.fixture(scope="module")
def url(zoo: Any) -> Iterator[str]:
    with on_a_socket(zoo, Quiet) as address:
        yield address


@pytest.fixture
def environment(url: str, tokens: Any, tmp_path: Path) -> dict[str, str]:
    return {
        "AMBIENT_API_URL": url,
        "AMBIENT_TOKEN": tokens["developer"].read_text(),
        "AMBIENT_PROFILE": "development",
        "AMBIENT_LOG_LEVEL": "error",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "HOME": str(tmp_path),
    }


@pytest.fixture
def ambient(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Ambient:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(cli, list(arguments), **options)

    return run


@pytest.fixture(scope="module")
def pride(call: Any) -> str:
    """Three lions, and a project with two sessions of one name, and one of another."""
    for name, rank, colour in (("Simba", 1, "gold"), ("Nala", 2, "sand"), ("Zira", 3, "sand")):
        body = {"name": name, "rank": rank, "colour": colour, "tame": rank < 3, "labels": {"herd": "pride"}}
        assert call("POST", "/lions", json=body).status_code == 201
    assert call("POST", "/projects", json={"name": "pride"}).status_code == 201
    for name in ("twin", "twin", "lone"):
        assert call("POST", "/sessions", json={"name": name, "project_id": "pride"}).status_code == 201
    return "pride"
