"""What the control plane's process loads: memory that it keeps for as long as it lives."""

import subprocess
import sys

import pytest

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
