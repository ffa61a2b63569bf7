"""What the agent can do: list, search, read and write files, see the diff; run programs only where that is allowed."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic_ai import FunctionToolset, ModelRetry

from ambient_runner.skills import skills_of
from ambient_runner.workspace import Workspace, WorkspaceError

T = TypeVar("T")


def toolset_of(workspace: Workspace, commands: Sequence[str]) -> FunctionToolset[None]:
    """The tools over one workspace.

    Args:
        workspace: where they work.
        commands: programs that may be run; without any there is no such tool.
    """
    toolset: FunctionToolset[None] = FunctionToolset()

    @toolset.tool_plain
    def list_files(folder: str = ".") -> list[str]:
        """List the files below a folder of the workspace."""
        return _asked(lambda: workspace.files(folder))

    @toolset.tool_plain
    def search_files(pattern: str, folder: str = ".") -> list[str]:
        """Search files for a regular expression; answers path:line: text."""
        return _asked(lambda: workspace.search(pattern, folder))

    @toolset.tool_plain
    def read_file(path: str) -> str:
        """Read a text file."""
        return _asked(lambda: workspace.read(path))

    @toolset.tool_plain
    def write_file(path: str, content: str) -> str:
        """Write a text file, in place of what was there."""
        _asked(lambda: workspace.write(path, content))
        return f"Wrote {path}."

    @toolset.tool_plain
    def git_diff(repository: str = ".") -> str:
        """Show what changed in a repository since its last commit."""
        return _asked(lambda: workspace.diff(repository))

    @toolset.tool_plain
    def load_skill(name: str) -> str:
        """Read one of the session's skills."""
        found = {skill.name: skill.path for skill in skills_of(workspace)}
        if name not in found:
            raise ModelRetry(f"There is no skill {name!r}; there are: {', '.join(sorted(found)) or 'none'}.")
        return _asked(lambda: workspace.read(found[name]))

    if commands:
        _add_commands(toolset, workspace, commands)
    return toolset


def _add_commands(toolset: FunctionToolset[None], workspace: Workspace, commands: Sequence[str]) -> None:
    @toolset.tool_plain
    def run_command(command: list[str], folder: str = ".") -> str:
        """Run a program with its arguments, without a shell."""
        if not command or command[0] not in commands:
            raise ModelRetry(f"Only these programs may be run: {', '.join(commands)}.")
        return _asked(lambda: workspace.run(command, folder))


def _asked(act: Callable[[], T]) -> T:
    """What is not possible goes back to the model in words; it may try something else."""
    try:
        return act()
    except WorkspaceError as fault:
        raise ModelRetry(str(fault)) from None
