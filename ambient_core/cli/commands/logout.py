"""``ambient logout``."""

import os

import click

from ambient_core.cli import Invocation
from ambient_core.cli.login import contexts
from ambient_core.cli.login.contexts import Context
from ambient_core.cli.login.folder import Folder, folder_of
from ambient_core.cli.login.renewal import lock_of
from ambient_core.cli.login.wallet import Credential, client_of, wallet_of
from ambient_core.errors import SetupError


@click.command("logout")
@click.option("--context", "name", help="Which one.  [default: the current one]")
@click.option("--all", "everything", is_flag=True, help="Every context.")
@click.pass_obj
def command(invocation: Invocation, name: str | None, everything: bool) -> None:
    """Forget a login, and have its provider forget it, where it can. The context itself stays."""
    invocation.load()
    folder = Folder(folder_of(os.environ))
    book = contexts.read(folder)
    chosen = list(book.contexts.values())
    if not everything:
        chosen = [book.find(name or os.environ.get("AMBIENT_CONTEXT", ""))]
    for context in chosen:
        click.echo(f"{context.name}: {_forget(context, folder)}")


def _forget(context: Context, folder: Folder) -> str:
    wallet = wallet_of(context, folder)
    with folder.locked(lock_of(context)):
        credential = wallet.get(context.name)
        if credential is None:
            return "there was no login."
        wallet.forget(context.name)
    if not context.issuer:
        return "forgotten here; a token of your own goes on until it ends or is revoked at the server."
    try:
        return _revoked(context, credential)
    except SetupError as fault:
        return f"forgotten here; it could not be revoked: {fault}"


def _revoked(context: Context, credential: Credential) -> str:
    from ambient_core.cli.login.provider import provider_of  # noqa: PLC0415 - with it comes Authlib

    with provider_of(client_of(context, credential.client_secret)) as provider:
        if provider.revoke(credential):
            return "logged out."
    return f"forgotten here; {context.issuer} cannot revoke, so the token goes on until it ends."
