"""What to do about a session: from its row and what is seen of it to steps. Pure; every decision is taken here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ambient_sessions.conditions import ENDING, REACHABLE, READY, find, moved_at
from ambient_sessions.lifecycle import TERMINAL, Phase
from ambient_sessions.runtimes import Observed, Waiting
from ambient_sessions.steps import Away, Clean, Launch, Publish, Report, StartRun, Step, Terminate, Wait

SOON = 0.25
# News and the full look wake a session that runs well; this is only for a session that both have missed.
WATCH = 600.0
MISSING = "RunnerMissing"
# How a session ends that was not asked to by a caller, by the reason for which it was stopped.
_ENDS: dict[str, Phase] = {
    "RunFinished": Phase.COMPLETED,
    "RunFailed": Phase.FAILED,
    "RunCancelled": Phase.STOPPED,
    "Inactivity": Phase.STOPPED,
    "TimedOut": Phase.FAILED,
    "StartTimedOut": Phase.FAILED,
}
_ASKED = ("Stopping", "StopForced")
# What a runtime says of a session that somebody else has stopped, as is their right.
_STOPPED = ("Inactivity", "StoppedElsewhere")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session may stay where it is on its way, in seconds.

    Args:
        start: from launch until the runner must answer.
        waiting: that something may be in the way of a start or a stop.
        stop: that a runner gets to end before it is forced.
        force: that it may take to end then.
        missing: that a running session's runner may be out of sight.
    """

    start: float = 180.0
    waiting: float = 3600.0
    stop: float = 60.0
    force: float = 60.0
    missing: float = 5.0


Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Situation:
    """One look at one session that is not deleted.

    Args:
        row: the session as the API shows it.
        seen: what its runtime sees.
        now: the time, with offset.
        limits: how long it may stay where it is.
    """

    row: Row
    seen: Observed
    now: datetime
    limits: Limits

    @property
    def phase(self) -> Phase | None:
        """Where the row stands."""
        return Phase(self.row["phase"]) if self.row.get("phase") else None

    @property
    def elapsed(self) -> float:
        """Seconds in this phase, by the session's own clock."""
        begun = clock_of(self.row)
        return 0.0 if begun is None else (self.now - begun).total_seconds()

    @property
    def ours(self) -> bool:
        """Whether what is seen is this start's, and not an earlier one's or a stranger's of the same name."""
        known, uid = self.row.get("kube_cr_uid"), self.seen.identity.get("kube_cr_uid")
        return self.seen.starts == self.row["starts"] and (not known or not uid or known == uid)

    @property
    def pause(self) -> float:
        """Seconds until the next look, longer the longer it takes already; news wake earlier."""
        return min(max(self.elapsed / 4, 2 * SOON), 10.0)


def clock_of(row: Row) -> datetime | None:
    """Since when a session is in its phase, without the time before the end of the last outage; ``None`` in one."""
    reachable = find(row, REACHABLE)
    if reachable is not None and reachable["status"] == "False":
        return None
    begun = row.get("phase_changed_at")
    begun = datetime.fromisoformat(begun) if isinstance(begun, str) else begun
    if begun is None:
        return None
    back = moved_at(reachable)
    return max(begun, back or begun)


def plan(row: Row | None, seen: Observed, now: datetime, limits: Limits, gone: float = 0.0) -> tuple[Step, ...]:
    """The steps for one session, in order.

    Args:
        row: the session as the API shows it; ``None`` when it is deleted.
        seen: what its runtime sees.
        now: the time, with offset.
        limits: how long it may stay where it is.
        gone: seconds since its row was missed first.
    """
    if row is None:
        return _deleted(seen, force=gone > limits.stop)
    if row.get("mirrored"):
        # The legacy platform's; what runs of it is not ours.
        return ()
    look = Situation(row, seen, now, limits)
    phase = look.phase
    if phase is None or phase in TERMINAL:
        force = phase is not None and look.elapsed > limits.stop
        return (Terminate(force), Wait(look.pause, "what still runs is ending")) if seen.alive else ()
    if seen.stage == "unknown":
        return (Away(seen.reason, seen.message), Wait(look.pause, f"the runtime cannot be seen: {seen.message}"))
    if phase is Phase.STOPPING:
        return _stopping(look)
    if seen.alive and seen.starts and not look.ours:
        return _in_the_way(look, phase)
    if phase is Phase.RUNNING:
        return _running(look) if look.ours else _missing(look)
    return _coming(look, phase) if look.ours else _not_there(look, phase)


