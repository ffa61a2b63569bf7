"""What the control plane's process loads: memory that it keeps for as long as it lives."""

import subprocess
import sys
from pathlib import Path

import pytest

# So that its process is started once, and not by each of those that share the tests.
pytestmark = pytest.mark.xdist_group("footprint")
_START = """
import sys
from ambient_core.cli.commands import controlplane
from ambient_core.config import Settings
from ambient_core.controlplane import loop
from ambient_core.serving.health import checks_of
settings = Settings(database_url="postgresql://nobody@127.0.0.1:1/none")
plugins = loop.load_plugins(settings)
assert loop.reconcilers_of(plugins), plugins.set_aside
checks_of(settings, plugins)
print(*sorted(name for name in sys.modules if "." not in name))
"""
_READ = """
import gc
import sys
from pathlib import Path
import orjson
from ambient_core.config import Settings
from ambient_core.controlplane import loop
page = orjson.dumps([{"metadata": {"name": [number]}} for number in range(20_000)])
def read(plane):
    before = gc.get_stats()[2]["collections"]
    for _ in range(20):
        orjson.loads(page)
    print("whole collections:", gc.get_stats()[2]["collections"] - before)
loop.ControlPlane.run = read
loop.run(Settings(database_url="postgresql://nobody@127.0.0.1:1/none", control_plane_token_file=Path(sys.argv[1])), gateway=False)
"""
_OF_OTHERS = ("alembic", "cryptography", "flask_migrate", "gevent", "gunicorn", "joserfc", "kubernetes", "mako")


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The packages that are loaded when the control plane begins to work."""
    done = subprocess.run([sys.executable, "-c", _START], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("package", _OF_OTHERS)
def test_the_control_plane_loads_nothing_that_only_other_processes_need(package: str, loaded: set[str]) -> None:
    assert "ambient_sessions" in loaded
    assert package not in loaded


def test_the_control_plane_loads_few_models_of_the_client() -> None:
    counted = "print(sum(name.startswith('ambient_sdk._generated.models.') for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", _START + counted], capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) < 40


def test_lists_are_read_without_the_collector_looking_at_all_that_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t")
    command = [sys.executable, "-c", _READ, str(tmp_path / "token")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "whole collections: 0\n" in done.stdout
