"""``ambient start``, ``ambient stop``, and any other action that a kind of the server has."""

import sys
from collections.abc import Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem

from ambient_core.cli import Invocation
from ambient_core.cli.console import completing, options
from ambient_core.cli.console.acting import Order, carry_out
from ambient_core.cli.console.completing import server_of
from ambient_core.cli.console.fields import FieldOption, values
from ambient_core.cli.console.flags import Flag, flags, named
from ambient_core.cli.console.grouping import TOGETHER, KindGroup
from ambient_core.cli.console.output import Format
from ambient_core.cli.console.server import Server, opened
from ambient_core.cli.contract import RemoteAction, RemoteKind

_PATIENCE = 300.0


class ActionOfKinds(KindGroup):
    """``ambient start KIND NAME``."""

    def takes(self, server: Server) -> Iterable[RemoteKind]:
        """The kinds that have the action."""
        return server.contract.acting(str(self.name))

    def command_of(self, kind: RemoteKind, server: Server) -> click.Command:
        """The command with the flags of the action."""
        return _command(kind, server.action(kind, str(self.name)))


class Actions(click.Group):
    """Every action of the server."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names; none when the server is away."""
        try:
            with server_of(ctx) as server:
                return sorted({name for kind in server.contract.kinds.values() for name in kind.actions})
        except Exception:
            return []

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """An action that some kind of the server has; asked only when it is used."""
        return action_of(cmd_name) if cmd_name in self.list_commands(ctx) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The actions."""
        names = self.list_commands(ctx)
        with formatter.section("Actions of the server"):
            formatter.write_text(", ".join(names) if names else "The server does not say; is it running?")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The actions."""
        return [CompletionItem(name) for name in self.list_commands(ctx) if name.startswith(incomplete)]


@click.group("action", cls=Actions)
def command() -> None:
    """Run any action: ambient action clone session NAME; ambient clone session NAME is the same.

    This long way is for an action that is named as a command of ours.
    """


def action_of(name: str) -> click.Group:
    """The command of an action."""
    return ActionOfKinds(name, help=f"Use {name} of a kind: ambient {name} KIND NAME.")


start = action_of("start")
stop = action_of("stop")


def _command(kind: RemoteKind, action: RemoteAction) -> click.Command:
    body, query = flags(action.body or {}), _query(action)

    @click.pass_obj
    def done(
        invocation: Invocation,
        /,
        output: Format | None,
        project: str | None,
        names: tuple[str, ...] = (),
        wait: bool = False,
        **given: Any,
    ) -> None:
        seconds = given.pop("timeout", _PATIENCE) if wait else None
        rehearsed = {"dry_run": "true"} if given.pop("dry_run", False) else {}
        asked = {name: _wire(value) for name, value in values(query, given).items()}
        content = values(body, given) if action.body is not None else None
        order = Order(kind, action, content, asked | rehearsed, seconds, output, named([*body, *query]))
        with opened(invocation.load().settings, project) as server:
            status = carry_out(server, order, names if action.on_object else [""])
        sys.exit(status)

    decorated = options.output(default=None)(options.project(done))
    if action.rehearses:
        decorated = options.dry_run(decorated)
    if action.until:
        limit = click.FloatRange(0)
        decorated = click.option(
            "--timeout", type=limit, default=_PATIENCE, show_default=True, help="Seconds to wait."
        )(decorated)
        decorated = click.option("--wait", is_flag=True, help="Wait until what it begins is over.")(decorated)
    made: click.Command = click.command(kind.plural, help=action.summary)(decorated)
    made.params = [*_names(kind, action), *(FieldOption(flag) for flag in (*body, *query)), *made.params]
    return made


def _names(kind: RemoteKind, action: RemoteAction) -> list[click.Parameter]:
    if not action.on_object:
        return []
    offered = completing.names_of(kind.plural)
    return [click.Argument(["names"], nargs=-1, required=True, callback=_apart, shell_complete=offered)]


def _apart(context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.removeprefix(context.meta.get(TOGETHER, "")) for name in given)


def _query(action: RemoteAction) -> list[Flag]:
    return [Flag(name, schema) for name, schema in action.query.items()]


def _wire(value: Any) -> Any:
    return ("true" if value else "false") if isinstance(value, bool) else value