def hindered(row: Row | None, waiting: Waiting, now: datetime, limits: Limits) -> tuple[Step, ...]:
    """The steps when the runtime could not be asked for what was planned.

    Args:
        row: the session as it is by now; ``None`` when it is deleted.
        waiting: what is in the way.
        now: the time, with offset.
        limits: how long it may stay where it is.
    """
    again = Wait(waiting.after, f"{waiting.reason}: {waiting.message}")
    phase = Phase(row["phase"]) if row is not None and row.get("phase") else None
    if row is None or phase is None or phase in TERMINAL:
        return (again,)
    if waiting.outage:
        return (Away(waiting.reason, waiting.message), again)
    look = Situation(row, Observed(), now, limits)
    again = Wait(max(waiting.after, look.pause), again.reason)
    if look.elapsed <= limits.waiting:
        return (Report(phase, waiting.reason, waiting.message, acted=False), again)
    words = f"{waiting.reason} was in the way for {limits.waiting:g} seconds: {waiting.message}"
    if phase is Phase.STOPPING:
        return (Report(Phase.FAILED, "StopTimedOut", f"It could not be stopped. {words}", acted=False), again)
    return _end("StartTimedOut", f"It could not be started. {words}")


def _deleted(seen: Observed, *, force: bool) -> tuple[Step, ...]:
    if seen.stage == "unknown":
        return (Wait(2.0, f"the runtime cannot be seen: {seen.message}"),)
    if seen.alive:
        # Nobody waits for its last words; what was asked once and goes on is ended at once, or it might go on for ever.
        return (
            Terminate(force=force or seen.stage == "stopping"),
            Wait(2.0, "what still runs of the deleted session is ending"),
        )
    return (Clean(),) if seen.stage != "absent" else ()


def _end(reason: str, message: str) -> tuple[Step, ...]:
    """Stop a session for a reason of our own; the reason is written before anything is done about it."""
    return (
        Report(Phase.STOPPING, "Stopping", "The runner is asked to end.", ending=(reason, message)),
        Terminate(),
        Wait(2 * SOON, "the runner is ending"),
    )


def _stopping(look: Situation) -> tuple[Step, ...]:
    ending = find(look.row, ENDING) or {}
    reason = str(ending.get("reason", "UserStopped"))
    if not look.seen.alive and not look.ours and (find(look.row, READY) or {}).get("reason") not in _ASKED:
        # A launch may be under way whose answer was lost; what is not there yet is asked to end, and looked at again.
        asked = Report(Phase.STOPPING, "Stopping", "The runner is ending.")
        return (Terminate(), asked, Wait(0, "whether anything was started is looked at again"))
    if not look.seen.alive:
        message = str(ending.get("message", "The session was stopped on request."))
        return (Report(_ENDS.get(reason, Phase.STOPPED), reason, message, _facts(look)),)
    limits, elapsed = look.limits, look.elapsed
    if elapsed > limits.stop + limits.force:
        words = (
            f"It was to end ({reason}), was forced to after {limits.stop:g} seconds, and something of it still runs: "
        )
        return (
            Terminate(force=True),
            Report(Phase.FAILED, "StopTimedOut", words + (look.seen.message or look.seen.stage)),
            Wait(look.pause, "what still runs is ending"),
        )
    force = elapsed > limits.stop
    words = (
        f"The runner did not end within {limits.stop:g} seconds and is forced to." if force else "The runner is ending."
    )
    return (
        Terminate(force),
        Report(Phase.STOPPING, "StopForced" if force else "Stopping", words, _facts(look)),
        Wait(look.pause, "the runner is ending"),
    )


def _in_the_way(look: Situation, phase: Phase) -> tuple[Step, ...]:
    """Something runs that is not of this start: it has to end first."""
    if phase is Phase.RUNNING:
        return (Terminate(), Wait(look.pause, "a runner that is not of this start is ending"))
    words = "The runner of an earlier start has not ended yet."
    if look.elapsed > look.limits.waiting:
        return _end("StartTimedOut", words)
    force = look.elapsed > look.limits.stop
    report = Report(phase, "EarlierRunner", words, acted=False)
    return (Terminate(force), report, Wait(look.pause, "the runner of an earlier start is ending"))


def _not_there(look: Situation, phase: Phase) -> tuple[Step, ...]:
    if look.seen.alive:
        return (Wait(look.pause, "the runtime does not say yet which start this is"),)
    if phase is Phase.CREATING and look.elapsed > look.limits.start:
        return _end("StartTimedOut", f"The runtime was asked, and nothing came of it in {look.limits.start:g} seconds.")
    return (
        Launch(),
        Report(Phase.CREATING, "Launched", "The runtime was asked to start the runner."),
        Wait(2 * SOON, "the runner is starting"),
    )


def _coming(look: Situation, phase: Phase) -> tuple[Step, ...]:
    seen, limits = look.seen, look.limits
    if seen.stage in ("exited", "lost"):
        if phase is Phase.PENDING and (seen.exit_code == 0 or seen.reason in _STOPPED):
            # The table knows no way from Pending to Completed or Stopped: a session that ran was Creating first.
            return (Report(Phase.CREATING, "Launched", seen.message), Wait(0, "the runner has ended"))
        return _over(look)
    if seen.stage == "ready" and seen.endpoint is not None:
        facts = {**_facts(look), "start_time": look.now.isoformat()}
        return (
            Publish(seen.endpoint),
            Report(Phase.RUNNING, "Running", "The runner answers.", facts),
            Wait(0, "the runner answers"),
        )
    if phase is Phase.CREATING and look.elapsed > limits.start:
        words = (
            f"The runner did not answer within {limits.start:g} seconds; its last stage was {seen.reason or seen.stage}"
        )
        return _end("StartTimedOut", f"{words}: {seen.message}" if seen.message else f"{words}.")
    report = Report(Phase.CREATING, seen.reason or seen.stage.title(), seen.message, _facts(look))
    return (report, Wait(look.pause, seen.message or "the runner is starting"))


