"""The image: what can be known of it without a container engine."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.deploy import containerfile
from tests.deploy.containerfile import ROOT, instructions, stages

# The image is made once.
pytestmark = pytest.mark.xdist_group("image")
OURS = ("ambient-core", "ambient-sdk", "ambient-runner", "ambient-sessions", "ambient-projects", "ambient-users")


def test_every_base_image_is_pinned_to_a_release() -> None:
    given = dict(i.rest.split("=", 1) for i in instructions() if i.word == "ARG")
    bases = [re.sub(r"\$\{(\w+)\}", lambda found: given[found[1]], stage[0].rest.split()[0]) for stage in stages()]
    assert len(bases) == 2
    for base in bases:
        assert re.fullmatch(r"[\w.]+/[\w./-]+:\d+\.\d+\.\d+[\w.-]*", base), base


def test_it_runs_as_a_number_that_is_not_root() -> None:
    users = [i.rest for i in stages()[-1] if i.word == "USER"]
    assert users == ["1001:0"]


def test_nothing_secret_and_nothing_from_an_address_goes_in() -> None:
    assert not [i for i in instructions() if i.word == "ADD"]
    assert not [i for i in instructions() if re.search(r"(?i)(token|password|secret|api_?key)\s*=", i.rest)]


def test_only_what_is_named_goes_in() -> None:
    copied = [i.rest.split()[:-1] for i in stages()[0] if i.word == "COPY"]
    assert "." not in {source for group in copied for source in group}
    assert all((ROOT / source).exists() for group in copied for source in group)


def test_what_runs_is_started_without_a_shell() -> None:
    last = {i.word: json.loads(i.rest) for i in stages()[-1] if i.word in ("ENTRYPOINT", "CMD")}
    assert last == {"ENTRYPOINT": ["ambient"], "CMD": ["serve"]}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The virtual environment that the build stage makes."""
    return containerfile.build(tmp_path_factory.mktemp("image"), Path(sys.executable).parent)


def run(image: Path, folder: Path, *command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a program of the image with nothing of this environment, in an empty folder."""
    variables = {"PATH": f"{image / 'bin'}:/usr/bin:/bin", "HOME": str(folder), **environment}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_image_holds_all_our_projects_as_wheels(image: Path, tmp_path: Path) -> None:
    script = (
        "import importlib.metadata as m, json\n"
        "print(json.dumps({d.name: d.read_text('direct_url.json') for d in m.distributions()}))"
    )
    found = json.loads(run(image, tmp_path, "python", "-c", script).stdout)
    assert set(OURS) <= set(found)
    assert not [name for name, origin in found.items() if origin and '"editable"' in origin]
    assert "pytest" not in found


@pytest.mark.slow
def test_its_commands_run_and_every_plugin_serves(image: Path, tmp_path: Path) -> None:
    assert run(image, tmp_path, "ambient", "version").stdout.strip() == "0.1.0"
    listed = run(image, tmp_path, "ambient", "plugins", AMBIENT_PROFILE="development")
    assert listed.returncode == 0, listed.stderr
    states = {line.split()[0]: line.split()[2] for line in listed.stdout.splitlines()[1:]}
    assert {"credentials", "sessions", "projects", "skills", "tasks", "users"} <= set(states)
    assert set(states.values()) == {"serving"}
    assert (image / "bin" / "ambient-runner").exists()
    assert run(image, tmp_path, "python", "-c", "import ambient_runner.server").returncode == 0


@pytest.mark.slow
def test_its_contract_is_the_committed_one(image: Path, tmp_path: Path) -> None:
    made = run(image, tmp_path, "ambient", "openapi", AMBIENT_PROFILE="development")
    assert made.stdout == (ROOT / "openapi.yaml").read_text()


@pytest.mark.slow
def test_it_migrates_and_production_refuses_in_words(image: Path, tmp_path: Path, server: Any) -> None:
    url = server.create("image")
    (tmp_path / "url").write_text(url)
    done = run(image, tmp_path, "ambient", "db", "upgrade", AMBIENT_DATABASE_URL_FILE=str(tmp_path / "url"))
    assert done.returncode == 0, done.stderr
    with psycopg.connect(url) as connection:
        tables = {row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    assert {"changes", "projects", "sessions", "session_messages", "skills", "tasks", "users"} <= tables
    refused = run(image, tmp_path, "ambient", "serve", AMBIENT_DATABASE_URL_FILE=str(tmp_path / "url"))
    assert (refused.returncode, "production" in refused.stderr) == (1, True)
