"""Carries one run from its runner into the log, whoever watches or leaves."""

import logging
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from ambient_core import AmbientError
from ambient_core.errors import BadGateway, GatewayTimeout, Unavailable
from ambient_core.rest.operation import Runtime
from ambient_sessions.agui.address import RunnerAddress
from ambient_sessions.agui.frames import FrameReader, FrameTooLarge
from ambient_sessions.agui.log import LEASE, OWNER, LeaseLost, Log, session_store
from ambient_sessions.agui.refusal import refusal_of
from ambient_sessions.agui.thread import Event, Guard

log = logging.getLogger(__name__)
CONNECT_TIMEOUT = 5.0
ANSWER_TIMEOUT = 30.0
INTERRUPT_GRACE = 5
_RENEWAL = 3.0
_STOPPING = ("Stopping", "Stopped")


@dataclass(frozen=True, slots=True)
class Order:
    """A run that is going to be carried."""

    session_id: str
    run_id: str
    address: RunnerAddress
    body: dict[str, Any]


def connect(order: Order, idle_timeout: float) -> tuple[httpx.Client, httpx.Response]:
    """Ask the runner for the run and wait for its first answer; nothing of the caller's request goes along.

    Raises:
        Unavailable: nobody answers there.
        Invalid: it does not take the input, which is the caller's.
        BadGateway: it answers something else than an event stream.
        GatewayTimeout: it takes the request and says nothing.
    """
    timeout = httpx.Timeout(CONNECT_TIMEOUT, read=ANSWER_TIMEOUT)
    client = httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False)
    headers = {
        "Accept": "text/event-stream",
        "X-Ambient-Session-Token": order.address.token,
        "Accept-Encoding": "identity",
    }
    request = client.build_request("POST", order.address.url + "/", json=order.body, headers=headers)
    try:
        response = client.send(request, stream=True)
    except httpx.ConnectError:
        client.close()
        raise Unavailable("The session's runner does not take connections; try again.", retry_after=1) from None
    except httpx.TimeoutException:
        client.close()
        raise GatewayTimeout("The session's runner did not answer in time.") from None
    except httpx.HTTPError:
        client.close()
        raise BadGateway("The session's runner broke the connection off.") from None
    if response.status_code != 200 or not response.headers.get("content-type", "").startswith("text/event-stream"):
        try:
            raise refusal_of(response)
        finally:
            response.close()
            client.close()
    # From here on silence is measured, not the time of the whole run.
    network = response.extensions["network_stream"]
    network.get_extra_info("socket").settimeout(idle_timeout)
    request.extensions["timeout"]["read"] = idle_timeout
    return client, response


@dataclass(slots=True)
class Pump:
    """Carries one run.

    Args:
        runtime: what the process shares.
        order: the run.
        guard: keeps the stream valid.
    """

    runtime: Runtime
    order: Order
    guard: Guard
    cancelled: threading.Event = field(default_factory=threading.Event)
    response: httpx.Response | None = None

    def start(self, client: httpx.Client, response: httpx.Response) -> None:
        """Carry the run in a thread of its own."""
        self.response = response
        threading.Thread(target=self._carry, args=(client, response), name="agui-pump", daemon=True).start()

    def cancel(self) -> None:
        """End the run though the runner does not: its connection is closed."""
        self.cancelled.set()
        if self.response is not None:
            # Closing it would not wake a thread that is reading from it.
            with suppress(OSError):
                self.response.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def _carry(self, client: httpx.Client, response: httpx.Response) -> None:
        try:
            code, message = self._copy(response)
            if self.guard.ended is None:
                self._finish(code, message)
        except LeaseLost:
            log.warning(
                "run %s of session %s belongs to another process by now", self.order.run_id, self.order.session_id
            )
        except AmbientError as fault:
            # The database is away. The lease runs out, and whoever sees that closes the run.
            log.warning(
                "run %s of session %s cannot be stored: %s", self.order.run_id, self.order.session_id, fault.reason
            )
        except Exception:
            log.exception("run %s of session %s failed in the gateway", self.order.run_id, self.order.session_id)
            self._finish("gateway_fault", "The gateway failed to carry this run.")
        finally:
            response.close()
            client.close()
            keeper_of(self.runtime).remove(self)

    def _copy(self, response: httpx.Response) -> tuple[str, str]:
        """Copy events until the run has ended; answers why the stream ended, for when the run has not."""
        reader = FrameReader()
        try:
            for chunk in response.iter_raw():
                self._copy_chunk(reader, chunk)
                if self.guard.ended is not None:
                    return "", ""
        except FrameTooLarge:
            return "frame_too_large", "The runner sent an event that is larger than 8 MiB."
        except BadEvent as fault:
            return "bad_event", str(fault)
        except httpx.TimeoutException:
            return "timeout", "The runner has been silent for too long."
        except (httpx.HTTPError, httpx.StreamError, OSError, ValueError):
            log.debug("the runner's stream broke", exc_info=True)
        return "runner_lost", "The runner's stream ended before the run did."

    def _copy_chunk(self, reader: FrameReader, chunk: bytes) -> None:
        events: list[Event] = []
        try:
            for data in reader.feed(chunk):
                events.extend(self.guard.pass_on(self._explained(event_of(data))))
        finally:
            # What came before a bad event is good, and the guard has counted it.
            self._store(events)

    def _explained(self, event: Event) -> Event:
        """The event; when it ends a run that was interrupted and does not say how, it says so: silence would mean success."""
        if event["type"] != "RUN_FINISHED" or event.get("outcome") is not None:
            return event
        with self.runtime.database.transaction() as transaction:
            interrupted = Log(transaction, self.order.session_id).is_interrupted(self.order.run_id)
        return {**event, "outcome": {"type": "cancelled"}} if interrupted else event

    def _store(self, events: list[Event]) -> None:
        if not events:
            return
        with self.runtime.database.transaction() as transaction:
            transaction.begin()
            written = Log(transaction, self.order.session_id)
            last = written.append(self.order.run_id, events)
            if self.guard.ended is not None:
                self._close(written, last, transaction)

    def _finish(self, code: str, message: str) -> None:
        with self.runtime.database.transaction() as transaction:
            row = session_store(self.runtime, transaction).row(self.order.session_id)
        stopped = self.cancelled.is_set() or row["phase"] in _STOPPING
        self._store(self.guard.cancel() if stopped else self.guard.fail(code, message))

    def _close(self, written: Log, last: int, transaction: Any) -> None:
        state = self.guard.ended or "error"
        written.end(self.order.run_id, state, last)
        changes = {"run_id": self.order.run_id, "run_state": state, "run_changed_at": transaction.now()}
        session_store(self.runtime, transaction).write(self.order.session_id, changes)


