"""``ambient login``."""

import os
import sys
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from ambient_core.cli import Invocation
from ambient_core.cli.login import contexts, server
from ambient_core.cli.login.contexts import Context
from ambient_core.cli.login.folder import Folder, folder_of
from ambient_core.cli.login.renewal import lock_of
from ambient_core.cli.login.wallet import Credential, client_of, wallet_of
from ambient_core.errors import SetupError

_SECRET = "AMBIENT_CLIENT_SECRET"  # noqa: S105 - the name of a variable
_STDIN = "-"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says, beyond the context.

    Args:
        way: ``browser``, ``device``, ``secret`` or ``token``.
        token: that is given; ``-`` for the standard input.
        secret: of a machine.
        opens: whether a browser is opened.
        port: of the redirect.
        patience: seconds to wait for the person.
    """

    way: str
    token: str
    secret: str
    opens: bool
    port: int
    patience: float


@click.command("login")
@click.option("--context", "name", help="Name of the context.  [default: the current one, or the server's host]")
@click.option("--server", "server_url", metavar="URL", help="The API.  [default: the context's, or api_url]")
@click.option("--gateway", metavar="URL", help="AG-UI gateway.  [default: the API itself]")
@click.option("--project", help="Project that commands mean when they name none.")
@click.option("--issuer", metavar="URL", help="Identity provider.  [default: as the server says]")
@click.option("--client-id", help="Our client id there.  [default: as the server says]")
@click.option(
    "--scope", "scopes", multiple=True, help="What to ask for; may be repeated.  [default: as the server says]"
)
@click.option("--device", "way", flag_value="device", help="Open the page on another device, and type a code there.")
@click.option("--client-credentials", "way", flag_value="secret", help=f"As a machine, with the secret of {_SECRET}.")
@click.option("--client-secret-file", type=click.Path(path_type=Path, dir_okay=False), help=f"In place of {_SECRET}.")
@click.option("--token", help="A token that you have; - reads it from the standard input.")
@click.option("--keyring", is_flag=True, help="Keep the login in the keyring of the system.")
@click.option("--browser/--no-browser", "opens", default=True, help="Whether to open a browser; else only its address.")
@click.option("--port", default=0, help="Of the redirect to this machine.  [default: any free one]")
@click.option("--timeout", "patience", default=300.0, show_default=True, help="Seconds to wait for you.")
@click.pass_obj
def command(invocation: Invocation, /, **given: Any) -> None:
    """Log in to a server, and keep the login as a context, which becomes the current one.

    The server says which identity provider it trusts. A browser opens there; where there is none, use --device. What is kept is
    renewed by itself, in ~/.config/ambient (AMBIENT_HOME) for you alone to read, or in the keyring of the system.
    """
    folder = Folder(folder_of(os.environ))
    context = _context(invocation, folder, given)
    wanted = _wanted(given)
    # Before anybody logs in: there may be no keyring.
    wallet = wallet_of(context, folder)
    if wanted.way != "token":
        context = _known_client(context, given)
    credential = _credential(context, wanted)
    who = server.whoami(context.server, credential.token)
    with contexts.changing(folder) as books, folder.locked(lock_of(context)):
        before = books[0].contexts.get(context.name)
        if before is not None and before.keyring != context.keyring:
            wallet_of(before, folder).forget(before.name)
        wallet.put(context.name, credential)
        books.append(books[0].having(context).using(context.name))
    click.echo(f"Logged in to {context.server} as {who['name']} ({who['id']}); context {context.name}.")


def _context(invocation: Invocation, folder: Folder, given: dict[str, Any]) -> Context:
    """The context that is logged in to: a new one, or what is there with what is said now."""
    settings = invocation.load().settings
    book = contexts.read(folder)
    url = given["server_url"] or os.environ.get("AMBIENT_API_URL", "")
    name = given["name"] or os.environ.get("AMBIENT_CONTEXT", "")
    before = book.contexts.get(name or (book.current if not url else ""))
    address = contexts.checked_server(url or (before.server if before else settings.api_url))
    if before is None or before.server != address:
        before = Context(before.name if before else name, address)
    context = replace(before, keyring=given["keyring"])
    name = contexts.checked_name(context.name or name or contexts.name_of(address))
    gateway = contexts.checked_server(given["gateway"], "gateway") if given["gateway"] else context.gateway
    return replace(context, name=name, gateway=gateway, project=given["project"] or context.project)


def _wanted(given: dict[str, Any]) -> Wanted:
    if given["token"] and given["way"]:
        raise click.UsageError("--token is a way of its own; take the other one away.")
    way = "token" if given["token"] else given["way"] or "browser"
    secret = ""
    if way == "secret":
        secret = _secret(given["client_secret_file"])
    return Wanted(way, given["token"] or "", secret, given["opens"], given["port"], given["patience"])


def _secret(file: Path | None) -> str:
    try:
        secret = file.read_text().strip() if file else os.environ.get(_SECRET, "")
    except OSError as fault:
        raise SetupError(f"--client-secret-file {file} cannot be read: {fault.strerror}.") from fault
    if not secret:
        raise SetupError(f"There is no client secret; give {_SECRET} or --client-secret-file.")
    return secret


def _known_client(context: Context, given: dict[str, Any]) -> Context:
    """With provider and client id: as they are said here, or by the server."""
    issuer, client_id, scopes = given["issuer"], given["client_id"], " ".join(given["scopes"])
    if issuer and client_id:
        return replace(context, issuer=issuer, client_id=client_id, scopes=scopes or "openid offline_access")
    found = server.chosen(context.server, issuer or "")
    asked = scopes or ("" if given["way"] == "secret" else " ".join(found.scopes))
    return replace(
        context, issuer=found.issuer, client_id=client_id or found.client_id, scopes=asked, takes=found.takes
    )


def _credential(context: Context, wanted: Wanted) -> Credential:
    from ambient_core.cli.login import flows  # noqa: PLC0415 - with it comes Authlib
    from ambient_core.cli.login.provider import expiry_of, provider_of  # noqa: PLC0415

    if wanted.way == "token":
        token = (sys.stdin.readline() if wanted.token == _STDIN else wanted.token).strip()
        if not token:
            raise SetupError("There is no token.")
        return Credential(token, expiry_of(token))
    with provider_of(client_of(context, wanted.secret)) as provider:
        if wanted.way == "device":
            return flows.by_device(provider, _show_code)
        if wanted.way == "secret":
            return flows.by_secret(provider)
        return flows.by_browser(provider, _shown(wanted.opens), port=wanted.port, patience=wanted.patience)


def _shown(opens: bool) -> Callable[[str], None]:
    def show(url: str) -> None:
        if opens and webbrowser.open(url):
            click.echo("A browser opens; go on there. If it does not, open this address:", err=True)
        else:
            click.echo("Open this address in a browser of this machine (or use --device):", err=True)
        click.echo(url, err=True)

    return show


def _show_code(url: str, code: str) -> None:
    click.echo(f"Open {url} on any device, and enter the code {code}", err=True)
