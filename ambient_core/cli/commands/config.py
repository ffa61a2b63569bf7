"""``ambient config``."""

from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from ambient_core.cli import Invocation
from ambient_core.cli.commands import WIDE
from ambient_core.cli.commands.contexts import COMMANDS
from ambient_core.config import Loaded, Settings, markdown, plugin_prefix, plugin_settings, redacted
from ambient_core.errors import SetupError

if TYPE_CHECKING:
    from ambient_core.plugins import Plugins


@click.group("config", invoke_without_command=True)
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the tables of docs/configuration.md.")
@click.pass_context
def command(context: click.Context, as_markdown: bool) -> None:
    """Print every setting, plugins' too: its value (secrets hidden) and where it came from. Or choose among contexts."""
    if context.invoked_subcommand is None:
        _print(context.obj, as_markdown)


for _command in COMMANDS:
    command.add_command(_command)


def _print(invocation: Invocation, as_markdown: bool) -> None:
    from ambient_core.plugins import load_plugins  # noqa: PLC0415 - contexts need no plugin

    loaded = invocation.load()
    plugins = load_plugins(loaded.settings)
    if as_markdown:
        click.echo(_markdown(plugins), nl=False)
        return
    table = Table("setting", "value", "from", box=None, pad_edge=False)
    _add(table, loaded)
    for plugin, cls in plugins.settings():
        _add(table, plugin_settings(cls, plugin), f"{plugin}.")
    Console(width=WIDE).print(table)
    for entry in plugins.set_aside:
        raise SetupError(f"plugin {entry.name} is set aside: {entry.reason}")


def _add(table: Table, loaded: Loaded[Any], prefix: str = "") -> None:
    for name, value, origin, _ in redacted(loaded):
        table.add_row(prefix + name, value, origin)


def _markdown(plugins: "Plugins") -> str:
    parts = ["# Configuration\n\nMade by `make docs`; edit the declarations, not this page.\n"]
    parts.append(
        "Defaults are overridden by a TOML file (`--config FILE` or `AMBIENT_CONFIG`), that by the environment, that by "
        "flags. A plugin's settings stand in a table of its name. `ambient config` prints what holds, and why.\n"
    )
    parts.append("## Core\n\n" + markdown(Settings))
    for plugin, cls in plugins.settings():
        parts.append(f"## Plugin {plugin}\n\n" + markdown(cls, plugin_prefix(plugin)))
    return "\n".join(parts)