class BadEvent(Exception):
    """What the runner sent is no AG-UI event."""


def event_of(data: bytes) -> Event:
    """Read one event; only its type is looked at, the rest is passed on as it is.

    Raises:
        BadEvent: it is no JSON object with a type.
    """
    try:
        event = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise BadEvent("The runner sent an event that is no JSON.") from None
    if not isinstance(event, dict) or not isinstance(event.get("type"), str) or not event["type"]:
        raise BadEvent("The runner sent an event without a type.")
    return event


class Keeper:
    """Keeps the leases of this process's runs, and closes runs whose process is gone.

    Args:
        runtime: what the process shares.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._pumps: dict[tuple[str, str], Pump] = {}
        threading.Thread(target=self._run, name="agui-keeper", daemon=True).start()

    def add(self, pump: Pump) -> None:
        """Look after a run."""
        self._pumps[(pump.order.session_id, pump.order.run_id)] = pump

    def remove(self, pump: Pump) -> None:
        """The run has ended."""
        self._pumps.pop((pump.order.session_id, pump.order.run_id), None)

    def _run(self) -> None:
        while not self._runtime.database.closed:
            time.sleep(_RENEWAL)
            try:
                self._renew()
                self._sweep()
            except AmbientError as fault:
                log.warning("leases are not renewed: %s", fault.reason)
            except Exception:
                log.exception("leases are not renewed")

    def _renew(self) -> None:
        if not self._pumps:
            return
        renew = (
            f"UPDATE agui_threads SET lease_until = now() + interval '{LEASE} seconds' WHERE owner = %(owner)s "
            "RETURNING session_id, active_run, interrupted_at < now() - make_interval(secs => %(grace)s)"
        )
        with self._runtime.database.transaction() as transaction:
            rows = transaction.raw(renew, {"owner": OWNER, "grace": INTERRUPT_GRACE}).fetchall()
        for session, run, overdue in rows:
            pump = self._pumps.get((session, run))
            if overdue and pump is not None:
                pump.cancel()

    def _sweep(self) -> None:
        find = "SELECT session_id FROM agui_threads WHERE active_run IS NOT NULL AND lease_until < now() LIMIT 20"
        with self._runtime.database.transaction() as transaction:
            expired = [row[0] for row in transaction.raw(find).fetchall()]
        for session in expired:
            self._abandon(session)

    def _abandon(self, session: str) -> None:
        with self._runtime.database.transaction() as transaction:
            written = Log(transaction, session)
            _, active, holds, _ = written.lock()
            if active is None or holds:
                return
            run = written.abandon()
            if run is not None:
                changes = {"run_id": run, "run_state": "error", "run_changed_at": transaction.now()}
                session_store(self._runtime, transaction).write(session, changes)
                log.warning("run %s of session %s was left by a process that is gone; it is closed", run, session)


_KEEPERS: dict[int, Keeper] = {}


def keeper_of(runtime: Runtime) -> Keeper:
    """The keeper of this process for a database; started when it is first asked for."""
    keeper = _KEEPERS.get(id(runtime.database))
    if keeper is None:
        keeper = _KEEPERS.setdefault(id(runtime.database), Keeper(runtime))
    return keeper
