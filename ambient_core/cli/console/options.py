"""Options and arguments that several commands have."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ambient_core.cli.console import completing
from ambient_core.cli.console.completing import fields
from ambient_core.cli.console.output import Format, FormatType

F = TypeVar("F", bound=Callable[..., Any])


def output(default: str | None = "table") -> Callable[[F], F]:
    """``-o``."""
    return click.option(
        "-o",
        "--output",
        type=FormatType(),
        default=default,
        show_default=default is not None,
        metavar="FORMAT",
        help="table, wide, json, yaml, name, jsonpath=EXPRESSION or columns=NAME,NAME.",
    )


def project(command: F) -> F:
    """``-p``."""
    return click.option("-p", "--project", metavar="PROJECT", help="The project that is meant; '' for all.")(command)


def search(command: F) -> F:
    """``--search``."""
    return click.option(
        "--search",
        metavar="CONDITION",
        shell_complete=completing.fields,
        help="Only objects that match, such as: phase = 'Failed'.",
    )(command)


def files(words: str, *, required: bool = False) -> Callable[[F], F]:
    """``-f`` and ``-R``: where objects are declared.

    Args:
        words: what is done with what the files declare.
        required: whether there must be one.
    """
    recursive = click.option("-R", "--recursive", is_flag=True, help="Read the folders in a folder too.")
    given = click.option("-f", "--file", "files", type=click.Path(), multiple=True, required=required, help=words)
    return lambda command: given(recursive(command))


def dry_run(command: F) -> F:
    """``--dry-run``."""
    return click.option("--dry-run", is_flag=True, help="Check and answer as if, and change nothing.")(command)


def yes(command: F) -> F:
    """``--yes``."""
    return click.option("-y", "--yes", is_flag=True, help="Do not ask.")(command)


def kind(command: F) -> F:
    """``KIND``; with `name` or `names` behind it also ``KIND/NAME``, as ``-o name`` prints it."""
    return click.argument("kind", shell_complete=completing.kinds)(command)


def name(command: F) -> F:
    """``NAME``: one object."""
    return click.argument("name", required=False, metavar="NAME", callback=_one, shell_complete=completing.names)(
        command
    )


def names(command: F) -> F:
    """``NAME...``: any number of objects."""
    return click.argument("names", nargs=-1, callback=_several, shell_complete=completing.names)(command)


def _several(context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    kind, slash, first = str(context.params["kind"]).partition("/")
    if not slash:
        return given
    context.params["kind"] = kind
    return tuple(word.removeprefix(f"{kind}/") for word in (first, *given))


def _one(context: click.Context, parameter: click.Parameter, given: str | None) -> str:
    found = _several(context, parameter, () if given is None else (given,))
    if not found:
        raise click.MissingParameter(ctx=context, param=parameter)
    if len(found) > 1:
        raise click.UsageError(f"One object at a time: {found[0]}, or {found[1]}.")
    return found[0]


__all__ = ["Format", "dry_run", "fields", "files", "kind", "name", "names", "output", "project", "search", "yes"]
