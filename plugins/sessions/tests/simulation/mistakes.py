"""Mistakes that are put in on purpose; each must be found."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ambient_sessions.lifecycle import Phase
from ambient_sessions.plan import Limits, plan
from ambient_sessions.reconcile import SessionReconciler
from ambient_sessions.runtimes import Observed
from ambient_sessions.steps import Report, Step

Mistake = Callable[[SessionReconciler], None]


def _with(decide: Any) -> Mistake:
    return lambda reconciler: setattr(reconciler, "decide", decide)


def _any_start(row: Mapping[str, Any] | None, seen: Observed, now: Any, limits: Limits) -> tuple[Step, ...]:
    """Takes whatever is seen for this start's."""
    if row is not None and seen.starts:
        seen = replace(seen, starts=row["starts"], identity={})
    return plan(row, seen, now, limits)


def _no_wait(row: Mapping[str, Any] | None, seen: Observed, now: Any, limits: Limits) -> tuple[Step, ...]:
    """Does not wait for the runner of an earlier start."""
    if row is not None and seen.starts != row["starts"]:
        seen = replace(seen, alive=False)
    return plan(row, seen, now, limits)


def _no_stop(row: Mapping[str, Any] | None, seen: Observed, now: Any, limits: Limits) -> tuple[Step, ...]:
    """Takes a runner that answers for one that nobody wants to end."""
    if row is not None and row["phase"] == Phase.STOPPING and seen.stage == "ready":
        return ()
    return plan(row, seen, now, limits)


def _hasty_stop(row: Mapping[str, Any] | None, seen: Observed, now: Any, limits: Limits) -> tuple[Step, ...]:
    """Says that a session has stopped before it has."""
    steps = plan(row, seen, now, limits)
    if row is not None and row["phase"] == Phase.STOPPING:
        return (*steps[:-1], Report(Phase.STOPPED, "UserStopped", "The session was stopped."))
    return steps


def _no_force(row: Mapping[str, Any] | None, seen: Observed, now: Any, limits: Limits) -> tuple[Step, ...]:
    """Asks politely for ever."""
    return plan(row, seen, now, replace(limits, stop=1e9))


def _forgets_the_deleted(row: Mapping[str, Any] | None, seen: Observed, now: Any, limits: Limits) -> tuple[Step, ...]:
    """Has nothing to do with what has no row."""
    return () if row is None else plan(row, seen, now, limits)


MISTAKES: dict[str, Mistake] = {
    "no check of start and uid": _with(_any_start),
    "no wait for the earlier runner": _with(_no_wait),
    "a stop is swallowed": _with(_no_stop),
    "a stop is told too early": _with(_hasty_stop),
    "a stop is never forced": _with(_no_force),
    "the deleted are forgotten": _with(_forgets_the_deleted),
}
