"""The log of a session's AG-UI events: stored before they are shown, numbered without gaps, one run at a time."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Index, String, Table, Text, text
from sqlalchemy.dialects.postgresql import JSON

from ambient_core import Conflict, NotFound, Principal, Resource, Store
from ambient_core.database.transaction import Transaction
from ambient_core.rest.operation import Runtime
from ambient_core.store.surroundings import Surroundings
from ambient_sessions.agui.thread import Event, Thread

LEASE = 10
OWNER = secrets.token_hex(8)
GATEWAY = Principal("service", "gateway", "AG-UI gateway")
_BATCH = 500

agui_threads = Table(
    "agui_threads",
    Resource.metadata,
    Column("session_id", String(63), ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("last_seq", BigInteger, nullable=False, server_default=text("0")),
    Column("active_run", String(255)),
    Column("owner", String(63)),
    Column("lease_until", DateTime(timezone=True)),
    Column("interrupted_at", DateTime(timezone=True)),
    info={"exported": True},
)
agui_runs = Table(
    "agui_runs",
    Resource.metadata,
    Column("session_id", String(63), ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("run_id", String(255), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("messages", JSON, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger),
    Column("started_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("ended_at", DateTime(timezone=True)),
    info={"exported": True},
)
agui_frames = Table(
    "agui_frames",
    Resource.metadata,
    Column("session_id", String(63), ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("run_id", String(255), nullable=False),
    Column("type", String(63), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("data", Text, nullable=False),
    Index(None, "session_id", "run_id", "seq"),
    info={"exported": True},
)

_LOCK = "SELECT last_seq, active_run, lease_until > now(), owner FROM agui_threads WHERE session_id = %(session)s FOR UPDATE"
_ADVANCE = (
    "UPDATE agui_threads SET last_seq = last_seq + %(count)s WHERE session_id = %(session)s AND active_run = %(run)s "
    "AND owner = %(owner)s RETURNING last_seq"
)
_FRAMES = (
    "INSERT INTO agui_frames (session_id, seq, run_id, type, data) SELECT %(session)s, %(first)s + number - 1, %(run)s, "
    "kind, data FROM unnest(%(kinds)s::text[], %(data)s::text[]) WITH ORDINALITY AS given (kind, data, number)"
)
_READ = (
    "SELECT seq, data FROM agui_frames WHERE session_id = %(session)s AND seq > %(after)s ORDER BY seq LIMIT %(limit)s"
)
_END = "UPDATE agui_runs SET state = %(state)s, last_seq = %(last)s, ended_at = now() WHERE session_id = %(session)s AND run_id = %(run)s"
_FREE = "UPDATE agui_threads SET active_run = NULL, owner = NULL, lease_until = NULL, interrupted_at = NULL WHERE session_id = %(session)s"


class LeaseLost(Exception):
    """Another process has ended this run; what is left of it must not be written."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it is stored."""

    run_id: str
    state: str
    first_seq: int
    last_seq: int | None


