"""A small database with the API in front of it: the real rules of the life cycle over dictionaries."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from ambient_sdk import Conflict, NotFound
from ambient_sdk.errors import Fault
from ambient_sessions import lifecycle
from ambient_sessions.lifecycle import ACTIVE, TERMINAL

from ambient_core import Conflict as Refusal
from ambient_core.access.leadership import RULE

EPOCH = datetime(2026, 1, 31, tzinfo=UTC)


class Violation(AssertionError):
    """Something happened that must never happen."""


class Refused(Conflict):
    """409, without the HTTP around it."""

    def __init__(self, reason: str, rule: str | None = None) -> None:
        Exception.__init__(self, reason)
        self.reason = reason
        self.errors = [Fault("", rule, reason)] if rule else []


class Gone(NotFound):
    """404, without the HTTP around it."""

    def __init__(self) -> None:
        Exception.__init__(self, "not found")
        self.errors = []


class Row(dict[str, Any]):
    """A session as the SDK gives it."""

    def to_dict(self) -> dict[str, Any]:
        return dict(self)


@dataclass
class Database:
    """Sessions, their tokens and endpoints, the newest leader's number, and the change log.

    Args:
        fenced: whether old leaders are refused; that they are not is a mistake that is told at once.
        careful: whether anything is checked: leader, start and version; without, only what comes of it is told.
    """

    fenced: bool = True
    careful: bool = True
    now: float = 0.0
    fence: int = 0
    rows: dict[str, Row] = field(default_factory=dict)
    tokens: dict[str, set[str]] = field(default_factory=dict)
    endpoints: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    issued: int = 0
    changes: list[str] = field(default_factory=list)
    watchers: list[Callable[[Row, str | None], None]] = field(default_factory=list)

    def time(self) -> datetime:
        return EPOCH + timedelta(seconds=self.now)

    def create(self, key: str, **fields: Any) -> None:
        given = {"run_state": None, "pending_message_id": None, "start_time": None, "kube_cr_uid": None, **fields}
        stands = {"phase": None, "phase_changed_at": None, "conditions": None, "starts": 0, "version": 1}
        self.rows[key] = Row(id=key, project_id="p", **stands, **given)
        self.changes.append(key)

    def write(self, key: str, values: Mapping[str, Any]) -> None:
        row = self.rows[key]
        known = {name: v.isoformat() if isinstance(v, datetime) else v for name, v in values.items()}
        if all(row.get(name) == value for name, value in known.items()):
            return
        before = row["phase"]
        self.rows[key] = written = Row({**row, **known, "version": row["version"] + 1})
        self.changes.append(key)
        if written["phase"] != before:
            for watch in self.watchers:
                watch(written, before)

    def delete(self, key: str) -> None:
        del self.rows[key]
        self.changes.append(key)

    def check(self, fence: int) -> None:
        if fence == self.fence or not self.careful:
            return
        if self.fenced:
            raise Refused("another leads by now", RULE)
        raise Violation(f"leader {fence} wrote although {self.fence} leads")

    def row(self, key: str) -> Row:
        if key not in self.rows:
            raise Gone
        return self.rows[key]


class Sessions:
    """``client.sessions``, for one leader; between any two of its requests others may do whatever they like."""

    path = "/sessions"

    def __init__(self, database: Database, fence: int, pause: Callable[[str], None]) -> None:
        self.database = database
        self.fence = fence
        self.pause = pause

    def get(self, key: str) -> Row:
        self.pause(f"get {key}")
        found = Row(self.database.row(key))
        self.pause(f"got {key}")
        return found

    def list_values(self, **_: Any) -> Iterator[Row]:
        self.pause("list")
        found = [Row(row) for row in self.database.rows.values() if row["phase"] in ACTIVE]
        self.pause("listed")
        return iter(found)

    def patch_status(self, key: str, **values: Any) -> Row:
        self.pause(f"patch {key}")
        self.database.check(self.fence)
        row = self.database.row(key)
        given = values if self.database.careful else {**values, "starts": row["starts"], "if_version": row["version"]}
        try:
            written = lifecycle.reported(row, given, self.database.time())
        except Refusal as fault:
            raise Refused(fault.reason) from fault
        if written.get("phase") in TERMINAL:
            self.database.tokens.pop(key, None)
        self.database.write(key, written)
        answer = Row(self.database.rows[key])
        self.pause(f"patched {key}")
        return answer

    def put_endpoint(self, key: str, *, starts: int, **endpoint: Any) -> None:
        self.pause(f"endpoint {key}")
        self.database.check(self.fence)
        if self.database.row(key)["starts"] != starts and self.database.careful:
            raise Refused("another start")
        self.database.endpoints[key] = {"starts": starts, **endpoint}
        self.pause(f"endpoint put {key}")


class Transport:
    """``client.transport``: the few requests that are not of a kind."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.database = sessions.database

    def json(self, method: str, path: str, *, query: Any = None, headers: Any = None) -> dict[str, Any]:
        if method == "GET":
            self.sessions.pause("which are deleted")
            wanted = re.findall(r"'(\w+)'", query["search"])
            return {"items": [{"id": key} for key in wanted if key in self.database.rows]}
        return {"token": self._issue(path.split("/")[2])}

    def _issue(self, key: str) -> str:
        self.sessions.pause(f"token {key}")
        row = self.database.row(key)
        self.database.check(self.sessions.fence)
        if row["phase"] not in ACTIVE:
            raise Refused("it does not run")
        self.database.issued += 1
        token = f"token {key} {self.database.issued}"
        self.database.tokens.setdefault(key, set()).add(token)
        self.sessions.pause(f"token issued {key}")
        return token

    @contextmanager
    def stream(self, _method: str, url: str, **_: Any) -> Iterator[Any]:
        key = url.split("/")[-3]
        self.sessions.pause(f"run {key}")
        row = self.database.rows.get(key)
        if row is not None and row["phase"] == "Running" and row["run_state"] != "active":
            run = {"run_state": "active", "pending_message_id": None, "run_changed_at": self.database.time()}
            self.database.write(key, run)
        yield SimpleNamespace(status_code=200, is_success=True)
