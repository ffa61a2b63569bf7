"""``ambient completion``."""

import click
from click.shell_completion import get_completion_class

_PLACES = {
    "bash": 'eval "$(ambient completion bash)" in ~/.bashrc',
    "zsh": 'eval "$(ambient completion zsh)" in ~/.zshrc',
    "fish": "ambient completion fish > ~/.config/fish/completions/ambient.fish",
}


@click.command("completion", epilog="; ".join(f"{shell}: {place}" for shell, place in _PLACES.items()))
@click.argument("shell", type=click.Choice(list(_PLACES)))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands, kinds, names and fields."""
    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(context.find_root().command, {}, "ambient", "_AMBIENT_COMPLETE").source())
