"""``ambient config get-contexts`` and its like."""

import os
from dataclasses import replace

import click
import orjson

from ambient_core.cli.login import contexts
from ambient_core.cli.login.contexts import Book, Context
from ambient_core.cli.login.folder import Folder, folder_of
from ambient_core.cli.login.renewal import lock_of
from ambient_core.cli.login.wallet import wallet_of


def _folder() -> Folder:
    return Folder(folder_of(os.environ))


@click.command("get-contexts")
@click.option("-o", "--output", type=click.Choice(["table", "json", "name"]), default="table", help="How to print.")
def get_contexts(output: str) -> None:
    """List the contexts; a star marks the current one."""
    book = contexts.read(_folder())
    if output == "name":
        for name in sorted(book.contexts):
            click.echo(name)
    elif output == "json":
        click.echo(orjson.dumps([_shown(book.contexts[name], book) for name in sorted(book.contexts)]))
    elif not book.contexts:
        click.echo("There are no contexts yet; run: ambient login --server URL", err=True)
    else:
        click.echo(_table(book))


@click.command("current-context")
def current_context() -> None:
    """Print the name of the current context."""
    click.echo(contexts.read(_folder()).find().name)


@click.command("use-context")
@click.argument("name")
def use_context(name: str) -> None:
    """Make a context the current one."""
    with contexts.changing(_folder()) as books:
        books.append(books[0].using(name))
    click.echo(f"Context {name} is the current one.")


@click.command("set-context")
@click.argument("name")
@click.option("--server", metavar="URL", help="The API.")
@click.option("--gateway", metavar="URL", help="The AG-UI gateway.")
@click.option("--project", help="Project that commands mean when they name none; '' for none.")
def set_context(name: str, server: str | None, gateway: str | None, project: str | None) -> None:
    """Change a context, or make one without a login."""
    with contexts.changing(_folder()) as books:
        before = books[0].contexts.get(name)
        if before is None and not server:
            raise click.UsageError("A new context needs --server.")
        context = before or Context(contexts.checked_name(name), "")
        if server:
            address = contexts.checked_server(server)
            if before is not None and before.server != address:
                raise click.UsageError("A login is for its server: use 'ambient login --server URL', or another name.")
            context = replace(context, server=address)
        if gateway is not None:
            context = replace(context, gateway=contexts.checked_server(gateway, "gateway") if gateway else "")
        if project is not None:
            context = replace(context, project=project)
        books.append(books[0].having(context))
    click.echo(f"Context {name} is kept.")


@click.command("delete-context")
@click.argument("name")
def delete_context(name: str) -> None:
    """Forget a context and its login; 'ambient logout' before it has the provider forget the login too."""
    folder = _folder()
    with contexts.changing(folder) as books:
        context = books[0].find(name)
        with folder.locked(lock_of(context)):
            wallet_of(context, folder).forget(name)
        books.append(books[0].without(name))
    click.echo(f"Context {name} is forgotten.")


COMMANDS = (get_contexts, current_context, use_context, set_context, delete_context)


def _shown(context: Context, book: Book) -> dict[str, object]:
    return {
        "name": context.name,
        "current": context.name == book.current,
        "server": context.server,
        "gateway": context.gateway or context.server,
        "project": context.project,
        "issuer": context.issuer,
        "client_id": context.client_id,
        "kept_in": "keyring" if context.keyring else "file",
    }


def _table(book: Book) -> str:
    rows = [("", "NAME", "SERVER", "PROJECT", "ISSUER")]
    for name in sorted(book.contexts):
        one = book.contexts[name]
        rows.append(("*" if name == book.current else "", name, one.server, one.project, one.issuer or "(token)"))
    wide = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(wide[i]) for i, cell in enumerate(row)).rstrip() for row in rows)
