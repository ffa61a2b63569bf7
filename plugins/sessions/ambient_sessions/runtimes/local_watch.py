"""News of local sessions: whose supervisor wrote its state, and whose ended."""

import fcntl
import logging
import threading
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)
_PAUSE = 0.1


class Watcher:
    """Looks at the folders of all sessions, in a thread of its own.

    Args:
        folder: holds a folder for each session.
        wake: takes the id of a session that has changed.
    """

    def __init__(self, folder: Path, wake: Callable[[str], None]) -> None:
        self._folder = folder
        self._wake = wake
        self._stopping = threading.Event()
        self._known: dict[str, tuple[int, bool]] = {}
        self._thread = threading.Thread(target=self._run, name="local-sessions", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_PAUSE):
            try:
                self._look()
            except OSError as fault:
                log.warning("the folders of sessions cannot be looked at: %s", fault.strerror)

    def _look(self) -> None:
        if not self._folder.is_dir():
            return
        found = {entry.name: self._signs(entry) for entry in self._folder.iterdir()}
        changed = [name for name in {*found, *self._known} if found.get(name) != self._known.get(name)]
        self._known = found
        for name in changed:
            self._wake(name)

    def _signs(self, folder: Path) -> tuple[int, bool]:
        try:
            written = (folder / "state.json").stat().st_mtime_ns
        except OSError:
            written = 0
        # What has exited stays so until somebody starts it, and then its state is written anew.
        before, lived = self._known.get(folder.name, (-1, True))
        return written, (lived or before != written) and is_locked(folder / "lock")


def is_locked(path: Path) -> bool:
    """Whether a supervisor holds this lock."""
    try:
        with path.open("r+") as lock:
            # Shared, so that two who ask at once do not take each other for a supervisor.
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
