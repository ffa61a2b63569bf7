"""/healthz, /readyz and /metrics, from a process beside the workers: alive under any load of theirs."""

import logging
import signal
import socketserver
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
import psycopg

from ambient_core import metrics
from ambient_core.changes.lag import Lag, measure
from ambient_core.config import Settings
from ambient_core.config.listeners import host_and_port
from ambient_core.database import Database, driver_url, url_of
from ambient_core.errors import AmbientError, BadQuery, MethodNotAllowed, NoRoute, SetupError
from ambient_core.ids import new_operation_id
from ambient_core.plugins import Plugins, load_plugins
from ambient_core.revisions import branches_of, unapplied
from ambient_core.serving.process import end_with

log = logging.getLogger(__name__)
_IMPATIENT = "-c statement_timeout=2000"
Answer = tuple[int, str, bytes]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold before requests should come.

    Args:
        name: how the answer calls it.
        run: answers why it does not hold, or ``None``.
    """

    name: str
    run: Callable[[], str | None]


class Readiness:
    """Whether requests should come, and what keeps them away.

    Args:
        checks: what must hold.
        notes: details that are shown and keep nobody away.
    """

    def __init__(self, checks: Sequence[Check], notes: Callable[[], dict[str, Any]]) -> None:
        self._checks = checks
        self._notes = notes
        self.draining = False

    def answer(self) -> Answer:
        """The answer to ``/readyz``."""
        found = {check.name: check.run() for check in self._checks}
        if self.draining:
            found["draining"] = "the server is stopping."
        ready = not any(found.values())
        body = {"ready": ready, "checks": {n: r or "ok" for n, r in found.items()}, **self._notes()}
        return (200 if ready else 503), "application/json", orjson.dumps(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


def server(bind: str, name: str, routes: dict[str, Callable[[], Answer]]) -> _Server:
    """A small HTTP server for a few addresses.

    Raises:
        SetupError: the address cannot be used.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = 5
        server_version = "ambient"
        sys_version = ""

        def do_GET(self) -> None:
            route = routes.get(self.path.split("?")[0])
            if route is None:
                self.send_error(404)
            else:
                self._answer(*route())

        def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
            refusal = _refusal(code, ", ".join(routes))
            # The library takes what it cannot read for HTTP/0.9, and would send a body without a head.
            self.request_version, self.close_connection = "HTTP/1.1", True
            self._answer(
                refusal.status, "application/json", orjson.dumps(refusal.body(new_operation_id())), refusal.headers
            )

        def _answer(self, status: int, kind: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            for header, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            log.debug(format, *args)

    try:
        return _Server(host_and_port(name, bind), Handler)
    except OSError as fault:
        raise SetupError(f"{name} {bind} cannot be used: {fault.strerror}.") from fault


def _refusal(code: int, known: str) -> AmbientError:
    """What the library refuses, in our words and shape."""
    if code == 404:
        return NoRoute(f"There is nothing here but {known}.")
    if code == 501:
        return MethodNotAllowed("Only GET is possible here.", headers={"Allow": "GET"})
    return BadQuery("This is no valid HTTP request.")


def checks_of(settings: Settings, plugins: Plugins) -> list[Check]:
    """Database and migrations."""
    url, branches = driver_url(url_of(settings.database_url)), branches_of(plugins)

    def database() -> str | None:
        try:
            with psycopg.connect(url, connect_timeout=2, autocommit=True) as connection:
                connection.execute("SELECT 1")
        except psycopg.Error:
            return "does not answer."
        return None

    def migrations() -> str | None:
        own = Database(settings.database_url, pool_size=1, pool_timeout=2)
        try:
            pending = unapplied(own, branches)
        except Exception:
            return "cannot be read."
        finally:
            own.close()
        return f"pending: {', '.join(pending)}; run: ambient db upgrade" if pending else None

    return [Check("database", database), Check("migrations", migrations)]


def measured(settings: Settings) -> Lag | None:
    """How far readers of the change log are behind; ``None`` when it cannot be asked."""
    try:
        with psycopg.connect(
            driver_url(url_of(settings.database_url)), connect_timeout=2, autocommit=True, options=_IMPATIENT
        ) as connection:
            return measure(connection.execute)
    except psycopg.Error:
        return None


def change_log_note(settings: Settings) -> dict[str, Any]:
    """What readiness shows of the change log. It keeps nobody away: late news are better than none."""
    found = measured(settings)
    return {"change_log": found.note(settings.change_lag_warning)} if found is not None else {}


def exposition(settings: Settings) -> bytes:
    """All figures: those of the workers, and those that only the database knows."""
    found = measured(settings)
    return metrics.exposition(found.figures() if found is not None else {})


def run_side_servers(settings: Settings, master: int) -> None:
    """Serve health and figures until the master is gone. SIGUSR1 says that it is stopping.

    Args:
        settings: addresses and database.
        master: process id of Gunicorn's master.
    """
    # Not at the top: the control plane's health needs no application, and would keep one in memory.
    from ambient_core.app import try_out  # noqa: PLC0415

    end_with(master, signal.SIGKILL)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    plugins = load_plugins(settings)
    own = Database(settings.database_url, pool_size=1)
    try:
        plugins.apply_migration_faults(own)
    except Exception:
        log.warning("the database did not answer at the start")
    finally:
        own.close()
    try_out(settings, plugins)
    aside = {"plugins_set_aside": {entry.name: entry.reason for entry in plugins.set_aside}}
    readiness = Readiness(checks_of(settings, plugins), lambda: {**aside, **change_log_note(settings)})
    signal.signal(signal.SIGUSR1, lambda *_: setattr(readiness, "draining", True))
    health = {"/healthz": lambda: (200, "application/json", b'{"alive":true}'), "/readyz": readiness.answer}
    figures = {"/metrics": lambda: (200, "text/plain; version=0.0.4; charset=utf-8", exposition(settings))}
    servers: list[socketserver.BaseServer] = [
        server(settings.health_bind, "health_bind", health),
        server(settings.metrics_bind, "metrics_bind", figures),
    ]
    threads = [threading.Thread(target=one.serve_forever, daemon=True) for one in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
