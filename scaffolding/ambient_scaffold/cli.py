"""``ambient-scaffold new-kind``."""

import sys
from pathlib import Path

import click

from ambient_core.errors import SetupError
from ambient_scaffold.fields import TYPES, parse_all
from ambient_scaffold.kind import NewKind, plural_of, write


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Write the folder of a new plugin; nothing that exists is ever changed."""


@cli.command(
    "new-kind",
    epilog=f"Types: {', '.join(TYPES)}. Rules: ! required, =default, >=n, <=n, unique, index, search, readonly, secret.",
)
@click.argument("name")
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="NAME:TYPE",
    help='Such as "name:string(63)!" or "project:ref(projects)!".',
)
@click.option("--plural", help="Table, path and folder; made from the name when absent.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write; plugins/PLURAL in this repository.",
)
def new_kind(name: str, fields: tuple[str, ...], plural: str | None, output: Path | None) -> None:
    """Write an installable plugin for the kind NAME (singular, PascalCase)."""
    kind = NewKind(name, plural or plural_of(name), tuple(parse_all(fields)))
    folder = output or (Path("plugins") if Path("plugins").is_dir() else Path()) / kind.plural
    for path in write(kind, folder):
        click.echo(f"wrote {path}")
    click.echo(f"\nNext:\n  pip install -e {folder}\n  ambient db upgrade\n  ambient openapi --output openapi.yaml")


def main() -> None:
    """Run the command line; wrong input is one clear line and exit status 1."""
    try:
        cli(standalone_mode=True)
    except SetupError as fault:
        click.echo(f"ambient-scaffold: {fault}", err=True)
        sys.exit(1)
