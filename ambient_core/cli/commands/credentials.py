"""``ambient credentials``: the keys under which secrets are sealed."""

import sys
from typing import TextIO

import click

from ambient_core.cli import Invocation
from ambient_core.database import Database
from ambient_core.errors import SetupError
from ambient_core.plugins import load_plugins
from ambient_core.profiles import given_keyring
from ambient_core.rest.idempotency import reseal
from ambient_core.secrets.keyring import new_keyring
from ambient_core.secrets.rotation import rotate


@click.group("credentials")
def command() -> None:
    """Make and change the keys under which secrets are sealed."""


@command.command("new-keyring")
@click.option("--after", type=click.File(), help="File of the keyring that gets one more key, the newest.")
def print_keyring(after: TextIO | None) -> None:
    """Print a keyring with a new key; keep it where nobody else reads it."""
    click.echo(new_keyring(after.read() if after is not None else None))


@command.command("rotate-key")
@click.pass_obj
def rotate_key(invocation: Invocation) -> None:
    """Seal every secret of every kind anew under the newest key, while the API serves; so are answers kept for an Idempotency-Key.

    Every server must have the new keyring before. What was cut off is run again. Exit status 1 when a secret could not be opened;
    with 0 nothing in the database needs an older key any more.
    """
    settings = invocation.load().settings
    keyring = given_keyring(settings)
    if keyring is None:
        raise SetupError(
            "keyring is not set; give AMBIENT_KEYRING or AMBIENT_KEYRING_FILE with the new key and the old ones."
        )
    plugins = load_plugins(settings)
    if plugins.set_aside:
        names = ", ".join(entry.name for entry in plugins.set_aside)
        raise SetupError(f"The secrets of what is set aside ({names}) would stay under an old key; set it right first.")
    database = Database(settings.database_url, pool_size=1, name="ambient-rotate")
    try:
        done = rotate(database, plugins.registry, keyring, click.echo)
        kept = reseal(database, keyring, click.echo)
    finally:
        database.close()
    unreadable = [*done.unreadable, *kept.unreadable]
    for words in unreadable:
        click.echo(f"left as it is: {words}", err=True)
    sys.exit(1 if unreadable else 0)
