"""Gunicorn with gevent workers; health and figures from a process of their own, alive under any load of the workers."""

import gc
import logging
import os
import shutil
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from gevent import monkey
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from ambient_core import log, metrics
from ambient_core.access.rates import Rates
from ambient_core.config import Settings, Sources, load
from ambient_core.config.listeners import check_free
from ambient_core.errors import SetupError

logger = logging.getLogger(__name__)
_COLLECTIONS = (20_000, 20, 50)
"""Allocations between collections: a request makes thousands of short-lived objects and few that are in cycles."""


def gunicorn_settings(settings: Settings | None = None, surface: str = "api") -> dict[str, Any]:
    """What our Gunicorn runs with.

    Args:
        settings: of the core; read from the environment when ``None`` (plain ``gunicorn -c``).
        surface: ``api`` or ``gateway``.
    """
    settings = settings or load(Settings, Sources(claimed=("AMBIENT_",))).settings
    bind = settings.bind if surface == "api" else settings.gateway_bind
    return {
        "wsgi_app": "ambient_core.app:create_app()",
        "bind": bind,
        "workers": settings.workers if surface == "api" else 1,
        "worker_class": "ambient_core.serving.worker.AmbientWorker",
        "worker_connections": settings.worker_connections,
        # A gevent worker reports that it lives from its own loop: this is no limit for requests.
        "timeout": 60,
        "graceful_timeout": settings.graceful_timeout,
        "keepalive": 75,
        "limit_request_line": 8190,
        "limit_request_fields": 64,
        "limit_request_field_size": 16384 + 64,
        "loglevel": settings.log_level,
        "accesslog": None,
        "errorlog": "-",
        "logger_class": "ambient_core.serving.worker.AmbientLogger",
        "proc_name": f"ambient-{surface}",
        "control_socket_disable": True,
        # Kept in memory: a slow disk must not make a worker look dead.
        "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108
        "preload_app": False,
    }


class Master(Arbiter):
    """Gunicorn's master; it says "not ready" before it lets the workers finish."""

    def stop(self, graceful: bool = True) -> None:
        """Stop the workers."""
        if self.app.side is not None:
            self.app.side.draining()
        super().stop(graceful)


class Server(BaseApplication):
    """Gunicorn started from code.

    Args:
        settings: of the core.
        surface: ``api`` or ``gateway``.
        side: the process with health and figures, if any.
    """

    def __init__(self, settings: Settings, surface: str, side: "SideProcess | None" = None) -> None:
        self.settings = settings
        self.surface = surface
        self.side = side
        # Before any worker is forked, so that all of them count together.
        self.rates = Rates(settings)
        super().__init__()

    def run(self) -> None:
        """Serve until a signal says stop."""
        Master(self).run()

    def load_config(self) -> None:
        """Hand our settings to Gunicorn."""
        for name, value in gunicorn_settings(self.settings, self.surface).items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)
        self.cfg.set("child_exit", lambda _server, worker: metrics.forget_worker(worker.pid))

    def load(self) -> Any:
        """Build the application; called in each worker, after the fork, so that connections are its own."""
        from ambient_core.app import create_app  # noqa: PLC0415 - after the worker's monkey-patching

        log.configure(self.settings.log_level, self.settings.log_format)
        try:
            app = create_app(self.settings, self.surface, rates=self.rates)
            _keep()
            return app
        except SetupError as fault:
            logger.error("cannot serve: %s", fault)
            # 4 tells Gunicorn's arbiter that the application cannot start; it ends instead of trying for ever.
            sys.exit(4)


def serve(settings: Settings, surface: str) -> None:
    """Serve until a signal says stop.

    Raises:
        SetupError: an address is taken or not ours, the storage of counts cannot be used, or nobody could come in.
    """
    binds = {
        "bind" if surface == "api" else "gateway_bind": settings.bind if surface == "api" else settings.gateway_bind
    }
    if surface == "api":
        binds |= {"health_bind": settings.health_bind, "metrics_bind": settings.metrics_bind}
    for name, address in binds.items():
        check_free(name, address)
    folder, owner = metrics.prepare_folder(), os.getpid()
    _prepare_workers(settings)
    side = SideProcess(settings) if surface == "api" else None
    try:
        Server(settings, surface, side).run()
    finally:
        # A worker that ends comes by here as well; the others still count into the folder.
        if os.getpid() == owner:
            if side is not None:
                side.end()
            shutil.rmtree(folder, ignore_errors=True)


def _prepare_workers(settings: Settings) -> None:
    """Patch for gevent and import what every worker needs, so that workers start by a fork and share that memory.

    In this order, because the database driver chooses how to wait when it is imported. Nothing is connected here.
    """
    monkey.patch_all()
    plugins = import_module("ambient_core.plugins").load_plugins(settings)
    import_module("ambient_core.app").check_ways_in(settings, plugins)
    gc.set_threshold(*_COLLECTIONS)
    _keep()


def _keep() -> None:
    """What is there now stays until the end: no collection need look at it again."""
    gc.collect()
    gc.freeze()


class SideProcess:
    """Health and figures in a child of their own.

    Args:
        settings: of the core.
    """

    def __init__(self, settings: Settings) -> None:
        self.owner = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            from ambient_core.serving.health import run_side_servers  # noqa: PLC0415 - the master must not import the driver

            try:
                run_side_servers(settings, self.owner)
            except SetupError as fault:
                logger.error("health and figures are not served: %s", fault)
            finally:
                os._exit(0)

    def draining(self) -> None:
        """Say that the server is stopping: not ready any more."""
        os.kill(self.pid, signal.SIGUSR1)

    def end(self) -> None:
        """End it."""
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            return
