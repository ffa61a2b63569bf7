"""``ambient access`` and ``ambient admin``."""

import sys

import click

from ambient_core.cli import Invocation
from ambient_core.cli.console import completing, options
from ambient_core.cli.console.server import opened
from ambient_core.database import Database
from ambient_core.errors import BASE_PATH, SetupError
from ambient_core.identity.issuers import issuers_of
from ambient_core.ids import new_id

_PERSON = "SELECT users.id FROM users WHERE users.issuer = %(issuer)s AND users.subject = %(subject)s"
_MAKE = (
    "INSERT INTO users (id, username, name, issuer, subject, disabled) "
    "VALUES (%(id)s, %(username)s, %(subject)s, %(issuer)s, %(subject)s, false)"
)
_GIVE = (
    "INSERT INTO role_bindings (id, role_id, scope, user_id, note) "
    "VALUES (%(id)s, 'platform-admin', 'global', %(user)s, 'ambient admin grant-platform-admin') ON CONFLICT DO NOTHING"
)


@click.group("access")
def access() -> None:
    """Ask who may do what."""


@access.command("review")
@click.argument("verb")
@options.kind
@click.argument("word", metavar="[NAME]", required=False, shell_complete=completing.names)
@options.project
@click.option("--principal", help="person:ID or service:ID; yourself unless given.")
@click.pass_obj
def review(
    invocation: Invocation, verb: str, kind: str, word: str | None, project: str | None, principal: str | None
) -> None:
    """Say whether somebody may use a verb, and why, such as: ambient access review start session NAME.

    Exit status: 0 for yes, 1 for no.
    """
    with opened(invocation.load().settings, project) as server:
        known = server.kind(kind)
        asked = {"verb": verb.replace("-", "_"), "kind": known.name, "principal": principal}
        if word is not None:
            asked["id"] = server.find(known, word)["id"]
        query = {name: value for name, value in asked.items() if value is not None}
        found = server.client.transport.json("GET", f"{BASE_PATH}/access/review", query=query)
    click.echo("yes" if found["allowed"] else f"no: {found['text']}")
    if roles := found.get("roles"):
        click.echo(f"  roles that would do: {', '.join(roles)}")
    for link in found.get("chain", ()):
        click.echo("  " + ", ".join(f"{name} {value}" for name, value in link.items()))
    sys.exit(0 if found["allowed"] else 1)


@click.group("admin")
def admin() -> None:
    """What is done over the database alone."""


@admin.command("grant-platform-admin")
@click.option("--issuer", required=True, help="The identity provider, as its tokens name it (iss).")
@click.option("--subject", required=True, help="The person there (sub).")
@click.pass_obj
def grant_platform_admin(invocation: Invocation, issuer: str, subject: str) -> None:
    """Make somebody platform administrator: the first one, whom nobody else can make."""
    settings = invocation.load().settings
    names = [known.name for known in issuers_of(settings)]
    if names and issuer not in names:
        raise SetupError(
            f"No identity provider of this configuration is called {issuer}, so nobody would come by that; it has "
            f"{', '.join(names)}. A slash more is another one."
        )
    database = Database(settings.database_url)
    try:
        with database.transaction() as transaction:
            transaction.begin()
            asked = {"issuer": issuer, "subject": subject}
            found = transaction.raw(_PERSON, asked).fetchone()
            identifier = found[0] if found is not None else new_id()
            if found is None:
                transaction.raw(_MAKE, {**asked, "id": identifier, "username": f"{subject[:190]}~{identifier}"})
            transaction.raw(_GIVE, {"id": new_id(), "user": identifier})
    finally:
        database.close()
    click.echo(f"{subject} of {issuer} is platform administrator (user {identifier}).")
