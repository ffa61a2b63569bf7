"""Where credentials are kept: a file for each context, or the keyring of the system."""

from dataclasses import asdict, dataclass, field, fields
from importlib import import_module
from typing import Any, Protocol

import orjson

from ambient_core.cli.login.contexts import Context
from ambient_core.cli.login.folder import Folder
from ambient_core.errors import SetupError

SERVICE = "ambient"


@dataclass(frozen=True, slots=True)
class Credential:
    """What a context is shown by, and how it is renewed.

    Args:
        token: what the server is sent.
        expires_at: when it ends, in seconds since 1970; ``None`` when nobody said.
        renew_at: when it is renewed, a while before.
        refresh_token: by which the provider renews it.
        client_secret: of a machine, which asks anew instead.
    """

    token: str = field(repr=False)
    expires_at: float | None = None
    renew_at: float | None = None
    refresh_token: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are to a provider, and what we want of it.

    Args:
        issuer: the provider.
        client_id: registered there.
        scopes: to ask for.
        takes: which token the server takes: ``access`` or ``id``.
        secret: of a client that can keep one.
    """

    issuer: str
    client_id: str
    scopes: tuple[str, ...] = ()
    takes: str = "access"
    secret: str = field(default="", repr=False)


def client_of(context: Context, secret: str = "") -> Client:
    """Who a context is to its provider."""
    return Client(context.issuer, context.client_id, tuple(context.scopes.split()), context.takes, secret)


class Wallet(Protocol):
    """Keeps the credential of each context."""

    def get(self, name: str) -> Credential | None:
        """The credential of a context, if there is one."""

    def put(self, name: str, credential: Credential) -> None:
        """Keep it."""

    def forget(self, name: str) -> None:
        """Forget it."""


def wallet_of(context: Context, folder: Folder) -> Wallet:
    """Where the credential of a context is.

    Raises:
        SetupError: in a keyring, and there is none.
    """
    return KeyringWallet() if context.keyring else FileWallet(folder)


class FileWallet:
    """A file for each context, of mode 0600.

    Args:
        folder: of the person.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def get(self, name: str) -> Credential | None:
        """The credential of a context, if there is one."""
        return _credential(self._folder.read(_file(name)))

    def put(self, name: str, credential: Credential) -> None:
        """Keep it."""
        self._folder.write(_file(name), asdict(credential))

    def forget(self, name: str) -> None:
        """Forget it."""
        self._folder.remove(_file(name))


class KeyringWallet:
    """The keyring of the system, by the package ``keyring``.

    Raises:
        SetupError: the package is not installed.
    """

    def __init__(self) -> None:
        try:
            self._keyring: Any = import_module("keyring")
            self._fault: type[Exception] = import_module("keyring.errors").KeyringError
        except ImportError:
            raise SetupError(
                "The package 'keyring' is not installed; run: pip install 'ambient-core[keyring]', or log in without --keyring."
            ) from None

    def get(self, name: str) -> Credential | None:
        """The credential of a context, if there is one."""
        found = self._asked("get_password", SERVICE, name)
        return _credential(orjson.loads(found)) if found else None

    def put(self, name: str, credential: Credential) -> None:
        """Keep it."""
        self._asked("set_password", SERVICE, name, orjson.dumps(asdict(credential)).decode())

    def forget(self, name: str) -> None:
        """Forget it."""
        if self._asked("get_password", SERVICE, name):
            self._asked("delete_password", SERVICE, name)

    def _asked(self, verb: str, *arguments: str) -> Any:
        try:
            return getattr(self._keyring, verb)(*arguments)
        except self._fault as fault:
            raise SetupError(
                f"The keyring of the system refuses ({type(fault).__name__}); unlock it, or log in without --keyring."
            ) from fault


def _file(name: str) -> str:
    return f"credentials/{name}.json"


def _credential(content: dict[str, Any]) -> Credential | None:
    known = {entry.name for entry in fields(Credential)}
    return Credential(**{key: value for key, value in content.items() if key in known}) if content else None
