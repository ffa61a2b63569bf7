"""Commands whose subcommands are the server's kinds: each with the flags that its schema says."""

from abc import abstractmethod
from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem

from ambient_core.cli.console.completing import server_of
from ambient_core.cli.console.server import Server
from ambient_core.cli.contract import RemoteKind

TOGETHER = "ambient.together"
"""Where a context keeps what stood before the name in ``KIND/NAME``."""


class KindGroup(click.Group):
    """A command that goes on with a kind: ``ambient create KIND``."""

    @abstractmethod
    def takes(self, server: Server) -> Iterable[RemoteKind]:
        """The kinds that it can be used with."""

    @abstractmethod
    def command_of(self, kind: RemoteKind, server: Server) -> click.Command:
        """The command of one kind; refuses a kind that it cannot be used with."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of a kind; ``KIND/NAME`` says the first name as well."""
        kind, slash, name = args[0].partition("/")
        if not slash:
            return super().resolve_command(ctx, args)
        ctx.meta[TOGETHER] = f"{kind}/"
        return super().resolve_command(ctx, [kind, name, *args[1:]])

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The kinds of the server; none when it is away, so that --help answers all the same."""
        try:
            with server_of(ctx) as server:
                return sorted(kind.plural for kind in self.takes(server))
        except Exception:
            return []

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The command of a kind, by any of its names."""
        with server_of(ctx) as server:
            return self.command_of(server.kind(cmd_name), server)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The kinds, without what each would say."""
        names = self.list_commands(ctx)
        with formatter.section("Kinds of the server"):
            formatter.write_text(", ".join(names) if names else "The server does not say; is it running?")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The kinds; options when one is begun."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [CompletionItem(name) for name in self.list_commands(ctx) if name.startswith(incomplete)]