def _running(look: Situation) -> tuple[Step, ...]:
    row, seen = look.row, look.seen
    if seen.stage in ("exited", "lost"):
        return _over(look)
    if (due := _due(row, look.now)) is not None:
        return _end(*due)
    if seen.stage != "ready" or seen.endpoint is None:
        words = seen.message or "the runner does not answer now"
        return (Report(Phase.RUNNING, seen.reason or seen.stage.title(), words, _facts(look)), Wait(look.pause, words))
    report = Report(Phase.RUNNING, "Running", "The runner answers.", _facts(look))
    # It was out of sight, and may answer somewhere else by now.
    back = (Publish(seen.endpoint),) if (find(row, READY) or {}).get("status") == "False" else ()
    state, pending = row.get("run_state"), row.get("pending_message_id")
    if pending and state != "active":
        return (*back, report, StartRun(pending), Wait(8 * SOON, "the agent is about to answer a message"))
    words = "the runner is working" if state == "active" else "the runner is waiting for a message"
    return (*back, report, Wait(_until_due(row, look.now), words))


def _missing(look: Situation) -> tuple[Step, ...]:
    """A running session's runner is out of sight: gone, if it stays so; it is never made anew without being asked for."""
    ready = find(look.row, READY) or {}
    since = moved_at(ready)
    missing = ready.get("reason") == MISSING and since is not None
    if since is not None and missing and (look.now - since).total_seconds() >= look.limits.missing:
        words = "The runner is not there any more, and nothing says why; it is not started again by itself."
        return (Report(Phase.FAILED, "RunnerLost", words),)
    words = "The runtime shows nothing of the runner."
    return (Report(Phase.RUNNING, MISSING, words), Wait(look.limits.missing, "the runner is out of sight"))


def _facts(look: Situation) -> dict[str, Any]:
    facts: dict[str, Any] = dict(look.seen.identity) if look.ours else {}
    if look.ours and look.seen.repositories:
        facts["reconciled_repos"] = [dict(entry) for entry in look.seen.repositories]
    return facts


def _due(row: Row, now: datetime) -> tuple[str, str] | None:
    """Why a running session is to end now, if it is: reason and message."""
    if (limit := row.get("timeout")) and (over := _left(row.get("start_time"), limit, now)) <= 0:
        return "TimedOut", f"The session ran longer than its timeout of {limit} seconds ({limit - over:.0f} seconds)."
    state = row.get("run_state")
    if state == "active" or row.get("pending_message_id"):
        return None
    if row.get("stop_on_run_finished") and state in ("finished", "error", "cancelled"):
        return _after_run(state)
    idle = row.get("inactivity_timeout")
    if idle and _left(row.get("run_changed_at") or row.get("start_time"), idle, now) <= 0:
        return "Inactivity", f"No run for {idle} seconds."
    return None


def _after_run(state: str) -> tuple[str, str]:
    if state == "error":
        return "RunFailed", "The run ended with an error; the AG-UI events say which."
    if state == "cancelled":
        return "RunCancelled", "The run was interrupted."
    return "RunFinished", "The run has finished, and the session was to end with it."


def _until_due(row: Row, now: datetime) -> float:
    """Seconds until the next moment at which time alone ends this session."""
    moments = [WATCH]
    if limit := row.get("timeout"):
        moments.append(_left(row.get("start_time"), limit, now))
    idle = row.get("inactivity_timeout")
    if idle and row.get("run_state") != "active":
        moments.append(_left(row.get("run_changed_at") or row.get("start_time"), idle, now))
    return max(min(moments), 0.0)


def _over(look: Situation) -> tuple[Step, ...]:
    """It has ended, and that is written; what is left of it, on a lost node too, is asked to go after that."""
    return (_ended(look), Wait(SOON, "what is left is ending")) if look.seen.alive else (_ended(look),)


def _ended(look: Situation) -> Report:
    seen, facts = look.seen, _facts(look)
    if seen.reason in _STOPPED:
        return Report(Phase.STOPPED, seen.reason, seen.message, facts)
    if seen.stage == "exited" and seen.exit_code == 0:
        return Report(Phase.COMPLETED, "Completed", seen.message, facts)
    if seen.reason == "Stopped":
        return Report(Phase.FAILED, "RunnerStopped", "Somebody ended the runner from outside.", facts)
    return Report(Phase.FAILED, seen.reason or "RunnerLost", seen.message, facts)


def _left(since: str | None, seconds: float, now: datetime) -> float:
    """Seconds that are left of a time that began then; all of them when it has not begun."""
    if since is None:
        return seconds
    return seconds - (now - datetime.fromisoformat(since)) / timedelta(seconds=1)
