"""A PostgreSQL that somebody else runs, given by its URL: for the tests, and for `ambient dev`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ambient_core.embedded.postgres import EmbeddedPostgres
from tests.e2e.conftest import System

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("given")]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    made = EmbeddedPostgres(tmp_path_factory.mktemp("given"), durable=False, max_connections=200).start()
    yield made
    made.stop()
    made.remove()


@pytest.mark.timeout(900)
def test_the_suite_passes_against_it(given: EmbeddedPostgres) -> None:
    tests = ["tests/contract", "tests/core", "plugins", "--ignore=tests/core/test_embedded.py"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow", *tests],
        cwd=ROOT,
        env={**os.environ, "AMBIENT_TEST_DATABASE_URL": given.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_whole_system_runs_on_it_and_leaves_it_running(given: EmbeddedPostgres, tmp_path: Path) -> None:
    system = System(tmp_path / "data", DATABASE_URL=given.url).start()
    session = system.session(prompt="Look.", stop_on_run_finished=True)
    system.until(session, "Completed")
    assert not (system.folder / "postgres").exists()
    assert system.stop() == 0
    assert given.poll() is None
