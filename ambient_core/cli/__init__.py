"""``ambient``: the command line. Each command is imported when it is asked for, so that --help answers at once.

The room has all that runs only because a person typed it: commands, what they share, logging in, a server's contract as they read it.
"""

import os
import sys
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ambient_core.config import FILE_VARIABLE, Loaded, Settings, Sources, load, plugin_prefix
from ambient_core.errors import SetupError, Unavailable

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_COMMANDS = {
    "action": ("ambient_core.cli.commands.action", "Run any action of any kind."),
    "apply": ("ambient_core.cli.commands.apply", "Bring the API to what files declare."),
    "completion": ("ambient_core.cli.commands.completion", "Print what makes a shell complete words."),
    "config": ("ambient_core.cli.commands.config", "Print every setting; choose among contexts."),
    "controlplane": ("ambient_core.cli.commands.controlplane", "Run and look at the control plane."),
    "create": ("ambient_core.cli.commands.create", "Make an object of any kind."),
    "credentials": (
        "ambient_core.cli.commands.credentials",
        "Make and change the keys under which secrets are sealed.",
    ),
    "db": ("ambient_core.cli.commands.database", "Bring the database up to date, or back."),
    "delete": ("ambient_core.cli.commands.delete", "Delete objects of any kind."),
    "describe": ("ambient_core.cli.commands.describe", "Say all about one object."),
    "dev": ("ambient_core.cli.commands.dev", "Start the whole system on this machine."),
    "doctor": ("ambient_core.cli.commands.doctor", "Check the configuration and what it reaches."),
    "edit": ("ambient_core.cli.commands.edit", "Change an object in your editor."),
    "explain": ("ambient_core.cli.commands.explain", "Say why an object stands where it stands."),
    "get": ("ambient_core.cli.commands.get", "Show objects of any kind."),
    "login": ("ambient_core.cli.commands.login", "Log in to a server, and keep that as a context."),
    "logout": ("ambient_core.cli.commands.logout", "Forget a login, and have its provider forget it."),
    "logs": ("ambient_core.cli.commands.logs", "Print what an object wrote."),
    "openapi": ("ambient_core.cli.commands.openapi", "Write or check the contract."),
    "plugins": ("ambient_core.cli.commands.plugins", "List plugins, and why some do not serve."),
    "serve": ("ambient_core.cli.commands.serve", "Serve the API."),
    "start": ("ambient_core.cli.commands.action:start", "Start objects, such as sessions."),
    "stop": ("ambient_core.cli.commands.action:stop", "Stop objects, such as sessions."),
    "version": ("ambient_core.cli.commands.version", "Print the version."),
    "watch": ("ambient_core.cli.commands.watch", "Follow objects of any kind."),
    "whoami": ("ambient_core.cli.commands.whoami", "Say who you are, and where."),
}


_VARIABLES = {
    "profile": "AMBIENT_PROFILE",
    "context_name": "AMBIENT_CONTEXT",
    "server": "AMBIENT_API_URL",
    "token": "AMBIENT_TOKEN",
}
"""Flags that say the same as a variable."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """What was said before the command's name."""

    sources: Sources

    def load(self) -> Loaded[Settings]:
        """The settings, with where they came from; sets logging up.

        Raises:
            SetupError: a setting is wrong.
        """
        from ambient_core import log  # noqa: PLC0415 - not needed for --help

        loaded = load(Settings, self.sources)
        log.configure(loaded.settings.log_level, loaded.settings.log_format)
        return loaded


class LazyGroup(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Our commands; those of plugins are found when they are called, because --help must not import them."""
        return sorted({*_COMMANDS, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command, ours or a plugin's."""
        if cmd_name in _COMMANDS:
            module, _, name = _COMMANDS[cmd_name][0].partition(":")
            command = getattr(import_module(module), name or "command")
            assert isinstance(command, click.Command)
            return command
        if super().get_command(ctx, cmd_name) is None:
            self._ask_plugins(ctx)
        return super().get_command(ctx, cmd_name) or self._action(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the table above alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in sorted(_COMMANDS.items())])

    def _action(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        # What is no command of ours or of a plugin may be an action of the server's kinds.
        actions = import_module(_COMMANDS["action"][0]).command
        assert isinstance(actions, click.Group)
        return actions.get_command(ctx, cmd_name)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Commands and options; a command is not imported to be offered."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - not needed for --help

        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        found = [(name, text) for name, (_, text) in sorted(_COMMANDS.items()) if name.startswith(incomplete)]
        return [CompletionItem(name, help=text) for name, text in found]

    def _ask_plugins(self, ctx: click.Context) -> None:
        from ambient_core.plugins import load_plugins  # noqa: PLC0415 - only for commands that are not ours

        # A command is looked up before the group itself is called, which would have noted this.
        invocation = invocation_of(**ctx.params)
        for name, function in load_plugins(invocation.load().settings).implementations("ambient_commands"):
            try:
                function(cli=self)
            except Exception as fault:
                click.echo(f"ambient: plugin {name} cannot add its commands: {fault}", err=True)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar=FILE_VARIABLE,
    help="TOML file with settings.",
)
@click.option("--profile", help="production or development.")
@click.option("--database-url", help="postgresql://user:password@host:5432/database")
@click.option("--log-level", help="debug, info, warning or error.")
@click.option("--strict/--no-strict", default=None, help="Refuse to start when a plugin would be set aside.")
@click.option("--context", "context_name", metavar="NAME", help="Context to use in place of the current one.")
@click.option("--server", metavar="URL", help="API to ask, in place of the context's.")
@click.option("--token", metavar="TOKEN", help="Token to show, in place of the context's; better by AMBIENT_TOKEN.")
@click.pass_context
def cli(context: click.Context, /, config: Path | None, **flags: Any) -> None:
    """Ambient API: sessions of AI agents, and whatever kinds are plugged in."""
    context.obj = invocation_of(config, **flags)


def invocation_of(config: Path | None = None, **flags: Any) -> Invocation:
    """What was said before the command's name; plugins, and the processes that we start, go by it too."""
    if config is not None:
        os.environ[FILE_VARIABLE] = str(config.absolute())
    for name, variable in _VARIABLES.items():
        if flags.get(name):
            os.environ[variable] = flags[name]
    return Invocation(Sources(file=config, flags=flags, claimed=_claimed()))


@cache
def _claimed() -> tuple[str, ...]:
    # It reads the metadata of every distribution there is.
    return tuple(plugin_prefix(entry.name) for entry in entry_points(group="ambient.plugins"))


def invocation_in(context: click.Context) -> Invocation:
    """What was said before the command's name, also while a shell asks for completions and nothing is called."""
    found = context.find_root()
    return found.obj if isinstance(found.obj, Invocation) else invocation_of(**found.params)


def main() -> None:
    """Run the command line; a setup error, or a database that is away, is one clear line and exit status 1."""
    try:
        cli(standalone_mode=True)
    except SetupError as fault:
        click.echo(f"ambient: {fault}", err=True)
        sys.exit(1)
    except Exception as fault:
        if (words := _outage(fault)) is None:
            raise
        click.echo(f"ambient: {words}", err=True)
        sys.exit(1)


def _outage(fault: Exception) -> str | None:
    from ambient_core.database.outages import is_outage, unavailable  # noqa: PLC0415 - most commands need no database

    if not isinstance(fault, Unavailable) and not is_outage(fault):
        return None
    reason = fault.reason if isinstance(fault, Unavailable) else unavailable(fault).reason
    return f"{reason} Check database_url, and that PostgreSQL runs."
