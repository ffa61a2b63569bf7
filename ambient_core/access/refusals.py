"""What was refused: who was kept out of what, written beside the requests, so that no refusal waits for it.

A caller who is refused again and again is noted now and then, and everybody together so often a minute: what is dropped is counted.
Of a 404 it is looked up here, after the answer, whether the object is there; only then it was a refusal.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped

from ambient_core import metrics
from ambient_core.access.rates import WINDOW, Counts
from ambient_core.database import Database
from ambient_core.database.statements import quote
from ambient_core.errors import AmbientError
from ambient_core.http.origin import network_of
from ambient_core.ids import new_id
from ambient_core.kinds import Access, Kind, Registry, Resource, field

log = logging.getLogger(__name__)
Row = dict[str, object]
NOTED = frozenset((401, 403, 404, 429))
OF_ONE = 30
OF_ALL = 600
"""Refusals that one process notes in a minute: of one caller, and in all."""
_MOST_WAITING = 1000
_STEP = 200
_GATHERING = 0.2
_LONGEST = 255


def _text(doc: str, example: str | None = None) -> Any:
    return field(String(_LONGEST), access=Access.READ, doc=doc, example=example)


class Refusal(Resource):
    """A request that was refused: 401, 403, 429, or 404 where the object is there and the caller may not see it."""

    __tablename__ = "refusals"

    status: Mapped[int] = field(Integer, access=Access.READ, doc="What was answered.", example=403)
    code: Mapped[str] = _text("The error's number.", "4")
    method: Mapped[str] = _text("Of the request.", "PATCH")
    route: Mapped[str] = _text("The address asked for, as the contract spells it.", "/api/ambient/v1/skills/{id}")
    object_kind: Mapped[str | None] = _text("Kind of the object that was asked for.", "Skill")
    object_id: Mapped[str | None] = _text("Which object was asked for.")
    actor: Mapped[str | None] = _text("Who asked, as kind:id; absent when that is not known.", "person:ada")
    token_id: Mapped[str | None] = _text("Which token was used, where tokens have ids.")
    address: Mapped[str | None] = _text("Where the request came from.", "192.0.2.1")
    operation_id: Mapped[str] = _text("Names the request in answer and log.")


REFUSALS = Kind(Refusal, verbs=("list",), owner="core")
"""Listed like a kind; it is made by the server alone, and is in no change log."""
_COLUMNS = [column.name for column in REFUSALS.table.columns if column.name != "version"]
_KEEP = (
    f"INSERT INTO refusals ({', '.join(_COLUMNS)}) SELECT {', '.join(_COLUMNS)} "
    "FROM json_populate_recordset(NULL::refusals, %(rows)s::json)"
)


class Asked(NamedTuple):
    """The request that is refused.

    Args:
        method: of it.
        route: its template.
        object_kind: kind of the object that was asked for, if any.
        object_id: which object.
        actor: who asked, if that is known.
        token_id: by which token, if that has an id.
        address: from where.
        operation_id: of answer and log.
    """

    method: str
    route: str
    object_kind: str | None
    object_id: str | None
    actor: str | None
    token_id: str | None
    address: str | None
    operation_id: str


class Recorder:
    """Notes the refusals of one process; a thread of its own writes them, on a connection of its own.

    Args:
        database: where requests are answered from; the thread ends with it.
        registry: kinds, to look up whether an object is there.
    """

    def __init__(self, database: Database, registry: Registry) -> None:
        self._requests = database
        self._registry = registry
        self._waiting: deque[Row] = deque()
        self._counts = Counts()
        self._news = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def note(self, fault: AmbientError, asked: Asked) -> None:
        """Keep a refusal in mind; never waits.

        Args:
            fault: what is answered.
            asked: for what.
        """
        if asked.object_kind is None or asked.object_kind not in self._registry or "\0" in (asked.object_id or ""):
            asked = asked._replace(object_kind=None, object_id=None)
        if fault.status == 404 and asked.object_id is None:
            return
        reason = self._full(asked)
        if reason:
            metrics.observe_dropped_refusals(reason, 1)
            return
        now = datetime.now(UTC).isoformat()
        cut = {name: value[:_LONGEST] if value else None for name, value in asked._asdict().items()}
        row = {"id": new_id(), "created_at": now, "updated_at": now, "status": fault.status, "code": str(fault.number)}
        self._waiting.append({**row, **cut})
        self._news.set()
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="refusals", daemon=True)
                    self._thread.start()

    def _full(self, asked: Asked) -> str | None:
        if len(self._waiting) >= _MOST_WAITING:
            return "queue"
        if self._counts.incr(asked.actor or network_of(asked.address or ""), WINDOW) > OF_ONE:
            return "caller"
        return "all" if self._counts.incr("", WINDOW) > OF_ALL else None

    def _run(self) -> None:
        url = self._requests.url.render_as_string(hide_password=False)
        database = Database(url, pool_size=1, name="ambient-refusals")
        while not self._requests.closed or self._waiting:
            if not self._news.wait(1.0):
                continue
            time.sleep(_GATHERING)
            self._news.clear()
            while self._waiting:
                self._write(database, [self._waiting.popleft() for _ in range(min(_STEP, len(self._waiting)))])
        database.close()

    def _write(self, database: Database, rows: list[Row]) -> None:
        try:
            with database.transaction() as transaction:
                if found := self._kept(rows, transaction.raw):
                    transaction.raw(_KEEP, {"rows": orjson.dumps(found).decode()})
        except Exception as fault:
            metrics.observe_dropped_refusals("database", len(rows))
            log.warning("%s refusals could not be kept: %s", len(rows), type(fault).__name__)

    def _kept(self, rows: list[Row], run: Callable[..., Any]) -> list[Row]:
        """What is written of them: whatever stands in an address and is no object's id is nobody's to keep."""
        there = set()
        for name in {str(row["object_kind"]) for row in rows if row["object_id"] is not None}:
            asked = [row["object_id"] for row in rows if row["object_kind"] == name]
            text = f"SELECT id FROM {quote(self._registry[name].plural)} WHERE id = ANY(%(ids)s)"
            there |= {(name, identifier) for (identifier,) in run(text, {"ids": asked}).fetchall()}
        for row in rows:
            if (row["object_kind"], row["object_id"]) not in there:
                row["object_id"] = None
        return [row for row in rows if row["status"] != 404 or row["object_id"] is not None]
