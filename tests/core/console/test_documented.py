"""What docs/cli.md says there is, is there."""

import re
from pathlib import Path

import click
import pytest

from ambient_core.cli import cli
from ambient_core.cli.console import faults

PAGE = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
NAMED = sorted(set(re.findall(r"`ambient ([a-z]+)\b", PAGE)) - {"clone"})


@pytest.mark.parametrize("name", NAMED)
def test_every_command_of_the_page_exists(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.help


@pytest.mark.parametrize(("name", "options"), re.findall(r"^\| `ambient ([a-z]+) [^|]*\|(.*)\|$", PAGE, re.MULTILINE))
def test_every_option_of_the_page_exists(name: str, options: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    if name in ("start", "stop"):
        # They belong to the kind, which only a server knows; test_actions.py uses them.
        return
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", options)) <= known


def test_the_page_has_the_statuses_that_commands_end_with() -> None:
    shown = [int(number) for number in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)]
    own = [faults.FAILED, faults.USAGE, faults.NOT_FOUND, faults.NOT_ALLOWED, faults.UNREACHABLE, faults.INTERRUPTED]
    assert shown == [0, *own]
