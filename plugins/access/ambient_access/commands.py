"""``ambient access`` and ``ambient admin``."""

import click

from ambient_core.cli import Invocation, remote
from ambient_core.database import Database
from ambient_core.errors import BASE_PATH
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
@click.argument("kind")
@click.argument("identifier", metavar="[ID]", required=False)
@click.option("--principal", help="person:ID or service:ID; yourself unless given.")
@click.pass_obj
def review(invocation: Invocation, verb: str, kind: str, identifier: str | None, principal: str | None) -> None:
    """Say whether somebody may use a verb, and why, such as: ambient access review start Session ID.

    The API is asked with the token of AMBIENT_TOKEN, or of the developer's token file.
    """
    asked = {"verb": verb, "kind": kind, "id": identifier, "principal": principal}
    query = {name: value for name, value in asked.items() if value is not None}
    with remote.connected(invocation.load().settings) as client:
        found = client.transport.json("GET", f"{BASE_PATH}/access/review", query=query)
    click.echo("yes" if found["allowed"] else f"no: {found['text']}")
    if roles := found.get("roles"):
        click.echo(f"  roles that would do: {', '.join(roles)}")
    for link in found.get("chain", ()):
        click.echo("  " + ", ".join(f"{name} {value}" for name, value in link.items()))


@click.group("admin")
def admin() -> None:
    """What is done over the database alone."""


@admin.command("grant-platform-admin")
@click.option("--issuer", required=True, help="The identity provider, as its tokens name it (iss).")
@click.option("--subject", required=True, help="The person there (sub).")
@click.pass_obj
def grant_platform_admin(invocation: Invocation, issuer: str, subject: str) -> None:
    """Make somebody platform administrator: the first one, whom nobody else can make."""
    database = Database(invocation.load().settings.database_url)
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
