"""The agent's files: what it may do, and every way out of its folder that is closed."""

import os
import subprocess
from pathlib import Path

import pytest
from ambient_runner import workspace as workspace_module
from ambient_runner.workspace import LARGEST_READ, LARGEST_WRITE, Workspace, WorkspaceError


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
def workspace(tmp_path: Path, outside: Path) -> Workspace:
    root = tmp_path / "workspace"
    repository = root / "repo"
    repository.mkdir(parents=True)
    (repository / "README.md").write_text("# Read me\nTODO: more\n")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], cwd=repository, check=True)
    (root / "link-to-file").symlink_to(outside / "secret.txt")
    (root / "link-to-folder").symlink_to(outside)
    (repository / "up").symlink_to("../..")
    return Workspace(root)


def test_files_are_listed_searched_read_and_written(workspace: Workspace) -> None:
    workspace.write("repo/new/deep.txt", "hello TODO")
    assert workspace.files() == ["repo/README.md", "repo/new/deep.txt"]
    assert workspace.search("TODO", "repo") == ["repo/README.md:2: TODO: more", "repo/new/deep.txt:1: hello TODO"]
    workspace.write("repo/new/deep.txt", "x")
    assert workspace.read("repo/new/deep.txt") == "x"
    assert workspace.repositories() == ["repo"]


def test_the_diff_shows_changes_and_new_files(workspace: Workspace) -> None:
    assert workspace.diff("repo") == "?? up"
    workspace.write("repo/README.md", "# Changed\n")
    workspace.write("repo/REPORT.md", "new")
    shown = workspace.diff("repo")
    assert "+# Changed" in shown
    assert "?? REPORT.md" in shown


ESCAPES = [
    "../outside/secret.txt",
    "repo/../../outside/secret.txt",
    "/etc/passwd",
    "link-to-file",
    "link-to-folder/secret.txt",
    "repo/up/outside/secret.txt",
    "repo/up",
    "repo\0/x",
    "//etc/passwd",
    "./../outside/secret.txt",
]


@pytest.mark.parametrize("path", ESCAPES)
def test_no_path_leads_out_for_reading_writing_or_looking(workspace: Workspace, outside: Path, path: str) -> None:
    with pytest.raises(WorkspaceError):
        workspace.read(path)
    with pytest.raises(WorkspaceError):
        workspace.write(path, "changed")
    for look in (
        workspace.files,
        workspace.diff,
        lambda p: workspace.run(["ls"], p),
        lambda p: workspace.search("s", p),
    ):
        with pytest.raises(WorkspaceError):
            look(path)
    assert {entry.name: entry.read_text() for entry in outside.iterdir()} == {"secret.txt": "secret"}


def test_links_are_neither_listed_nor_searched(workspace: Workspace) -> None:
    assert "secret" not in "".join(workspace.files() + workspace.search("secret"))


def test_a_link_that_comes_after_the_first_look_is_not_followed(workspace: Workspace, outside: Path) -> None:
    workspace.write("repo/folder/file.txt", "mine")
    folder = workspace.root / "repo" / "folder"
    (folder / "file.txt").unlink()
    folder.rmdir()
    folder.symlink_to(outside)
    with pytest.raises(WorkspaceError, match="link"):
        workspace.write("repo/folder/file.txt", "theirs")
    assert not (outside / "file.txt").exists()


def test_a_hard_limit_keeps_what_is_read_and_written_small(workspace: Workspace) -> None:
    (workspace.root / "large.txt").write_text("x" * (LARGEST_READ + 10))
    assert workspace.read("large.txt").endswith("[cut here: the file is longer]")
    with pytest.raises(WorkspaceError, match="are the most"):
        workspace.write("larger.txt", "x" * (LARGEST_WRITE + 1))


@pytest.mark.parametrize("path", ["repo/.git/config", "repo/.git/hooks/post-checkout", ".git/config"])
def test_the_inside_of_git_is_not_for_writing(workspace: Workspace, path: str) -> None:
    with pytest.raises(WorkspaceError, match=".git"):
        workspace.write(path, "[core]\nfsmonitor = evil")


