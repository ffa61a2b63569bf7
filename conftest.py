"""Fixtures for every test: a real PostgreSQL, a fresh database, the application over it."""

import gc
import os
import re
import secrets
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from ambient_core import migrate
from ambient_core.app import Application, create_app
from ambient_core.config import Settings
from ambient_core.embedded.postgres import EmbeddedPostgres
from ambient_core.plugins import Plugins, load_plugins
from ambient_core.secrets.keyring import new_keyring

BASE = "/api/ambient/v1"
_LONGEST = ("lives", "kube", "parts", "given", "system", "scaffold", "keycloak", "chaos", "agui", "provider")
LONGEST = {name: place for place, name in enumerate(_LONGEST)}
"""Groups of tests that take a minute or more, the longest first."""
_ALL_SLOW = re.compile(r"^pytestmark = .*\bpytest\.mark\.slow\b", re.MULTILINE)


class Server:
    """A PostgreSQL server for tests: ours, or one that is given by its URL."""

    def __init__(self, url: str, embedded: EmbeddedPostgres | None) -> None:
        self.url = url
        self.embedded = embedded

    def create(self, name: str, template: str = "template1") -> str:
        """A new database; answers its URL."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            # Nothing here outlives a crash, so the check points that a copy of files asks for cost nothing.
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        head, _, tail = self.url.partition("?")
        return f"{head.rsplit('/', 1)[0]}/{name}{'?' + tail if tail else ''}"

    def drop(self, name: str) -> None:
        """Drop a database."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server of this test process."""
    given = os.environ.get("AMBIENT_TEST_DATABASE_URL")
    if given:
        yield Server(given, None)
        return
    embedded = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), durable=False, max_connections=200).start()
    yield Server(embedded.url, embedded)
    embedded.stop()
    embedded.remove()


@pytest.fixture(scope="session", autouse=True)
def no_contexts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nobody's own logins: commands of tests go where the test says."""
    before = os.environ.get("AMBIENT_HOME")
    os.environ["AMBIENT_HOME"] = str(tmp_path_factory.mktemp("home") / "ambient")
    yield
    if before is None:
        del os.environ["AMBIENT_HOME"]
    else:
        os.environ["AMBIENT_HOME"] = before


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Token files of the two principals of the development profile."""
    folder = tmp_path_factory.mktemp("tokens")
    files = {name: folder / name for name in ("developer", "control-plane")}
    for name, path in files.items():
        path.write_text(f"token-of-{name}-0123456789")
        path.chmod(0o600)
    return files


@pytest.fixture(scope="session")
def settings(tokens: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings without a database."""
    return Settings(
        profile="development",
        developer_token_file=tokens["developer"],
        control_plane_token_file=tokens["control-plane"],
        keyring=new_keyring(),
        data_dir=tmp_path_factory.mktemp("data"),
        # Where many tests share few processors, a connection takes seconds to come, and a 503 would be taken for an answer.
        statement_timeout=30,
        pool_timeout=20,
        rate_limit=0,
        address_rate_limit=0,
        failed_rate_limit=0,
        principal_stream_limit=0,
    )


@pytest.fixture(scope="session")
def template(server: Server, settings: Settings) -> Iterator[str]:
    """A migrated database that others are copied from."""
    name = f"template_{secrets.token_hex(4)}"
    url = server.create(name)
    migrate.upgrade(replace(settings, database_url=url, strict=True), report=lambda _line: None)
    yield name
    server.drop(name)


@pytest.fixture(scope="module")
def database_url(server: Server, template: str) -> Iterator[str]:
    """A fresh, migrated database for one module."""
    name = f"test_{secrets.token_hex(4)}"
    yield server.create(name, template)
    server.drop(name)


@pytest.fixture(scope="module")
def plugins(settings: Settings) -> Plugins:
    """The installed plugins."""
    return load_plugins(settings)


@pytest.fixture(scope="module")
def app(settings: Settings, database_url: str, plugins: Plugins) -> Iterator[Application]:
    """The application over the module's database."""
    application = create_app(replace(settings, database_url=database_url), plugins=plugins)
    yield application
    application.runtime.database.close()


class Caller:
    """Sends requests as one principal, and reads JSON."""

    def __init__(self, client: FlaskClient, token: str | None) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __call__(self, method: str, path: str, **options: Any) -> Any:
        """Send one request; ``path`` is below the base path."""
        headers = {**self.headers, **options.pop("headers", {})}
        address = path if path.startswith(("/api", "/.well-known")) else BASE + path
        return self.client.open(address, method=method, headers=headers, **options)


@pytest.fixture(scope="module")
def call(app: Application, tokens: dict[str, Path]) -> Caller:
    """The developer."""
    return Caller(app.test_client(), tokens["developer"].read_text())


@pytest.fixture(scope="module")
def control_plane(app: Application, tokens: dict[str, Path]) -> Caller:
    """The control plane."""
    return Caller(app.test_client(), tokens["control-plane"].read_text())


@pytest.fixture(scope="module")
def caller(app: Application) -> Callable[[str | None], Caller]:
    """Anybody, by token."""
    return lambda token: Caller(app.test_client(), token)


@pytest.fixture(scope="session")
def calls(tokens: dict[str, Path]) -> Callable[[Application], Caller]:
    """The developer, of an application that a test builds itself."""
    return lambda application: Caller(application.test_client(), tokens["developer"].read_text())


@pytest.fixture(scope="module")
def project(call: Caller) -> str:
    """A project to put things in."""
    name = f"p{secrets.token_hex(4)}"
    assert call("POST", "/projects", json={"name": name}).status_code == 201
    return name


def pytest_configure(config: pytest.Config) -> None:
    """Markers, and what Flask's own test client leaves open."""
    config.addinivalue_line(
        "markers", "slow: starts or kills processes, or takes long itself; left out by make test-fast"
    )
    config.addinivalue_line("markers", "kube: needs the Kubernetes API server that make plane builds; slow as well")
    config.addinivalue_line(
        "markers", "keycloak: needs Java and Maven, and says so where they are missing; slow as well"
    )
    # As pytest-xdist says it, for runs without.
    config.addinivalue_line("markers", "xdist_group(name): runs in one process with the others of that name")
    warnings.simplefilter("error")
    # An application is some hundred thousand objects that stay; looking through them so often finds nothing.
    gc.set_threshold(20_000, 20, 20)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where slow tests are left out, a file that has no others is not imported."""
    if "not slow" in config.option.markexpr and collection_path.suffix == ".py":
        return bool(_ALL_SLOW.search(collection_path.read_text())) or None
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests over one database run in one process, so that it and its application are made once."""
    for item in items:
        if "database_url" in getattr(item, "fixturenames", ()) and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


def _place(item: pytest.Item) -> int:
    """What takes long before what does not."""
    others = len(LONGEST) if item.get_closest_marker("slow") else len(LONGEST) + 1
    return LONGEST.get(item.nodeid.rpartition("@")[2], others)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Where several processes share the tests, the longest groups are first, so that none is left alone with one in the end."""
    if session.config.getoption("loadgroup", default=False):
        lone = next(
            (i.nodeid for i in session.items if i.get_closest_marker("xdist_group") and "@" not in i.nodeid), ""
        )
        if lone:
            raise pytest.UsageError(
                f"This pytest-xdist does not see groups of tests with this pytest; {lone} is alone."
            )
        session.items.sort(key=_place)
    # What was imported and collected stays: the garbage collector need not look through all of it again and again.
    gc.collect()
    gc.freeze()
