"""A running API, as the commands of the command line reach it: its address, our token, and the kinds that it serves."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ambient_sdk import AmbientClient, AmbientError, ApiError

from ambient_core.config import Settings
from ambient_core.errors import BASE_PATH, SetupError


@contextmanager
def connected(settings: Settings) -> Iterator[AmbientClient]:
    """A client of the API at ``api_url``, with the token of AMBIENT_TOKEN or of the developer's token file.

    Raises:
        SetupError: there is no token, the API does not answer, or it refuses, in its words.
    """
    token = os.environ.get("AMBIENT_TOKEN", "")
    if not token and settings.developer_token_file is not None:
        try:
            token = settings.developer_token_file.read_text().strip()
        except OSError as fault:
            raise SetupError(f"developer_token_file cannot be read: {fault.strerror}.") from fault
    if not token:
        raise SetupError("There is no token; give AMBIENT_TOKEN.")
    with AmbientClient(settings.api_url, token) as client:
        try:
            yield client
        except ApiError as fault:
            raise SetupError(fault.reason) from fault
        except AmbientError as fault:
            raise SetupError(f"The API at {settings.api_url} does not answer.") from fault


@dataclass(frozen=True, slots=True)
class RemoteKind:
    """A kind as the server's contract tells it.

    Args:
        name: singular.
        plural: its path.
        fields: what a caller may give.
        secrets: those of them that are never shown.
        unique: the groups of fields that an object is found by.
        labelled: whether it has labels.
    """

    name: str
    plural: str
    fields: frozenset[str]
    secrets: frozenset[str]
    unique: tuple[tuple[str, ...], ...]
    labelled: bool

    @property
    def path(self) -> str:
        """Where its objects are."""
        return f"{BASE_PATH}/{self.plural}"


def kinds(client: AmbientClient) -> dict[str, RemoteKind]:
    """The kinds that the server lets us create, by name and by plural."""
    contract = client.transport.json("GET", f"{BASE_PATH}/openapi")
    schemas = contract["components"]["schemas"]
    found: dict[str, RemoteKind] = {}
    for path, item in contract["paths"].items():
        operation = item.get("post", {})
        if operation.get("x-ambient-verb") == "create" and "x-ambient-unique" in operation:
            kind = _kind(path, operation, schemas)
            found |= {kind.name: kind, kind.plural: kind}
    return found


def _kind(path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> RemoteKind:
    name = str(operation["operationId"]).removeprefix("create")
    given = frozenset(schemas[f"{name}Create"].get("properties", {}))
    shown = schemas[name].get("properties", {})
    labels = shown.get("labels", {})
    unique = tuple(tuple(group) for group in operation["x-ambient-unique"])
    return RemoteKind(
        name,
        path.rsplit("/", 1)[1],
        given,
        given - set(shown),
        unique,
        labels.get("type") == "object" and "labels" in given,
    )
