"""Contexts: which server to talk to, in which project, and as whom; one of them is the current one."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any
from urllib.parse import urlsplit

from ambient_core.cli.login.folder import Folder
from ambient_core.errors import SetupError

FILE = "contexts.json"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Context:
    """Where to go, and as whom.

    Args:
        name: as it is chosen by.
        server: address of the API.
        gateway: address of the AG-UI gateway; the server's own when empty.
        project: that commands mean when they name none.
        issuer: identity provider that the credential comes from; empty for a plain token.
        client_id: that we are there.
        scopes: that were asked for, separated by spaces.
        takes: which of the provider's tokens the server takes: ``access`` or ``id``.
        keyring: whether the credential is in the keyring of the system, and not in a file.
    """

    name: str
    server: str
    gateway: str = ""
    project: str = ""
    issuer: str = ""
    client_id: str = ""
    scopes: str = ""
    takes: str = "access"
    keyring: bool = False


@dataclass(frozen=True, slots=True)
class Book:
    """All contexts.

    Args:
        contexts: by name.
        current: name of the one that is meant without a name; empty when there is none.
    """

    contexts: Mapping[str, Context] = field(default_factory=dict)
    current: str = ""

    def find(self, name: str = "") -> Context:
        """The context of a name, or the current one.

        Raises:
            SetupError: there is none; says which there are.
        """
        wanted = name or self.current
        if wanted in self.contexts:
            return self.contexts[wanted]
        known = ", ".join(sorted(self.contexts)) or "none yet"
        if not wanted:
            raise SetupError(f"No context is current; run: ambient config use-context NAME (there are: {known}).")
        raise SetupError(f"There is no context {wanted!r}; there are: {known}. 'ambient login' makes one.")

    def having(self, context: Context) -> "Book":
        """With one more context, or another of its name."""
        return replace(self, contexts={**self.contexts, context.name: context})

    def without(self, name: str) -> "Book":
        """Without one."""
        left = {key: context for key, context in self.contexts.items() if key != name}
        return Book(left, "" if self.current == name else self.current)

    def using(self, name: str) -> "Book":
        """With another current one.

        Raises:
            SetupError: there is none of this name.
        """
        return replace(self, current=self.find(name).name)


def read(folder: Folder) -> Book:
    """The contexts that are kept.

    Raises:
        SetupError: the file cannot be read, or is damaged.
    """
    content = folder.read(FILE)
    known = {entry.name for entry in fields(Context)} - {"name"}
    found: dict[str, Context] = {}
    for name, given in content.get("contexts", {}).items():
        if not isinstance(given, dict) or "server" not in given:
            raise SetupError(f"{folder.path / FILE} is damaged: context {name!r} names no server.")
        # What a later version keeps beside it does not concern us.
        values: dict[str, Any] = {key: value for key, value in given.items() if key in known}
        found[name] = Context(name, **values)
    return Book(found, content.get("current", ""))


@contextmanager
def changing(folder: Folder) -> Iterator[list[Book]]:
    """Change the contexts while nobody else does: the last book of the list is kept.

    Raises:
        SetupError: they cannot be read or written.
    """
    with folder.locked("contexts"):
        books = [read(folder)]
        yield books
        kept = {name: asdict(context) for name, context in books[-1].contexts.items()}
        for content in kept.values():
            del content["name"]
        folder.write(FILE, {"current": books[-1].current, "contexts": kept})


def checked_name(name: str) -> str:
    """A name as it may be.

    Raises:
        SetupError: it may not.
    """
    if not NAME.fullmatch(name):
        raise SetupError(f"A context cannot be called {name!r}; use up to 63 letters, digits, '.', '_' and '-'.")
    return name


def checked_server(url: str, what: str = "server") -> str:
    """An address that a token may be sent to, without a slash at its end.

    Raises:
        SetupError: whoever is on the way could read the token, or it is no address.
    """
    parts = urlsplit(url)
    safe = parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK))
    if safe and not (parts.query or parts.fragment or parts.username):
        return url.rstrip("/")
    raise SetupError(f"{what} is {url!r}; it must be an https:// address (http:// only on this very machine).")


def name_of(server: str) -> str:
    """What a context is called when nobody says: host and port of its server."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", urlsplit(server).netloc).strip("-.")[:63]
