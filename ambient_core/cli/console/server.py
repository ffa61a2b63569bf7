"""The server that a command talks to: its kinds by any of their names, its objects by name or id."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from ambient_sdk import AmbientClient, AmbientError, ApiError, NotFound, Plain, Resource

from ambient_core.cli import remote
from ambient_core.cli.console.faults import FAILED, NOT_ALLOWED, NOT_FOUND, USAGE, Refusal, refusal
from ambient_core.cli.console.keeping import contract_of
from ambient_core.cli.contract import Contract, RemoteAction, RemoteKind
from ambient_core.config import Settings
from ambient_core.errors import SetupError

_PROJECT = "X-Ambient-Project"
_SHOWN = 5


class Server:
    """One server, for the time of one command.

    Args:
        client: of it.
        project: that is meant; empty for all of them.
    """

    def __init__(self, client: AmbientClient, project: str = "") -> None:
        self.client = client
        self.project = project
        self._contract: Contract | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return self.client.transport.base_url

    @property
    def contract(self) -> Contract:
        """Its contract, asked for once."""
        if self._contract is None:
            self._contract = contract_of(self.client)
        return self._contract

    def kind(self, word: str, verb: str | None = None) -> RemoteKind:
        """A kind by any of its names.

        Args:
            verb: one of the five that it must have.

        Raises:
            Refusal: there is none.
        """
        kind = self.contract.find(word)
        if kind is None:
            near = self.contract.near(word)
            names = ", ".join(sorted(one.plural for one in self.contract.kinds.values()))
            hint = f"did you mean {near}?" if near else f"it has {names}."
            raise Refusal([f"The server has no kind {word!r}; {hint}"], USAGE)
        if verb is not None and verb not in kind.verbs:
            raise Refusal(
                [f"{kind.plural} cannot be used with {verb}; they have {', '.join(sorted(kind.verbs))}."], USAGE
            )
        return kind

    def action(self, kind: RemoteKind, name: str) -> RemoteAction:
        """An action that a kind must have.

        Raises:
            Refusal: it has none; says which kinds have.
        """
        action = kind.actions.get(name)
        if action is None:
            having = ", ".join(one.plural for one in self.contract.acting(name)) or "no kind of the server"
            raise Refusal([f"{kind.plural} have no {name}; it is of {having}."], USAGE)
        return action

    def resource(self, kind: RemoteKind) -> Resource[Plain]:
        """The five verbs of a kind; where its objects live in projects, those of the project that is meant."""
        self._mean(kind)
        return self.client.kind(kind.name, kind.path)

    def find(self, kind: RemoteKind, word: str) -> Plain:
        """An object by its id, or by its name.

        Raises:
            Refusal: there is none, or several have the name.
        """
        resource = self.resource(kind)
        if "get" in kind.verbs:
            try:
                return resource.get(word)
            except NotFound as fault:
                if kind.handle == "id" or "list" not in kind.verbs:
                    raise Refusal([f"{kind.plural}/{word}: {fault.reason}"], NOT_FOUND) from fault
        found = resource.list(size=_SHOWN, total=False, search=f"{kind.handle} = {quoted(word)}").items
        if not found:
            text = f"There is no {kind.name} with the id or {kind.handle} {word!r} that you may see."
            raise Refusal([text], NOT_FOUND)
        if len(found) > 1:
            lines = [f"Several {kind.plural} have the {kind.handle} {word!r}; say which by its id, or give --project:"]
            places = [f"  {row['id']}  {row.get('project_id', '')}".rstrip() for row in found]
            raise Refusal([*lines, *places], FAILED)
        return found[0]

    def call(self, kind: RemoteKind, action: RemoteAction, identifier: str, **options: Any) -> Mapping[str, Any]:
        """Run an action; the JSON object that it answers, empty for none."""
        self._mean(kind)
        answer = self.client.transport.send(action.method, address(kind, action, identifier), **options)
        if not answer.content:
            return {}
        body = answer.json()
        return body if isinstance(body, dict) else {"items": body}

    def _mean(self, kind: RemoteKind) -> None:
        if self.project and "project_id" in kind.shown:
            self.client.transport.carry({_PROJECT: self.project})


def address(kind: RemoteKind, action: RemoteAction, identifier: str) -> str:
    """Where an action of one object is."""
    return kind.path + action.path.replace("{id}", quote(identifier, safe=""))


def quoted(text: str) -> str:
    """A text as a search takes it."""
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def opened(settings: Settings, project: str | None = None) -> Iterator[Server]:
    """The server of these settings; what goes wrong with it ends the command.

    Args:
        project: that lists and new objects belong to; ``None`` for that of the context, empty for all of them.

    Raises:
        Refusal: in the server's words.
    """
    try:
        target = remote.target_of(settings)
    except SetupError as fault:
        raise Refusal([str(fault)], NOT_ALLOWED) from fault
    with remote.connected(settings) as client:
        try:
            yield Server(client, target.project if project is None else project)
        except SetupError as fault:
            # A login that has ended, and cannot be renewed.
            raise Refusal([str(fault)], NOT_ALLOWED) from fault
        except AmbientError as fault:
            known = refusal(fault, target.server)
            what_to_do = remote.advice(fault, target).strip() if isinstance(fault, ApiError) else ""
            raise Refusal([*known.lines, *([what_to_do] if what_to_do else [])], known.exit_code) from fault
