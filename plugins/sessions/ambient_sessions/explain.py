"""Why a session stands where it stands, as a person would tell it: what is wanted, what was seen, what is waited for."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import marshmallow as ma
import orjson

from ambient_core import Answer, Store, action
from ambient_core.schemas.fields import Integer, Items, Object, Shape, Time
from ambient_core.schemas.fields import Text as TextField
from ambient_core.store.states import read_state
from ambient_sessions.conditions import ENDING, REACHABLE, find
from ambient_sessions.lifecycle import TERMINAL, Phase
from ambient_sessions.model import ConditionSchema
from ambient_sessions.ownership import owner_of
from ambient_sessions.plan import clock_of
from ambient_sessions.reconcile import limits_of
from ambient_sessions.settings import sessions_settings

_ASKED = (
    "SELECT verb, actor, at FROM changes WHERE kind = 'Session' AND object_id = %(id)s "
    "AND verb IN ('create', 'clone', 'run', 'start', 'stop') ORDER BY seq DESC LIMIT 1"
)
_WANTED = {
    None: "not started yet",
    Phase.PENDING: "to run",
    Phase.CREATING: "to run",
    Phase.RUNNING: "to run",
    Phase.STOPPING: "to end",
}


class Wanted(ma.Schema):
    """What a session is to do, and who said so."""

    what = TextField(required=True)
    phase = TextField()
    since = Time(metadata={"description": "Since when it stands in its phase."})
    starts = Integer(required=True)
    asked = TextField(metadata={"description": "What a caller did last: create, start, stop."})
    by = TextField(metadata={"description": "Who did, as kind:id."})
    at = Time(metadata={"description": "When."})


class WaitingSchema(ma.Schema):
    """What the control plane waits for."""

    what = TextField(required=True)
    since = Time(required=True)
    attempts = Integer(required=True, metadata={"description": "Tries in a row that did not come through."})
    last_error = TextField(metadata={"description": "In the other side's words."})
    next_at = Time(metadata={"description": "When it is tried again, if no news come before."})


class Deadline(ma.Schema):
    """What happens if it goes on like this."""

    at = Time(required=True)
    then = TextField(required=True)


class HappeningSchema(ma.Schema):
    """Something that the runtime tells, such as an event of the pod."""

    at = TextField(required=True)
    source = TextField(required=True)
    reason = TextField(required=True)
    message = TextField(required=True)


class SessionExplanation(ma.Schema):
    """Why a session stands where it stands."""

    kind = TextField(required=True)
    id = TextField(required=True)
    wanted = ma.fields.Nested(Wanted, required=True)
    seen = Object(metadata={"description": "What the runtime showed when it was looked at last."})
    seen_at = Time()
    waiting = ma.fields.Nested(WaitingSchema)
    deadline = ma.fields.Nested(Deadline)
    conditions = Items(Shape(ConditionSchema))
    happenings = Items(Shape(HappeningSchema))
    text = TextField(required=True, metadata={"description": "The same for people to read."})


@action(method="GET", path="explain", answer=SessionExplanation, operation_id="explainSession")
def explain(store: Store, identifier: str) -> Answer:
    """Explain why a session stands where it stands."""
    row = store.row(identifier)
    asked = store.transaction.raw(_ASKED, {"id": identifier}).fetchone()
    state = read_state(store.transaction, "Session", identifier)
    found = explanation(row, asked, state, store.transaction.now())
    return Answer(orjson.dumps(found, option=orjson.OPT_UTC_Z))


def explanation(
    row: Mapping[str, Any], asked: tuple[str, str, datetime] | None, state: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """The causal chain.

    Args:
        row: the session.
        asked: what a caller did last: verb, who, when.
        state: what the control plane knows.
        now: the time, with offset.
    """
    phase = Phase(row["phase"]) if row["phase"] else None
    seen = dict(state.get("seen") or {})
    wanted = {
        "what": _WANTED.get(phase, "over"),
        "phase": phase,
        "since": row["phase_changed_at"],
        "starts": row["starts"],
    }
    if asked is not None:
        wanted |= dict(zip(("asked", "by", "at"), asked, strict=True))
    found: dict[str, Any] = {
        "kind": "SessionExplanation",
        "id": row["id"],
        "wanted": _given(wanted),
        "happenings": seen.pop("happenings", None),
        "seen": seen,
        "seen_at": state.get("at"),
        "waiting": _waiting(state) if phase not in TERMINAL and phase is not None else None,
        "deadline": _deadline(row, phase, now),
        "conditions": row["conditions"],
    }
    found = _given(found)
    return {**found, "text": "\n".join(_story(row, found, now))}


def _waiting(state: Mapping[str, Any]) -> dict[str, Any] | None:
    if "waiting_for" not in state:
        return None
    names = ("since", "attempts", "last_error", "next_at")
    return {"what": state["waiting_for"], **{name: state[name] for name in names if name in state}}


def _deadline(row: Mapping[str, Any], phase: Phase | None, now: datetime) -> dict[str, Any] | None:
    if row.get("mirrored") or phase not in (Phase.PENDING, Phase.CREATING, Phase.STOPPING):
        return None
    begun, limits = clock_of(row), limits_of(sessions_settings())
    if begun is None:
        return None
    if phase is Phase.STOPPING:
        force, given_up = begun + timedelta(seconds=limits.stop), begun + timedelta(seconds=limits.stop + limits.force)
        if now < force:
            return {"at": force, "then": "it is forced to end."}
        return {"at": given_up, "then": "it is Failed (StopTimedOut), and what still runs is ended all the same."}
    seconds = limits.start if phase is Phase.CREATING else limits.waiting
    return {"at": begun + timedelta(seconds=seconds), "then": "it is stopped and Failed (StartTimedOut)."}


def _owner_story(row: Mapping[str, Any]) -> Iterator[str]:
    if (owner := owner_of(row)) is not None:
        yield f"It {owner}: nothing is done about it from here."


def _story(row: Mapping[str, Any], found: Mapping[str, Any], now: datetime) -> Iterator[str]:
    wanted, seen = found["wanted"], found.get("seen", {})
    since = f" since {_ago(wanted['since'], now)}" if "since" in wanted else ""
    yield f"Session {row['id']} ({row['name']}) is {wanted.get('phase', 'not started')}{since}."
    yield from _owner_story(row)
    if "asked" in wanted:
        yield f"Wanted: {wanted['what']}; {wanted['by']} did {wanted['asked']} {_ago(wanted['at'], now)} (start {row['starts']})."
    if (ending := find(row, ENDING)) is not None:
        yield f"It ends because of {ending['reason']}: {ending['message']}"
    if (ready := find(row, "Ready")) is not None:
        yield f"Where it stands: {ready['reason']}: {ready.get('message', '')}"
    if (reachable := find(row, REACHABLE)) is not None and reachable["status"] == "False":
        yield f"The runtime does not answer ({reachable['reason']}: {reachable.get('message', '')}); no deadline runs meanwhile."
    if seen:
        words = f"{seen.get('reason', '')}: {seen.get('message', '')}".strip(": ")
        yield f"Seen {_ago(found['seen_at'], now)} by the runtime {seen.get('runtime')}: {seen.get('stage')}. {words}".rstrip()
    if "waiting" in found:
        yield from _waiting_story(found["waiting"], now)
    if "deadline" in found:
        yield f"If it goes on like this: at {_clock(found['deadline']['at'])} {found['deadline']['then']}"
    if found.get("happenings"):
        yield "What the runtime tells:"
        yield from (f"  {h['at']}  {h['source']}  {h['reason']}: {h['message']}" for h in found["happenings"])


def _waiting_story(waiting: Mapping[str, Any], now: datetime) -> Iterator[str]:
    tries = f", tried {waiting['attempts']} times" if waiting["attempts"] else ""
    again = f"; next look at {_clock(waiting['next_at'])}" if "next_at" in waiting else ""
    yield f"Waiting since {_ago(waiting['since'], now)} for: {waiting['what']}{tries}{again}."
    if waiting.get("last_error") and waiting["last_error"] != waiting["what"]:
        yield f"Last error: {waiting['last_error']}"


def _ago(at: datetime, now: datetime) -> str:
    return f"{_clock(at)} ({(now - at).total_seconds():.0f} s ago)"


def _clock(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, {}, [])}
