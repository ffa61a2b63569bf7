"""One request: who asks, its transaction, the stores it opens; and what the requests of one process share."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Semaphore
from typing import Any

from flask import Flask, g
from sqlalchemy import ColumnElement

from ambient_core.access import Guard
from ambient_core.access.open_streams import OpenStreams
from ambient_core.access.rates import Rates
from ambient_core.access.refusals import Recorder
from ambient_core.changes.watchers import Hub
from ambient_core.config import Settings
from ambient_core.database import Database
from ambient_core.database.gate import Gate
from ambient_core.database.replicas import Replica
from ambient_core.database.transaction import Transaction
from ambient_core.hooks import concerning
from ambient_core.http.context import the_request
from ambient_core.identity import Principal
from ambient_core.kinds import Kind, Registry
from ambient_core.rest.parameters import agree, in_project, project_header
from ambient_core.search.tokens import Signer
from ambient_core.secrets.keyring import Keyring
from ambient_core.store import Store
from ambient_core.store.surroundings import Surroundings

NOBODY = Principal("person", "nobody", "Nobody")
"""Who asks until it is known who does."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the requests of one process share."""

    settings: Settings
    database: Database
    registry: Registry
    guard: Guard
    before_write: tuple[tuple[str, Callable[..., Any]], ...]
    hub: Hub
    gate: Gate
    rates: Rates
    refusals: Recorder
    keyring: Keyring | None
    streams: OpenStreams
    batches: Semaphore
    signer: Signer = field(default_factory=Signer)
    replica: Replica | None = None

    def deadline(self) -> float | None:
        """Until when what begins now may take, on the monotonic clock; ``None`` for however long."""
        seconds = self.settings.request_timeout
        return time.monotonic() + seconds if seconds else None

    def sweep(self) -> None:
        """See after the connections to the databases; to be called about every second."""
        self.database.pool.sweep()
        if self.replica is not None:
            self.replica.database.pool.sweep()


class Operation:
    """One request: who asks, its transaction, and the stores it opens.

    Args:
        identifier: the operation id of answer and log.
        runtime: what the process shares.
    """

    def __init__(self, identifier: str, runtime: Runtime) -> None:
        self.id = identifier
        self.runtime = runtime
        self.settings = runtime.settings
        self.database = runtime.database
        self.registry = runtime.registry
        self.principal: Principal = NOBODY
        self.address = ""
        self.leave_stream: Callable[[], None] | None = None
        self.transaction = Transaction(runtime.database, runtime.deadline(), runtime.gate)

    def store(self, kind: str | Kind, verb: str) -> Store:
        """Open the store of a kind for this caller.

        Args:
            kind: a kind or its name.
            verb: what is going to be done; it is asked for, and it is what the change log says.

        Raises:
            Forbidden: the caller may not use this verb.
        """
        if isinstance(kind, str):
            kind = self.registry[kind]
        guard = self.runtime.guard
        guard.check(self.principal, verb, kind)
        scope = guard.scope(self.principal, verb, kind)
        if verb not in ("list", "create") and (project := project_header()):
            if kind.project_column == "id":
                agree(project, (the_request().view_args or {}).get("id", project), "the path")
            scope = in_project(kind, scope, project)
        return self._opened(kind, verb, scope)

    def system_store(self, kind: str, verb: str) -> Store:
        """Open a store on the system's own account: nobody is asked, and every row is in scope.

        `tests/core/test_gate.py` lists every use. The change log still names the caller.
        """
        return self._opened(self.registry[kind], verb, None)

    def _opened(self, kind: Kind, verb: str, scope: "ColumnElement[bool] | None") -> Store:
        runtime = self.runtime
        before = concerning(runtime.before_write, kind.name)
        surroundings = Surroundings(
            self.transaction, self.principal, self.registry, before, self.store, runtime.keyring, runtime.signer
        )
        return (kind.store or Store)(kind, surroundings, verb, scope)

    def enter_stream(self) -> None:
        """Count the answer as a stream: at its begin, or before what cannot be undone. The application counts it out.

        Raises:
            TooManyRequests: there are as many as may be.
        """
        self.leave_stream = self.leave_stream or self.runtime.streams.enter(self.principal)

    def release(self) -> None:
        """Commit and give the connection back: call it before a long stream."""
        self.transaction.commit()


def current() -> Operation:
    """The operation of the request that is being answered."""
    # Not `g.operation`: Flask's stand-in takes three times as long, and this is asked for half a dozen times a request.
    operation = g._get_current_object().operation
    assert isinstance(operation, Operation)
    return operation


def runtime_of(app: Flask) -> Runtime:
    """What this application's requests share."""
    runtime = app.extensions["ambient"]
    assert isinstance(runtime, Runtime)
    return runtime
