"""Flags as click's options: a field's text from the command line, a file, the standard input or a prompt."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from ambient_core.cli.console.faults import USAGE, Refusal
from ambient_core.cli.console.flags import BadValue, Flag


class FieldOption(click.Option):
    """A field of a body.

    ``@FILE`` is read from a file and ``@-`` from the standard input; ``@@`` begins a text that begins with ``@``.

    Args:
        flag: the field.
    """

    def __init__(self, flag: Flag) -> None:
        self.flag = flag
        name = f"{flag.name}/--no-{flag.name[2:]}" if flag.shape == "truth" else flag.name
        asked: dict[str, Any] = (
            {"prompt": flag.field, "prompt_required": False, "hide_input": True} if flag.secret else {}
        )
        super().__init__(
            [f"field_{flag.field}", name],
            help=_help(flag),
            multiple=flag.repeated,
            metavar=None if flag.shape == "truth" else flag.metavar,
            type=click.Choice(flag.choices) if flag.choices and flag.shape == "text" else _type(flag),
            callback=_given,
            # A project may be meant by --project, and a secret is asked for.
            required=flag.required and not flag.secret and flag.field != "project_id",
            **asked,
        )


def values(flags: Sequence[Flag], given: Mapping[str, Any]) -> dict[str, Any]:
    """The body of what was given; a secret that must be given and was not is asked for.

    Raises:
        click.UsageError: it is missing, and nobody can be asked.
    """
    body = {flag.field: given[f"field_{flag.field}"] for flag in flags if given.get(f"field_{flag.field}") is not None}
    for flag in flags:
        if flag.secret and flag.required and flag.field not in body:
            if not sys.stdin.isatty():
                raise click.UsageError(f"{flag.name} must be given; {flag.name} @- reads it from the standard input.")
            body[flag.field] = click.prompt(flag.field, hide_input=True, err=True)
    return body


def text(given: str) -> str:
    """What ``@FILE`` and ``@-`` hold, without the end of the last line; any other text is itself.

    Raises:
        Refusal: the file cannot be read.
    """
    if not given.startswith("@"):
        return given
    name = given[1:]
    if name.startswith("@"):
        return name
    try:
        whole = sys.stdin.read() if name == "-" else Path(name).read_text("utf-8")
    except UnicodeDecodeError:
        raise Refusal([f"{name} is no text in UTF-8."], USAGE) from None
    except OSError as fault:
        raise Refusal(
            [f"{name} cannot be read: {fault.strerror}. A text that begins with @ is given as @@."], USAGE
        ) from None
    return whole.removesuffix("\n")


def _given(context: click.Context, option: click.Parameter, value: Any) -> Any:
    assert isinstance(option, FieldOption)
    flag = option.flag
    if value is None or context.resilient_parsing or (flag.repeated and not value):
        return None
    if flag.shape == "truth":
        return value
    typed = context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
    if flag.secret and typed and not str(value).startswith("@"):
        click.echo(
            f"ambient: others on this machine can see {flag.name} while this runs; "
            f"{flag.name} alone asks for it, and {flag.name} @- reads it from the standard input.",
            err=True,
        )
    try:
        return flag.value([text(one) for one in value] if flag.repeated else text(value))
    except BadValue as fault:
        raise click.BadParameter(str(fault), ctx=context, param=option) from None


def _type(flag: Flag) -> click.ParamType[Any]:
    return click.BOOL if flag.shape == "truth" else click.STRING


def _help(flag: Flag) -> str:
    said = str(flag.schema.get("description", "")).strip()
    facts = ["may be repeated"] if flag.repeated else []
    facts += [f"default {flag.schema['default']}"] if flag.schema.get("default") is not None else []
    facts += ["never shown; asked for when it has no value"] if flag.secret else []
    return f"{said} [{'; '.join(facts)}]" if facts else said
