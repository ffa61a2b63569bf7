"""The folder of one person: contexts and credentials, for nobody else to read, written whole or not at all."""

import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from ambient_core.errors import SetupError

PATIENCE = 30.0
_PAUSE = 0.05


def folder_of(environment: Mapping[str, str]) -> Path:
    """Where contexts are kept: AMBIENT_HOME, or ``ambient`` in the folder where settings of a person belong."""
    if environment.get("AMBIENT_HOME"):
        return Path(environment["AMBIENT_HOME"]).expanduser()
    above = environment.get("XDG_CONFIG_HOME") or str(Path("~/.config").expanduser())
    return Path(above) / "ambient"


class Folder:
    """A folder that nobody but its owner may read.

    Args:
        path: where it is, or will be with the first thing that is kept.
        patience: seconds to wait for another process.
        clock: seconds that only grow.
    """

    def __init__(self, path: Path, patience: float = PATIENCE, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self._patience = patience
        self._clock = clock

    def read(self, name: str) -> dict[str, Any]:
        """What is kept under a name; empty when nothing is.

        Raises:
            SetupError: it cannot be read, or others can read it.
        """
        file = self.path / name
        try:
            self._check()
            _check_private(file, "600")
            found = orjson.loads(file.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as fault:
            raise SetupError(f"{file} cannot be read: {fault.strerror}.") from fault
        except orjson.JSONDecodeError as fault:
            raise SetupError(f"{file} is damaged; delete it, and log in again.") from fault
        if not isinstance(found, dict):
            raise SetupError(f"{file} is damaged; delete it, and log in again.")
        return found

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Keep something: a crash leaves what was there before, or all of the new.

        Raises:
            SetupError: it cannot be written.
        """
        file = self.path / name
        aside = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            self._make(file.parent)
            with open(aside, "wb", opener=_private) as target:
                target.write(orjson.dumps(dict(content), option=orjson.OPT_INDENT_2))
                target.flush()
                os.fsync(target.fileno())
            aside.replace(file)
        except OSError as fault:
            raise SetupError(f"{file} cannot be written: {fault.strerror}.") from fault

    def remove(self, name: str) -> None:
        """Forget what is kept under a name."""
        (self.path / name).unlink(missing_ok=True)

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Let one process at a time, and one thread of it, change what is kept under a name.

        Raises:
            SetupError: another holds it for too long.
        """
        file = self.path / f"{name}.lock"
        self._make(file.parent)
        with open(file, "wb", opener=_private) as lock:
            deadline = self._clock() + self._patience
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if self._clock() > deadline:
                        raise SetupError(
                            f"Another ambient holds {file} for {self._patience:g} seconds; end it, and try again."
                        ) from None
                    time.sleep(_PAUSE)
            # Closing the file lets the next one in.
            yield

    def _make(self, path: Path) -> None:
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as fault:
            raise SetupError(f"{path} cannot be made: {fault.strerror}.") from fault
        self._check()

    def _check(self) -> None:
        _check_private(self.path, "700")


def _check_private(path: Path, mode: str) -> None:
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise SetupError(f"{path} belongs to somebody else; it holds credentials, so it must be yours alone.")
    if stat.S_IMODE(found.st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise SetupError(f"{path} is open to others; run: chmod {mode} {path}")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
