"""Ask whoever sits before the terminal; a script says beforehand that it is sure."""

import sys

import click


def sure(question: str, *, yes: bool) -> None:
    """Go on only when it is meant.

    Args:
        question: what will be done.
        yes: whether it was said before.

    Raises:
        click.UsageError: nobody can be asked.
        click.Abort: no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("Nobody can be asked here whether it is meant; give --yes.")
    click.confirm(question, abort=True, err=True)
