"""Conditions: facts about a session by type, each with its reason and with the time at which its status last moved."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

READY = "Ready"
"""Whether the runner answers; its reason says where the session stands."""
ENDING = "Ending"
"""Why a session that is Stopping ends."""
REACHABLE = "RuntimeReachable"
"""Whether the runtime itself answers; no deadline runs while it does not."""

Condition = Mapping[str, Any]


def condition(kind: str, holds: bool, reason: str, message: str) -> Condition:
    """One condition, without its time."""
    return {"type": kind, "status": "True" if holds else "False", "reason": reason, "message": message}


def find(row: Mapping[str, Any], kind: str) -> Condition | None:
    """A session's condition of one type."""
    return next((entry for entry in row.get("conditions") or () if entry["type"] == kind), None)


def moved_at(entry: Condition | None) -> datetime | None:
    """When a condition's status last moved."""
    at = entry.get("last_transition_time") if entry is not None else None
    return datetime.fromisoformat(at) if at else None


def merge(known: Iterable[Condition], news: Iterable[Condition], now: datetime) -> list[dict[str, Any]]:
    """The known conditions with the news, by type; `READY` is the first.

    The time of a condition moves when its status does, never for a new reason or new words alone.
    """
    found = {entry["type"]: dict(entry) for entry in known}
    for entry in news:
        before = found.get(entry["type"], {})
        made = {name: value for name, value in entry.items() if value not in (None, "")}
        if before.get("status") == entry["status"] and "last_transition_time" in before:
            made["last_transition_time"] = before["last_transition_time"]
        else:
            made.setdefault("last_transition_time", now.isoformat())
        found[entry["type"]] = made
    return sorted(found.values(), key=lambda entry: entry["type"] != READY)
