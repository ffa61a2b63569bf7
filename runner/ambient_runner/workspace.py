"""The agent's files: everything it touches lies in one folder, whatever paths and links say.

Each step of a path is opened relative to the step before it, and no step may be a link: what was checked is what is
opened, also when somebody swaps a folder for a link in between.
"""

import os
import re
import select
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

LARGEST_READ = 256 * 1024
LARGEST_WRITE = 1024 * 1024
MOST_ENTRIES = 500
MOST_MATCHES = 100
LONGEST_LINE = 500
LONGEST_PATTERN = 1000
COMMAND_TIMEOUT = 60
SEARCH_TIMEOUT = 20
_HIDDEN = frozenset({".git"})
# The home folder is the workspace, where the agent may write a .gitconfig; such a file can name programs for git to run.
_OWN_GIT_ONLY = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}


def _configured(git: Mapping[str, str]) -> dict[str, str]:
    """Git's configuration as variables, which nothing in the workspace keeps."""
    found = {"GIT_CONFIG_COUNT": str(len(git)), "GIT_TERMINAL_PROMPT": "0"} if git else {}
    for number, (name, value) in enumerate(git.items()):
        found |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return found


class WorkspaceError(Exception):
    """What the agent asked for is not possible; the text tells it why."""


class Workspace:
    """A folder that nothing leaves.

    Args:
        root: the folder.
        git: git's configuration for programs that run in it, beside its own.
    """

    def __init__(self, root: Path, git: Mapping[str, str] | None = None) -> None:
        self.root = root.resolve()
        self._git = _configured(git or {})

    def repositories(self) -> list[str]:
        """Names of the folders of the first level that are git repositories."""
        return sorted(entry.name for entry in self.root.iterdir() if entry.is_dir() and (entry / ".git").exists())

    def files(self, folder: str = ".") -> list[str]:
        """Paths of all files below a folder, as they are named in this workspace, at most `MOST_ENTRIES`.

        Raises:
            WorkspaceError: there is no such folder.
        """
        descriptor = self._open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            prefix = "/".join(_parts(folder))
            found: list[str] = []
            for path in _walk(descriptor, prefix):
                found.append(path)
                if len(found) >= MOST_ENTRIES:
                    break
            return found
        finally:
            os.close(descriptor)

    def read(self, path: str) -> str:
        """Text of a file, at most `LARGEST_READ` bytes.

        Raises:
            WorkspaceError: it is no file, or no text.
        """
        with os.fdopen(self._open_file(path, os.O_RDONLY), "rb") as file:
            raw = file.read(LARGEST_READ + 1)
        if b"\0" in raw[:8192]:
            raise WorkspaceError(f"{path} is no text file.")
        text = raw[:LARGEST_READ].decode(errors="replace")
        return text if len(raw) <= LARGEST_READ else text + "\n[cut here: the file is longer]"

    def write(self, path: str, content: str) -> None:
        """Write a text file; folders on the way are made.

        Raises:
            WorkspaceError: the place is not in the workspace, not a file, or the content is too long.
        """
        raw = content.encode(errors="replace")
        if len(raw) > LARGEST_WRITE:
            raise WorkspaceError(f"The content has {len(raw)} bytes; {LARGEST_WRITE} are the most.")
        if ".git" in _parts(path):
            raise WorkspaceError("The inside of .git is not for writing.")
        with os.fdopen(self._open_file(path, os.O_WRONLY | os.O_CREAT, make=True), "wb") as file:
            file.truncate(0)
            file.write(raw)

    def search(self, pattern: str, folder: str = ".") -> list[str]:
        """Lines that match a regular expression, as ``path:number: line``, at most `MOST_MATCHES`.

        Raises:
            WorkspaceError: the pattern is no regular expression, or one that takes too long.
        """
        if len(pattern) > LONGEST_PATTERN:
            raise WorkspaceError(f"The pattern has {len(pattern)} characters; {LONGEST_PATTERN} are the most.")
        try:
            re.compile(pattern)
        except re.error as fault:
            raise WorkspaceError(f"{pattern[:80]!r} is no regular expression: {fault}.") from None
        os.close(self._open(folder, os.O_RDONLY | os.O_DIRECTORY))
        # A program of its own, because nothing else of this one goes on while an expression is matched.
        program = [sys.executable, "-I", str(Path(__file__).with_name("search.py"))]
        try:
            _, output = self._run([*program, str(self.root), folder, pattern], self.root, {}, SEARCH_TIMEOUT)
        except subprocess.TimeoutExpired:
            words = (
                f"The search took longer than {SEARCH_TIMEOUT} seconds; a simpler pattern or a smaller folder may do."
            )
            raise WorkspaceError(words) from None
        return output.split("\0")[:-1]

    def diff(self, repository: str = ".") -> str:
        """What changed in a repository since its last commit, new files included.

        Raises:
            WorkspaceError: it is no repository.
        """
        os.close(self._open(repository, os.O_RDONLY | os.O_DIRECTORY))
        folder = self.root.joinpath(*_parts(repository))
        if not (folder / ".git").exists():
            raise WorkspaceError(f"{repository} is no git repository.")
        # A file or a link would be a repository that lies somewhere else.
        os.close(self._open(f"{repository}/.git", os.O_RDONLY | os.O_DIRECTORY))
        git = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]
        try:
            status, changes = (
                self._run([*git, *rest], folder, _OWN_GIT_ONLY)[1]
                for rest in (["status", "--short"], ["diff", "--no-ext-diff", "--no-textconv", "HEAD"])
            )
        except subprocess.TimeoutExpired:
            raise WorkspaceError(f"git did not end within {COMMAND_TIMEOUT} seconds.") from None
        return f"{status}\n{changes}"[:LARGEST_READ].strip() or "Nothing has changed."

    def run(self, command: list[str], folder: str = ".") -> str:
        """Run a program in the workspace, without a shell; answers status and output.

        Raises:
            WorkspaceError: it cannot be run, or takes too long.
        """
        os.close(self._open(folder, os.O_RDONLY | os.O_DIRECTORY))
        try:
            status, output = self._run(command, self.root.joinpath(*_parts(folder)), self._git)
        except subprocess.TimeoutExpired:
            raise WorkspaceError(f"{command[0]} did not end within {COMMAND_TIMEOUT} seconds.") from None
        return f"status {status}\n{output}"

    def _run(
        self, command: list[str], folder: Path, git: Mapping[str, str], seconds: float | None = None
    ) -> tuple[int, str]:
        """Run a program; answers its status and what it wrote, at most `LARGEST_READ` bytes.

        Raises:
            TimeoutExpired: it goes on for too long; it is ended.
        """
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.root), "LC_ALL": "C.UTF-8", **git}
        try:
            process = subprocess.Popen(  # noqa: S603
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except OSError as fault:
            raise WorkspaceError(f"{command[0]} cannot be run: {fault.strerror}.") from None
        except ValueError:
            raise WorkspaceError("A command cannot hold a NUL character, or half of one.") from None
        deadline = time.monotonic() + (COMMAND_TIMEOUT if seconds is None else seconds)
        with process:
            try:
                output = _output_of(process, deadline)
                status = process.wait(deadline - time.monotonic())
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return status, output.decode(errors="replace")

    def _open_file(self, path: str, flags: int, *, make: bool = False) -> int:
        # Without O_NONBLOCK a named pipe would hold the agent for ever.
        descriptor = self._open(path, flags | os.O_NONBLOCK, make=make)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise WorkspaceError(f"{path[:200]} is no regular file.")
        return descriptor

    def _open(self, path: str, flags: int, *, make: bool = False) -> int:
        """Open a path step by step, below the root, through no link."""
        parts = _parts(path)
        descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for step in parts[:-1]:
                descriptor = self._enter(descriptor, step, make=make)
            if not parts:
                return os.dup(descriptor)
            return os.open(parts[-1], flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644, dir_fd=descriptor)
        except OSError as fault:
            raise WorkspaceError(f"{path[:200]} cannot be opened: {_reason(fault)}.") from None
        finally:
            os.close(descriptor)

    @staticmethod
    def _enter(descriptor: int, step: str, *, make: bool) -> int:
        try:
            inner = os.open(step, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
        except FileNotFoundError:
            if not make:
                raise
            os.mkdir(step, 0o755, dir_fd=descriptor)
            inner = os.open(step, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
        os.close(descriptor)
        return inner


def _output_of(process: "subprocess.Popen[bytes]", deadline: float) -> bytes:
    """The first `LARGEST_READ` bytes of what a program writes.

    Raises:
        TimeoutExpired: it goes on after the deadline.
    """
    assert process.stdout is not None
    pipe, kept = process.stdout.fileno(), bytearray()
    waiting = select.poll()
    waiting.register(pipe, select.POLLIN)
    while (left := deadline - time.monotonic()) > 0:
        # All of it is read, or the program would wait for us; what is too much is forgotten, or it would fill the memory.
        if waiting.poll(left * 1000):
            if not (chunk := os.read(pipe, 65536)):
                return bytes(kept)
            kept += chunk[: LARGEST_READ - len(kept)]
    raise subprocess.TimeoutExpired(process.args, COMMAND_TIMEOUT)


def _parts(path: str) -> list[str]:
    if "\0" in path:
        raise WorkspaceError("A path cannot hold a NUL character.")
    pure = PurePosixPath(path)
    if pure.is_absolute():
        raise WorkspaceError(f"{path[:200]} is absolute; paths are relative to the workspace.")
    parts = [part for part in pure.parts if part not in (".", "")]
    if ".." in parts:
        raise WorkspaceError(f"{path[:200]} leaves the workspace.")
    return parts


def _reason(fault: OSError) -> str:
    if fault.errno in (40, 20):
        return "a step of the path is a link, or no folder"
    return (fault.strerror or "unknown").lower()


def _walk(descriptor: int, prefix: str) -> Iterator[str]:
    with os.scandir(descriptor) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        path = f"{prefix}/{entry.name}" if prefix else entry.name
        if entry.is_symlink() or entry.name in _HIDDEN:
            continue
        if entry.is_file(follow_symlinks=False):
            yield path
        elif entry.is_dir(follow_symlinks=False):
            try:
                inner = os.open(entry.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
            except OSError:
                continue
            try:
                yield from _walk(inner, path)
            finally:
                os.close(inner)
