"""What a shell offers when somebody presses Tab: kinds, names and fields of the server. A server that is away offers nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from click.shell_completion import CompletionItem

from ambient_core.cli import invocation_in
from ambient_core.cli.console.server import Server, opened, quoted

_MOST = 50
_Found = list[CompletionItem]


def kinds(context: click.Context, parameter: click.Parameter, incomplete: str) -> _Found:
    """The kinds of the server; behind ``KIND/`` its objects."""
    kind, slash, begun = incomplete.partition("/")
    if slash:
        found = names_of(kind)(context, parameter, begun)
        return [CompletionItem(f"{kind}/{one.value}", help=one.help) for one in found]

    def offered(server: Server) -> Iterator[CompletionItem]:
        for kind in sorted(server.contract.kinds.values(), key=lambda one: one.plural):
            yield CompletionItem(kind.plural)

    return _asked(context, incomplete, offered)


def names(context: click.Context, parameter: click.Parameter, incomplete: str) -> _Found:
    """The objects of the kind that was named before."""
    given = context.params.get("kind")
    return names_of(str(given))(context, parameter, incomplete) if given else []


def names_of(kind: str) -> Callable[[click.Context, click.Parameter, str], _Found]:
    """The objects of a kind: by name, or by id where the name is no single word."""

    def found(context: click.Context, parameter: click.Parameter, incomplete: str) -> _Found:
        def offered(server: Server) -> Iterator[CompletionItem]:
            known = server.kind(kind, "list")
            search = f"{known.handle} like {quoted(incomplete + '%')}" if incomplete else None
            fields = ",".join(dict.fromkeys([known.handle, "id"]))
            for row in server.resource(known).list(size=_MOST, total=False, search=search, fields=fields).items:
                word = str(row.get(known.handle, row["id"]))
                plain = word and all(letter.isprintable() and not letter.isspace() for letter in word)
                yield CompletionItem(word) if plain else CompletionItem(row["id"], help=word)

        already = context.params.get(parameter.name or "") or ()
        return sorted(
            (one for one in _asked(context, "", offered) if one.value not in already), key=lambda one: one.value
        )

    return found


def fields(context: click.Context, _parameter: click.Parameter, incomplete: str) -> _Found:
    """The fields of the kind that was named before."""
    # Before the value of an option, click has not read the arguments yet.
    given = context.params.get("kind") or next(iter(context.args), None)

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
