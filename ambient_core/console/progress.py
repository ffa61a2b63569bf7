"""How far long work is: on a terminal alone, on the standard error, and only once it has taken a moment."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
_MOMENT = 0.5


def counted(things: Iterable[T], word: str, total: int | None = None) -> Iterator[T]:
    """Things as they come, counted before the eyes of whoever waits.

    Args:
        word: what they are.
        total: how many there will be.
    """
    with told() as tell:
        for number, thing in enumerate(things, 1):
            tell(f"{number}{f' of {total}' if total else ''} {word}")
            yield thing


@contextmanager
def told() -> Iterator[Callable[[str], None]]:
    """Say how far it is, as often as one likes; what is said before takes the same line, and goes in the end."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    # Not at the top: what is read by scripts has no use for it.
    from rich.console import Console  # noqa: PLC0415
    from rich.status import Status  # noqa: PLC0415

    status = Status("", console=Console(stderr=True))
    began = time.monotonic()
    shown = False

    def tell(text: str) -> None:
        nonlocal shown
        if time.monotonic() - began < _MOMENT:
            return
        # What others have named is text here, not markup.
        status.update(text.replace("[", r"\["))
        if not shown:
            status.start()
            shown = True

    try:
        yield tell
    finally:
        status.stop()