class Log:
    """The log of one session.

    Args:
        transaction: what reads and writes go through.
        session_id: whose.
    """

    def __init__(self, transaction: Transaction, session_id: str) -> None:
        self._transaction = transaction
        self._session = session_id

    def lock(self) -> tuple[int, str | None, bool, str | None]:
        """Lock the thread until the transaction ends; answers (last seq, active run, whether its lease holds, owner)."""
        self._transaction.begin()
        self._run("INSERT INTO agui_threads (session_id) VALUES (%(session)s) ON CONFLICT DO NOTHING")
        row = self._run(_LOCK).fetchone()
        if row is None:
            raise NotFound(f"Session with id '{self._session}' not found")
        return row[0], row[1], bool(row[2]), row[3]

    def last_seq(self) -> int:
        """Number of the last event; 0 when there is none."""
        row = self._run("SELECT last_seq FROM agui_threads WHERE session_id = %(session)s").fetchone()
        return row[0] if row else 0

    def active_run(self) -> str | None:
        """The run that is on."""
        row = self._run("SELECT active_run FROM agui_threads WHERE session_id = %(session)s").fetchone()
        return row[0] if row else None

    def is_interrupted(self, run_id: str) -> bool:
        """Whether somebody asked the run that is on to end."""
        statement = "SELECT interrupted_at IS NOT NULL FROM agui_threads WHERE session_id = %(session)s AND active_run = %(run)s"
        row = self._run(statement, run=run_id).fetchone()
        return bool(row and row[0])

    def phase(self) -> str | None:
        """The session's phase; ``None`` before its first start, and when it is deleted."""
        row = self._run("SELECT phase FROM sessions WHERE id = %(session)s").fetchone()
        return row[0] if row else None

    def run(self, run_id: str) -> Run | None:
        """A run by its id."""
        statement = "SELECT run_id, state, first_seq, last_seq FROM agui_runs WHERE session_id = %(session)s AND run_id = %(run)s"
        row = self._run(statement, run=run_id).fetchone()
        return Run(*row) if row else None

    def claim(self, run_id: str, messages: Sequence[Event]) -> Run | None:
        """Make a run the active one; answers the run of that id if there is one already.

        Raises:
            Conflict: another run is active.
        """
        last_seq, active, holds, _ = self.lock()
        if active is not None and not holds:
            self.abandon()
            last_seq, active = self.last_seq(), None
        known = self.run(run_id)
        if known is not None:
            return known
        if active is not None:
            raise Conflict(
                f"Run '{active[:63]}' is active in this session; wait for its end, or interrupt it.",
                headers={"Retry-After": "1"},
            )
        self._run(
            "INSERT INTO agui_runs (session_id, run_id, state, messages, first_seq) "
            "VALUES (%(session)s, %(run)s, 'opening', %(messages)s::json, %(first)s)",
            run=run_id,
            messages=orjson.dumps(list(messages)).decode(),
            first=last_seq + 1,
        )
        self._run(
            "UPDATE agui_threads SET active_run = %(run)s, owner = %(owner)s, interrupted_at = NULL, "
            f"lease_until = now() + interval '{LEASE} seconds' WHERE session_id = %(session)s",
            run=run_id,
            owner=OWNER,
        )
        return None

    def opened(self, run_id: str) -> None:
        """The runner answers: from now on this is a run that viewers see."""
        self._run(
            "UPDATE agui_runs SET state = 'active' WHERE session_id = %(session)s AND run_id = %(run)s", run=run_id
        )

    def forget(self, run_id: str) -> None:
        """The runner did not answer: as if nobody had asked."""
        self._run("DELETE FROM agui_runs WHERE session_id = %(session)s AND run_id = %(run)s", run=run_id)
        self._run(f"{_FREE} AND active_run = %(run)s", run=run_id)

    def append(self, run_id: str, events: Sequence[Event], owner: str = OWNER) -> int:
        """Store events of the active run; answers the number of the last.

        Raises:
            LeaseLost: the run is not ours any more.
        """
        row = self._run(_ADVANCE, run=run_id, count=len(events), owner=owner).fetchone()
        if row is None:
            raise LeaseLost
        if events:
            data = [orjson.dumps(event).decode() for event in events]
            kinds = [str(event["type"])[:63] for event in events]
            self._run(_FRAMES, run=run_id, first=row[0] - len(events) + 1, kinds=kinds, data=data)
        self._transaction.announce()
        return int(row[0])

    def end(self, run_id: str, state: str, last_seq: int) -> None:
        """Close a run whose terminal event is stored."""
        self._run(_END, run=run_id, state=state, last=last_seq)
        self._run(_FREE)

    def abandon(self) -> str | None:
        """Close the active run whose owner is gone; answers its id. The thread must be locked."""
        row = self._run("SELECT active_run, owner FROM agui_threads WHERE session_id = %(session)s").fetchone()
        if row is None or row[0] is None:
            return None
        run_id, owner = row
        run = self.run(run_id)
        if run is None or run.state == "opening":
            self.forget(run_id)
            return None
        thread = self.thread()
        began = (
            [] if thread.run_id is not None else [{"type": "RUN_STARTED", "threadId": self._session, "runId": run_id}]
        )
        words = "The process that carried this run was killed."
        last = self.append(run_id, [*began, {"type": "RUN_ERROR", "message": words, "code": "interrupted"}], owner)
        self.end(run_id, "error", last)
        return str(run_id)

    def read(self, after: int, limit: int = _BATCH) -> list[tuple[int, str]]:
        """Events after a number, as (number, JSON)."""
        rows: list[tuple[int, str]] = self._run(_READ, after=after, limit=limit).fetchall()
        return rows

    def thread(self, until: int | None = None) -> Thread:
        """The conversation that the log amounts to, up to an event."""
        thread = Thread(self._session)
        statement = "SELECT run_id, messages FROM agui_runs WHERE session_id = %(session)s"
        given: dict[str, list[Event]] = dict(self._run(statement).fetchall())
        for event in self._events(until):
            if event["type"] == "RUN_STARTED":
                thread.add_messages(given.get(str(event.get("runId")), []))
            thread.accept(event)
        return thread

    def runs(self, limit: int, offset: int) -> tuple[list[tuple[Any, ...]], int]:
        """Runs, newest first, and how many there are."""
        statement = (
            "SELECT run_id, state, first_seq, last_seq, started_at, ended_at FROM agui_runs WHERE session_id = %(session)s "
            "ORDER BY first_seq DESC, run_id LIMIT %(limit)s OFFSET %(offset)s"
        )
        rows = self._run(statement, limit=limit, offset=offset).fetchall()
        total = self._run("SELECT count(*) FROM agui_runs WHERE session_id = %(session)s").fetchone()
        return rows, total[0] if total else 0

    def _events(self, until: int | None) -> Iterator[Event]:
        after = 0
        while True:
            rows = self.read(after)
            for seq, data in rows:
                if until is not None and seq > until:
                    return
                yield orjson.loads(data)
                after = seq
            if len(rows) < _BATCH:
                return

    def _run(self, statement: str, **parameters: Any) -> Any:
        return self._transaction.raw(statement, {"session": self._session, **parameters})


def session_store(runtime: Runtime, transaction: Transaction) -> Store:
    """The store of sessions for the gateway itself, which writes what it knows of runs."""

    def open_other(kind: str, verb: str) -> Store:
        raise LookupError(f"the gateway writes sessions only, not {kind} ({verb})")

    surroundings = Surroundings(transaction, GATEWAY, runtime.registry, (), open_other)
    return Store(runtime.registry["Session"], surroundings, "run")
