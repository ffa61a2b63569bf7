"""Search a workspace, as a program of its own: a pattern that comes to no end is ended with it, and holds up nobody.

Usage: python search.py WORKSPACE FOLDER PATTERN; answers path:line: text, each closed by a NUL.
"""

import re
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ambient_runner.workspace import LONGEST_LINE, MOST_MATCHES, Workspace, WorkspaceError


def matches(workspace: Workspace, folder: str, pattern: str) -> Iterator[str]:
    """Lines below a folder that match a regular expression."""
    expression = re.compile(pattern)
    for path in workspace.files(folder):
        try:
            lines = workspace.read(path).splitlines()
        except WorkspaceError:
            continue
        for number, line in enumerate(lines, 1):
            if expression.search(line[:LONGEST_LINE]):
                yield f"{path}:{number}: {line[:LONGEST_LINE].strip()}"


def main() -> None:
    """Write what matches, at most `MOST_MATCHES`."""
    root, folder, pattern = sys.argv[1:4]
    for match in islice(matches(Workspace(Path(root)), folder, pattern), MOST_MATCHES):
        sys.stdout.buffer.write(match.encode(errors="replace") + b"\0")


if __name__ == "__main__":
    main()
