"""The client: one attribute per kind of the server."""

import os
from collections.abc import Callable, Mapping
from typing import Self

from ambient_sdk._generated.resources import Resources
from ambient_sdk.batch import Batch, Result
from ambient_sdk.changes import Changes
from ambient_sdk.resource import Plain, PlainResource, Resource
from ambient_sdk.transport import Transport


class AmbientClient(Resources):
    """A client of one server.

    Args:
        base_url: ``http://host:port``.
        token: bearer token, or what gives it for each request: one that is renewed while the client lives.
        project: project that lists and new objects belong to, unless they say otherwise.
        timeout: seconds for one try of a request.
        attempts: tries in all, where repeating is safe.
        headers: sent with every request.

    Example::

        with AmbientClient("http://127.0.0.1:8000", token) as client:
            session = client.sessions.create(name="first", project_id="demo", prompt="Look around.")
            client.sessions.start(session.id)
    """

    def __init__(
        self,
        base_url: str,
        token: str | Callable[[], str],
        project: str | None = None,
        *,
        timeout: float = 30.0,
        attempts: int = 4,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.transport = Transport(base_url, token, project, timeout=timeout, attempts=attempts)
        self.transport.carry(headers or {})
        super().__init__(self.transport)
        self.changes = Changes(self.transport)

    @classmethod
    def from_environment(cls) -> Self:
        """A client by ``AMBIENT_API_URL``, ``AMBIENT_TOKEN`` and ``AMBIENT_PROJECT``.

        Raises:
            KeyError: ``AMBIENT_TOKEN`` is not set.
        """
        url = os.environ.get("AMBIENT_API_URL", "http://127.0.0.1:8000")
        return cls(url, os.environ["AMBIENT_TOKEN"], os.environ.get("AMBIENT_PROJECT"))

    def kind(self, name: str, path: str) -> Resource[Plain]:
        """The five verbs of any kind, also of one that this client was not generated for; objects come as on the wire.

        Args:
            name: such as ``Gadget``.
            path: where its objects are, such as ``/api/ambient/v1/gadgets``.
        """
        return PlainResource(self.transport, name, path)

    def batch(
        self, batch: Batch, *, atomic: bool = False, dry_run: bool = False, idempotency_key: str | None = None
    ) -> list[Result]:
        """Send up to 500 operations in one request; answers what became of each, in their order.

        Args:
            atomic: whether the first that fails undoes all of them, and is raised.
            dry_run: check and answer as if, and keep nothing.

        Raises:
            ApiError: the batch is refused; an atomic one also when one operation is, with ``results`` in its body.
        """
        return batch.send(self.transport, atomic=atomic, dry_run=dry_run, idempotency_key=idempotency_key)

    def allow_replicas(self) -> Self:
        """Let a replica of the server answer lists from now on.

        What this client wrote or saw is in them all the same, and what others wrote a second ago or earlier.
        """
        self.transport.allow_replicas()
        return self

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
