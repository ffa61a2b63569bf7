"""Where a person reads what goes on."""

import os
import select
import sys

_GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL


class Screen:
    """Standard output, as long as somebody reads it.

    A terminal is closed, or the program that a pipe leads to ends. Nobody sees then that we still run, nor can stop us.
    """

    def __init__(self) -> None:
        self._gone = False
        self._poll = select.poll()
        self._poll.register(sys.stdout.fileno(), 0)

    def show(self, line: str) -> None:
        """Show a line; what nobody can read is dropped."""
        if self._gone:
            return
        try:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        except OSError:
            self._leave()

    def is_gone(self) -> bool:
        """Whether nobody can read it any more."""
        if not self._gone and any(events & _GONE for _, events in self._poll.poll(0)):
            self._leave()
        return self._gone

    def _leave(self) -> None:
        self._gone = True
        # What is still buffered is written when the process ends, and must not fail then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
