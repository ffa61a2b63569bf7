"""What a command ends with: the server's words, a line per fault, and an exit status that a script can act on.

======  ===========================================================
status  meaning
======  ===========================================================
0       done
1       the server refused it, or it failed
2       the command line is wrong; nothing was sent
3       there is no such object, or none that the caller may see
4       the caller is not signed in, or may not do this
5       the server does not answer, or is busy; later may help
130     interrupted
======  ===========================================================
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import click
from ambient_sdk import AmbientError, ApiError, ConnectionFailed

FAILED, USAGE, NOT_FOUND, NOT_ALLOWED, UNREACHABLE, INTERRUPTED = 1, 2, 3, 4, 5, 130
_BY_STATUS = {401: NOT_ALLOWED, 403: NOT_ALLOWED, 404: NOT_FOUND, **dict.fromkeys((429, 502, 503, 504), UNREACHABLE)}

_REVIEW = "'ambient access review VERB KIND [NAME]' says what is missing, and who can give it."


class Refusal(click.ClickException):
    """Why a command ends.

    Args:
        lines: what is said, each a line.
        exit_code: what the process ends with.
    """

    def __init__(self, lines: Sequence[str], exit_code: int = FAILED) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
        self.exit_code = exit_code  # type: ignore[misc] # click reads it from the exception that was raised

    def show(self, file: IO[Any] | None = None) -> None:
        """Say it on the standard error."""
        for line in self.lines:
            click.echo(f"ambient: {line}", err=True)


@dataclass(slots=True)
class Refusals:
    """What is refused of several objects, whatever becomes of the others.

    Args:
        alone: whether there is one object only, whose refusal ends the command.
        status: the exit status of the first that was refused; 0 for none.
    """

    alone: bool
    status: int = 0

    @contextmanager
    def of(self, label: str) -> Iterator[None]:
        """Say what is refused of one object, and go on.

        Args:
            label: what the object is called: ``skills/review``.
        """
        try:
            yield
        except Refusal as fault:
            if self.alone:
                raise
            click.echo(f"ambient: {label}: {' '.join(fault.lines)}", err=True)
            self.status = self.status or fault.exit_code


def status_of(fault: AmbientError) -> int:
    """The exit status of what the client raised."""
    if isinstance(fault, ApiError):
        return _BY_STATUS.get(fault.status, FAILED)
    return UNREACHABLE if isinstance(fault, ConnectionFailed) else FAILED


def refusal(fault: AmbientError, url: str, named: Callable[[str], str] = lambda field: field) -> Refusal:
    """What is said of what the client raised.

    Args:
        url: of the server.
        named: what a field is called here, such as by its flag.
    """
    if isinstance(fault, ApiError):
        more = [_REVIEW] if fault.status == 403 else []
        return Refusal([*words(fault, named), *more], status_of(fault))
    if isinstance(fault, ConnectionFailed):
        lines = [
            f"The API at {url} does not answer: {fault}.",
            "Is it running? --server, AMBIENT_API_URL or the context say where.",
        ]
        return Refusal(lines, UNREACHABLE)
    return Refusal([f"{url}: {fault}"])


def words(fault: ApiError, named: Callable[[str], str] = lambda field: field) -> list[str]:
    """The server's words: a line per field, or its reason."""
    if not fault.errors:
        said = fault.reason
        if fault.status >= 500 and fault.operation_id:
            said += f" (operation {fault.operation_id})"
        return [said]
    return [f"{_field(one.field, named)}{one.reason}" for one in fault.errors]


def _field(pointer: str, named: Callable[[str], str]) -> str:
    name, _, rest = pointer.removeprefix("/").partition("/")
    if not name:
        return ""
    return f"{named(name)}{'/' + rest if rest else ''} "
