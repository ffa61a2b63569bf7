"""Kills what is left when its parent is gone, however that went: reads process groups to watch, one a line.

A line ``+123`` watches a group, ``-123`` forgets it. At the end of the input every watched group is killed.
"""

import contextlib
import os
import signal
import subprocess
import sys


class Reaper:
    """The parent's side."""

    def __init__(self) -> None:
        command = [sys.executable, "-S", "-E", "-P", __file__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, bufsize=1, start_new_session=True)

    def watch(self, group: int) -> None:
        """Kill this group if we end before it."""
        self._say(f"+{group}")

    def forget(self, group: int) -> None:
        """The group has ended."""
        self._say(f"-{group}")

    def stop(self) -> None:
        """Kill what is left, and end."""
        self._process.communicate(timeout=10)

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")


def main() -> None:
    """The reaper itself."""
    watched: set[int] = set()
    for line in sys.stdin:
        (watched.add if line[0] == "+" else watched.discard)(int(line[1:]))
    for group in watched:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
