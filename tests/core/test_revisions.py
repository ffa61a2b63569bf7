"""Which revisions there are, by their files, and which of them are pending."""

from pathlib import Path

import pytest

from ambient_core import migrate
from ambient_core.errors import SetupError
from ambient_core.plugins import Plugins
from ambient_core.revisions import Branch, branch_of, branches_of, pending

TWO = Branch("zoo", Path(), {"zoo_1": frozenset(), "zoo_2": frozenset({"zoo_1", "core_1"})})


def write(folder: Path, text: str) -> Path:
    (folder / "0001_first.py").write_text(text)
    return folder


def test_ids_are_read_without_running_the_file(tmp_path: Path) -> None:
    folder = write(
        tmp_path, "import nowhere\nrevision: str = 'zoo_2'\ndown_revision = 'zoo_1'\ndepends_on = ('core_1',)\n"
    )
    assert branch_of("zoo", folder) == Branch("zoo", folder, {"zoo_2": frozenset({"zoo_1", "core_1"})})


@pytest.mark.parametrize("text", ["this is no python", "down_revision = None", "revision = 'zoo_%d' % 1"])
def test_a_file_without_an_id_that_is_written_out_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(SetupError, match="migration 0001_first.py"):
        branch_of("zoo", write(tmp_path, text))


def test_what_a_head_builds_on_is_not_pending() -> None:
    core = Branch("core", Path(), {"core_1": frozenset()})
    assert pending([], [core, TWO]) == ["core_1", "zoo_1", "zoo_2"]
    assert pending(["zoo_1"], [core, TWO]) == ["core_1", "zoo_2"]
    assert pending(["zoo_2"], [core, TWO]) == []


def test_the_files_say_what_alembic_reads_when_it_runs_them(plugins: Plugins) -> None:
    run, faults = migrate.readable_branches(plugins)
    assert (branches_of(plugins), faults) == (run, {})