def test_what_is_no_text_file_says_so_and_does_not_block(workspace: Workspace) -> None:
    (workspace.root / "binary").write_bytes(b"a\0b")
    os.mkfifo(workspace.root / "pipe")
    for path, words in (
        ("binary", "no text"),
        ("pipe", "no regular file"),
        ("repo", "no regular file"),
        ("nope", "no such"),
    ):
        with pytest.raises(WorkspaceError, match=words):
            workspace.read(path)


def test_a_program_runs_without_a_shell_and_without_our_environment(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "very-secret")
    assert workspace.run(["echo", "$HOME; ls"]) == "status 0\n$HOME; ls\n"
    assert "very-secret" not in workspace.run(["env"])
    with pytest.raises(WorkspaceError, match="cannot be run"):
        workspace.run(["no-such-program"])


def test_a_pattern_that_is_none_says_so(workspace: Workspace) -> None:
    with pytest.raises(WorkspaceError, match="no regular expression"):
        workspace.search("(")


def test_the_diff_runs_no_program_that_a_file_of_the_workspace_names(workspace: Workspace, tmp_path: Path) -> None:
    evil = f'[filter "evil"]\n clean = touch {tmp_path / "ran"}; cat\n'
    for place in (".gitconfig", ".config/git/config"):
        workspace.write(place, evil)
    workspace.write("repo/.gitattributes", "* filter=evil\n")
    workspace.write("repo/README.md", "# Changed\n")
    assert "+# Changed" in workspace.diff("repo")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("how", ["link", "file"])
def test_the_diff_is_of_no_repository_that_lies_elsewhere(workspace: Workspace, outside: Path, how: str) -> None:
    (workspace.root / "repo" / ".git").rename(outside / "git")
    entry = workspace.root / "repo" / ".git"
    entry.symlink_to(outside / "git") if how == "link" else entry.write_text(f"gitdir: {outside / 'git'}\n")
    with pytest.raises(WorkspaceError, match="no folder"):
        workspace.diff("repo")


def test_a_program_that_writes_without_end_is_ended_and_fills_no_memory(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace_module, "COMMAND_TIMEOUT", 0.3)
    with pytest.raises(WorkspaceError, match="did not end"):
        workspace.run(["yes"])
    with pytest.raises(WorkspaceError, match="did not end"):
        workspace.run(["sh", "-c", "exec >&- 2>&-; exec sleep 600"])


def test_of_much_output_the_beginning_is_kept(workspace: Workspace) -> None:
    shown = workspace.run(["sh", "-c", f"head -c {4 * LARGEST_READ} /dev/zero | tr '\\0' x; exit 3"])
    assert shown == "status 3\n" + "x" * LARGEST_READ


def test_a_pattern_that_comes_to_no_end_is_given_up(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace_module, "SEARCH_TIMEOUT", 2)
    workspace.write("repo/trap.txt", "a" * 60 + "!")
    with pytest.raises(WorkspaceError, match="simpler pattern"):
        workspace.search("(a+)+$", "repo")
    assert workspace.search("a!$") == ["repo/trap.txt:1: " + "a" * 60 + "!"]


def test_a_search_takes_no_module_from_the_workspace(workspace: Workspace, tmp_path: Path) -> None:
    for name in ("re.py", "sitecustomize.py", "ambient_runner/__init__.py"):
        workspace.write(name, f"open({str(tmp_path / 'ran')!r}, 'w')")
    assert workspace.search("Read") == ["repo/README.md:1: # Read me"]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(("pattern", "words"), [("x" * 1001, "are the most"), ("(", "no regular"), ("a\0", "NUL")])
def test_a_pattern_that_is_none_is_refused(workspace: Workspace, pattern: str, words: str) -> None:
    with pytest.raises(WorkspaceError, match=words):
        workspace.search(pattern)
