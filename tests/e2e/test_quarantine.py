"""A system with a broken plugin for each cause: it starts, serves, and says the same of each of them everywhere."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import System

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("quarantine")]

KIND = """
from sqlalchemy import String
from sqlalchemy.orm import Mapped
from ambient_core import Kind, Resource, field, hookimpl

class {name}(Resource):
    '''A beast.'''
    __tablename__ = "{plural}"
    call: Mapped[str] = field(String(9), doc="Its call.")

@hookimpl
def ambient_kinds():
    yield Kind({name})
"""
MIGRATION = """
revision = "lions_0001"
down_revision = None
branch_labels = ("lions",)
depends_on = None

def upgrade():
    raise RuntimeError("no lions today")

def downgrade():
    pass
"""
BROKEN = {
    "ants": ("import nowhere_to_be_found", "does not import: ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
    "bees": (
        "from ambient_core import hookimpl\n@hookimpl\ndef ambient_kindz(): ...",
        "there is no hook ambient_kindz; did you mean ambient_kinds?",
    ),
    "lions": (KIND.format(name="Lion", plural="lions"), "migration failed: RuntimeError: no lions today"),
    "owls": (
        KIND.format(name="Owl", plural="errors"),
        "GET '/api/ambient/v1/errors' is served by the core already.",
    ),
    "tigers": (
        KIND.format(name="Skill", plural="tigers"),
        "The name 'Skill' is taken by kind 'Skill' of plugin 'skills'.",
    ),
    "wolves": (
        KIND.format(name="Wolf", plural="wolves").replace("String(9)", "LargeBinary").replace("import String", "import LargeBinary"),
        "the schema of Wolf cannot be rendered: Field 'call' has the type LargeBinary(), which has no place in JSON; "
        "see docs/plugins.md.",
    ),
    "yaks": (KIND.format(name="Yak", plural="skills"), "does not import: Table 'skills' is taken by another plugin."),
}  # fmt: skip
REASONS = {name: reason for name, (_, reason) in BROKEN.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Distributions as pip would leave them."""
    made = tmp_path_factory.mktemp("broken")
    for name, (text, _) in BROKEN.items():
        package = made / f"stranger_{name}"
        package.mkdir()
        (package / "__init__.py").write_text(text)
        metadata = made / f"stranger_{name}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: stranger-{name}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[ambient.plugins]\n{name} = stranger_{name}\n")
    (made / "stranger_lions" / "migrations").mkdir()
    (made / "stranger_lions" / "migrations" / "0001_lions.py").write_text(MIGRATION)
    return made


@pytest.fixture(scope="module")
def zoo(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    started = System(tmp_path_factory.mktemp("zoo") / "data", PYTHONPATH=str(folder)).start()
    yield started
    assert started.stop() == 0


def test_the_api_says_why_and_serves_the_rest(zoo: System) -> None:
    items = zoo.ask("GET", "/plugins").json()["items"]
    assert {entry["name"]: entry["reason"] for entry in items if entry["state"] == "set aside"} == REASONS
    assert {entry["name"] for entry in items if entry["state"] == "serving"} == {
        "access", "credentials", "projects", "sessions", "skills", "tasks", "users",
    }  # fmt: skip
    zoo.until(zoo.session(prompt="Look.", stop_on_run_finished=True), "Completed")


def test_readiness_says_why_and_is_ready(zoo: System) -> None:
    answer = httpx.get(f"http://127.0.0.1:{zoo.ports['health-port']}/readyz", trust_env=False)
    assert (answer.status_code, answer.json()["plugins_set_aside"]) == (200, REASONS)


def ambient(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(folder), "AMBIENT_PROFILE": "development"}
    command = [sys.executable, "-m", "ambient_core", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_command_line_says_why(folder: Path) -> None:
    shown = ambient(folder, "plugins").stdout
    # Nobody has tried the migration here: without a database it cannot be known.
    for reason in set(REASONS.values()) - {REASONS["lions"]}:
        assert reason in shown


def test_strict_refuses_to_start_in_the_same_words(folder: Path) -> None:
    done = ambient(folder, "--strict", "openapi")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    for name in ("ants", "bees", "tigers", "wolves", "yaks"):
        assert f"plugin {name}: {REASONS[name]}" in done.stderr
