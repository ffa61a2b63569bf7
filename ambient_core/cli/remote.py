"""A running API, as the commands of the command line reach it: its address, our token, and the kinds that it serves."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from ambient_sdk import AmbientClient, AmbientError, ApiError

from ambient_core.cli.contract import Contract, RemoteKind
from ambient_core.cli.login import contexts
from ambient_core.cli.login.contexts import Context
from ambient_core.cli.login.folder import Folder, folder_of
from ambient_core.cli.login.renewal import RenewedToken
from ambient_core.config import Settings
from ambient_core.errors import BASE_PATH, SetupError


@dataclass(frozen=True, slots=True)
class Target:
    """Where commands go, and by what they are known there.

    Args:
        server: address of the API.
        gateway: address of the AG-UI gateway.
        token: what requests carry, or what gives it for each of them.
        project: that is meant where a command names none; empty when nobody said.
        context: whose words these are; empty without one.
    """

    server: str
    gateway: str
    token: str | Callable[[], str] = field(repr=False)
    project: str = ""
    context: str = ""


def target_of(settings: Settings, environment: Mapping[str, str] | None = None) -> Target:
    """Where commands go: by flag (which sets the variable), by environment, by the developer's settings, or by context.

    AMBIENT_API_URL and AMBIENT_TOKEN come before what a context says, AMBIENT_CONTEXT names another than the current one. What a
    context is known by is never sent to another server than its own.

    Raises:
        SetupError: nothing says by what we are known.
    """
    given = os.environ if environment is None else environment
    folder = Folder(folder_of(given))
    context = _context(settings, given, folder)
    server = given.get("AMBIENT_API_URL") or (context.server if context else settings.api_url)
    gateway = given.get("AMBIENT_GATEWAY_URL") or (context.gateway or server if context else settings.gateway_url)
    project = given.get("AMBIENT_PROJECT") or (context.project if context else "")
    token = given.get("AMBIENT_TOKEN") or _token(settings, context, server.rstrip("/"), folder)
    return Target(server, gateway, token, project, context.name if context else "")


def _context(settings: Settings, given: Mapping[str, str], folder: Folder) -> Context | None:
    named = given.get("AMBIENT_CONTEXT", "")
    if not named and settings.developer_token_file is not None:
        # Somebody works on a server of this machine: that is said for this very command, a current context is not.
        return None
    book, server = contexts.read(folder), given.get("AMBIENT_API_URL", "").rstrip("/")
    if named or not server:
        return book.find(named) if named or book.current else None
    fitting = [context for context in book.contexts.values() if context.server == server]
    return min(fitting, key=lambda context: (context.name != book.current, context.name), default=None)


def _token(settings: Settings, context: Context | None, server: str, folder: Folder) -> str | Callable[[], str]:
    if context is not None:
        if context.server != server:
            raise SetupError(
                f"Context {context.name} is of {context.server}, and its login is not sent to {server}; give --token "
                "(AMBIENT_TOKEN), or take --server (AMBIENT_API_URL) away."
            )
        return RenewedToken(context, folder)
    if settings.developer_token_file is None:
        raise SetupError("There is no token; run: ambient login --server URL, or give AMBIENT_TOKEN.")
    try:
        token = settings.developer_token_file.read_text().strip()
    except OSError as fault:
        raise SetupError(f"developer_token_file cannot be read: {fault.strerror}.") from fault
    if not token:
        raise SetupError(f"developer_token_file {settings.developer_token_file} is empty.")
    return token


@contextmanager
def connected(settings: Settings) -> Iterator[AmbientClient]:
    """A client of the API that `target_of` says.

    Raises:
        SetupError: there is no token, the API does not answer, or it refuses, in its words.
    """
    target = target_of(settings)
    with AmbientClient(target.server, target.token) as client:
        try:
            yield client
        except ApiError as fault:
            raise SetupError(fault.reason + advice(fault, target)) from fault
        except AmbientError as fault:
            raise SetupError(f"The API at {target.server} does not answer.") from fault


def advice(fault: ApiError, target: Target) -> str:
    """What to do about a refusal beside what the server says; empty where nothing helps."""
    return f" Run: ambient login --context {target.context}" if fault.status == 401 and target.context else ""


def kinds(client: AmbientClient) -> dict[str, RemoteKind]:
    """The kinds that the server lets us create, by name and by plural."""
    contract = Contract(client.transport.json("GET", f"{BASE_PATH}/openapi"))
    made = [kind for kind in contract.kinds.values() if kind.given is not None]
    return {name: kind for kind in made for name in (kind.name, kind.plural)}
