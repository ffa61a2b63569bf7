"""The log of a local runner: each line with the time at which it came; read from its end, from a time on, or as it grows."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from ambient_sessions.runtimes import LogsWanted

_PAUSE = 0.1
_BLOCK = 65536


def read_log(path: Path, wanted: LogsWanted, alive: Callable[[], bool]) -> Iterator[bytes]:
    """What is kept, and what comes, without the times.

    Args:
        path: the newer part; what is older is in a file beside it.
        wanted: which part.
        alive: whether more may come.
    """
    with ExitStack() as opened:
        older, newer = _open(path.with_name(path.name + ".1")), _open(path)
        for file in (older, newer):
            if file is not None:
                opened.callback(file.close)
        kept = (line for file in (older, newer) if file is not None for line in _lines(file))
        kept = (line for line in kept if wanted.since is None or _time_of(line) > wanted.since)
        for line in kept if wanted.tail is None else deque(kept, wanted.tail):
            yield _words_of(line)
        if wanted.follow:
            yield from _follow(path, newer, alive)


def _follow(path: Path, file: BinaryIO | None, alive: Callable[[], bool]) -> Iterator[bytes]:
    begun = b""
    try:
        while True:
            # Asked before reading: what is written until the end is read then.
            goes_on = alive()
            file = file or _open(path)
            block = file.read(_BLOCK) if file is not None else b""
            *lines, begun = (begun + block).split(b"\n")
            yield from (_words_of(line + b"\n") for line in lines)
            if block:
                continue
            if file is not None and _replaced(path, file):
                file.close()
                file = None
            elif not goes_on:
                return
            else:
                time.sleep(_PAUSE)
    finally:
        if file is not None:
            file.close()


def _lines(file: BinaryIO) -> Iterator[bytes]:
    for line in file:
        if not line.endswith(b"\n"):
            # It is being written; whoever follows reads it when it is whole.
            file.seek(-len(line), os.SEEK_CUR)
            return
        yield line


def _open(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _replaced(path: Path, file: BinaryIO) -> bool:
    try:
        return path.stat().st_ino != Path(f"/proc/self/fd/{file.fileno()}").stat().st_ino
    except FileNotFoundError:
        return False


def _time_of(line: bytes) -> datetime:
    return datetime.fromisoformat(line.partition(b" ")[0].decode())


def _words_of(line: bytes) -> bytes:
    return line.partition(b" ")[2]
