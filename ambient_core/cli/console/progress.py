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
        total: how many there will be; a line is printed for each then, which says enough where it is seen.
    """
    if total is not None and sys.stdout.isatty():
        yield from things
        return
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
    from rich.live import Live  # noqa: PLC0415
    from rich.spinner import Spinner  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    spinner = Spinner("dots")
    console = Console(stderr=True)
    # What the command prints goes where it goes without this.
    live = Live(spinner, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
    began = time.monotonic()

    def tell(text: str) -> None:
        spinner.update(text=Text(text))
        if not live.is_started and time.monotonic() - began > _MOMENT:
            live.start()

    try:
        yield tell
    finally:
        live.stop()
