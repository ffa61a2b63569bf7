"""What viewers see: the log from a cursor, then the tail, for as long as there is one."""

from collections.abc import Callable, Iterator

import orjson

from ambient_core.database import Database
from ambient_core.ids import new_id
from ambient_sessions.agui.frames import CONNECTED, HEARTBEAT, frame
from ambient_sessions.agui.log import Log
from ambient_sessions.lifecycle import TERMINAL as TERMINAL_PHASES

PAUSE = 10.0
SLOWEST_NEWS = 1.0


def run_frames(database: Database, session_id: str, run_id: str, after: int) -> Iterator[bytes]:
    """The events of one run, until its last."""
    yield CONNECTED
    for seq, data in _follow(database, session_id, after, lambda log: _run_is_over(log, run_id)):
        yield HEARTBEAT if seq is None else frame(seq, data)


def all_frames(database: Database, session_id: str, after: int) -> Iterator[bytes]:
    """All events after a number, and what comes, until the session is over."""
    yield CONNECTED
    for seq, data in _follow(database, session_id, after, _session_is_over):
        yield HEARTBEAT if seq is None else frame(seq, data)


def attached_frames(database: Database, session_id: str) -> Iterator[bytes]:
    """A stream that a verifying client accepts in the middle of a run: prelude, then the tail of that run.

    Without a run that is on, it is a run of its own that only shows where the conversation stands.
    """
    yield CONNECTED
    with database.transaction() as transaction:
        log = Log(transaction, session_id)
        seq = log.last_seq()
        thread = log.thread(until=seq)
    run_id = thread.run_id or f"attach-{new_id()}"
    yield from (frame(None, orjson.dumps(event).decode()) for event in thread.prelude(run_id))
    if thread.run_id is None:
        end = {"type": "RUN_FINISHED", "threadId": thread.thread_id, "runId": run_id}
        yield frame(None, orjson.dumps(end).decode())
        return
    for number, data in _follow(database, session_id, seq, lambda log: _run_is_over(log, run_id)):
        yield HEARTBEAT if number is None else frame(number, data)


def _run_is_over(log: Log, run_id: str) -> int | None:
    """The number of a run's last event, once it has one; -1 when there is no such run."""
    run = log.run(run_id)
    return -1 if run is None else run.last_seq


def _session_is_over(log: Log) -> int | None:
    phase = log.phase()
    if phase is not None and phase not in TERMINAL_PHASES:
        return None
    return log.last_seq() if log.active_run() is None else None


def _follow(
    database: Database, session_id: str, after: int, over: Callable[[Log], int | None]
) -> Iterator[tuple[int | None, str]]:
    """(number, JSON) of each event after a number; (None, "") as a heartbeat while there is none."""
    listener, idle = database.listener, 0.0
    while True:
        position = listener.position()
        with database.transaction() as transaction:
            log = Log(transaction, session_id)
            # Asked before reading: what is stored after the answer is not the run's end.
            end = over(log)
            rows = log.read(after)
        for seq, data in rows:
            after = seq
            yield seq, data
            if end is not None and 0 <= end <= seq:
                return
        if rows:
            idle = 0.0
            continue
        if end is not None and after >= end:
            return
        listener.wait(position, SLOWEST_NEWS)
        idle += SLOWEST_NEWS
        if idle >= PAUSE:
            idle = 0.0
            yield None, ""
