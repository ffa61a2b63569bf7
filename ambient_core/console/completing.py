"""What a shell offers when somebody presses Tab: kinds, names and fields of the server. A server that is away offers nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from click.shell_completion import CompletionItem

from ambient_core.cli import invocation_in
from ambient_core.console.server import Server, opened, quoted

_MOST = 50
_Found = list[CompletionItem]


def kinds(context: click.Context, _parameter: click.Parameter, incomplete: str) -> _Found:
    """The kinds of the server."""

    def offered(server: Server) -> Iterator[CompletionItem]:
        for kind in sorted(server.contract.kinds.values(), key=lambda one: one.plural):
            yield CompletionItem(kind.plural)

    return _asked(context, incomplete, offered)


def names(context: click.Context, parameter: click.Parameter, incomplete: str) -> _Found:
    """The objects of the kind that was named before: by name, or by id where the name does not say which."""
    given = context.params.get("kind")
    already = context.params.get(parameter.name or "") or ()

    def offered(server: Server) -> Iterator[CompletionItem]:
        kind = server.kind(str(given), "list")
        search = f"{kind.handle} like {quoted(incomplete + '%')}" if incomplete else None
        fields = ",".join(dict.fromkeys([kind.handle, "id"]))
        for row in server.resource(kind).list(size=_MOST, total=False, search=search, fields=fields).items:
            word = str(row.get(kind.handle, row["id"]))
            # A shell takes a word; what has spaces is offered by its id.
            plain = bool(word) and not any(letter.isspace() or not letter.isprintable() for letter in word)
            yield CompletionItem(word) if plain else CompletionItem(row["id"], help=word)

    found = _asked(context, "", offered) if given else []
    return [one for one in found if one.value not in already]


def fields(context: click.Context, _parameter: click.Parameter, incomplete: str) -> _Found:
    """The fields of the kind that was named before."""
    given = context.params.get("kind")

    def offered(server: Server) -> Iterator[CompletionItem]:
        for name, schema in server.kind(str(given)).shown.items():
            yield CompletionItem(name, help=schema.get("description", ""))

    return _asked(context, incomplete, offered) if given else []


@contextmanager
def server_of(context: click.Context, project: str | None = None) -> Iterator[Server]:
    """The server that a command line is for."""
    with opened(invocation_in(context).load().settings, project) as server:
        yield server


def _asked(context: click.Context, incomplete: str, offered: Callable[[Server], Iterator[CompletionItem]]) -> _Found:
    try:
        with server_of(context, context.params.get("project")) as server:
            return [one for one in offered(server) if one.value.startswith(incomplete)]
    except Exception:
        # Whatever is wrong, a shell that waits for words must not get an error instead.
        return []
