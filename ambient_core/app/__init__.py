"""The Flask application: plugins, routes, one transaction per request, one body for every error.

The room has what is put onto it: the routes of kinds and of the core, batches, discovery.
"""

import logging
import random
import re
import time
from collections.abc import Callable, Iterable
from threading import Semaphore
from typing import Any

from flask import Flask, Response, g, request
from flask import Request as FlaskRequest
from flask.ctx import RequestContext
from flask.typing import ResponseReturnValue
from psycopg import Error as DriverError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.routing import MapAdapter, Rule

from ambient_core.access import Guard
from ambient_core.access.open_streams import OpenStreams
from ambient_core.access.rates import Rates
from ambient_core.access.refusals import Recorder
from ambient_core.app.assembly import Unfit, assemble
from ambient_core.app.discovery import Discovery
from ambient_core.changes.reactions import Reactions
from ambient_core.changes.watchers import Hub
from ambient_core.config import Settings
from ambient_core.database import Database, Limits, url_of
from ambient_core.database.gate import Gate
from ambient_core.database.outages import is_retryable
from ambient_core.database.replicas import Replica
from ambient_core.database.transaction import origin
from ambient_core.errors import BASE_PATH, TooManyRequests, Unauthenticated
from ambient_core.http.context import Addresses, NoSession, Request, adapter_of, context_of, the_request
from ambient_core.http.cors import Cors, origins_of
from ambient_core.http.origin import address_of
from ambient_core.identity import check_not_in_query, invalid_token, token_of
from ambient_core.identity.issuers import configured
from ambient_core.identity.oidc import OidcAccess
from ambient_core.ids import new_operation_id
from ambient_core.log import operation_id, request_finished
from ambient_core.metrics import observe_request
from ambient_core.plugins import Plugins, load_plugins, refuse_set_aside
from ambient_core.profiles import check_profile, keyring_of
from ambient_core.profiles.development import DevelopmentAccess
from ambient_core.profiles.production import ControlPlaneAccess, check_authorization
from ambient_core.rest.error_answers import error_response, one_error_shape
from ambient_core.rest.operation import Operation, Runtime, current
from ambient_core.secrets.keyring import Keyring
from ambient_core.watch.reading import positioned

log = logging.getLogger(__name__)

_ATTEMPTS = 3
_INBOUND_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class Route(Rule):
    """A rule that learns to build addresses when it is asked for one; we find them and do not ask, a plugin's view may."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        # It writes a function and compiles it, which takes a quarter of the time in which an application is made.
        make = super()._compile_builder

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            return make(append_unknown)(rule, **values)

        return build


class Application(Flask):
    """Flask with our request: authenticate, run in one transaction, commit, answer."""

    url_rule_class = Route
    request_class = Request
    session_interface = NoSession()
    runtime: Runtime
    plugins: Plugins
    surface: str
    public: frozenset[str]
    authenticate: Callable[..., Any]
    admissions: tuple[tuple[str, Callable[..., Any]], ...]
    addresses: Addresses
    discovery: Discovery
    cors: Cors | None

    def request_context(self, environ: dict[str, Any]) -> RequestContext:
        """The context of one request."""
        return context_of(self, self.addresses, environ)

    def create_url_adapter(self, request: FlaskRequest | None) -> MapAdapter | None:
        """What finds an address, where it is not found yet."""
        if request is not None and self.addresses.find(request.method, request.environ["PATH_INFO"]) is not None:
            return adapter_of(self.url_map, request.environ)
        return super().create_url_adapter(request)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is: none is a coroutine, which Flask would look for at each request, to refuse it without an extra."""
        return func

    def make_default_options_response(self) -> Response:
        """What an address takes; there is no body, so it has no type."""
        response = super().make_default_options_response()
        del response.headers["Content-Type"]
        return response

    def full_dispatch_request(self) -> Response:
        """Answer one request; every way out has an operation id, a log line and a measurement."""
        started = time.perf_counter()
        asked = the_request()
        inbound = asked.environ.get("HTTP_X_OPERATION_ID", "")
        operation = Operation(inbound if _INBOUND_ID.fullmatch(inbound) else new_operation_id(), self.runtime)
        operation.address = address_of(asked.environ, self.runtime.settings.trusted_proxies)
        g.operation = operation
        token = operation_id.set(operation.id)
        try:
            response = _counted(operation, super().full_dispatch_request())
        finally:
            operation.transaction.rollback()
            operation_id.reset(token)
        response.headers["X-Operation-ID"] = operation.id
        response.headers["Vary"] = "Authorization"
        if self.cors is not None:
            response.headers["Vary"] = "Authorization, Origin"
            response.headers.update(self.cors.answer(asked.headers.get("Origin", "")))
        if response.status_code == 401 and self.surface == "api" and configured(self.runtime.settings):
            response.headers["WWW-Authenticate"] += self.discovery.challenge()
        route, method = asked.url_rule.rule if asked.url_rule else "(none)", asked.method
        seconds = time.perf_counter() - started
        observe_request(method, route, response.status_code, seconds)
        request_finished(method, route, response.status_code, seconds, operation.principal.actor)
        return response

    def dispatch_request(self) -> ResponseReturnValue:
        """Authenticate, then run the view and commit; what PostgreSQL asks to repeat is repeated."""
        operation = current()
        if self.cors is not None and (leave := self._preflight(self.cors)) is not None:
            operation.runtime.rates.arrive(operation.address, None)
            return leave
        self.let_in(operation)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer = super().dispatch_request()
                operation.transaction.commit()
            except (DriverError, SQLAlchemyError) as fault:
                operation.transaction.rollback()
                if not is_retryable(fault) or attempt == _ATTEMPTS:
                    raise
                # Those that met once must not meet again.
                time.sleep(random.uniform(0.005, 0.05 * 2**attempt))  # noqa: S311
                continue
            return answer
        raise AssertionError("unreachable")

    def let_in(self, operation: Operation) -> None:
        """Say who is asking, unless that is nobody's affair, and count it.

        Raises:
            Unauthenticated: nobody that is known.
            TooManyRequests: too often.
        """
        rates, address = operation.runtime.rates, operation.address
        asked = the_request()
        if asked.endpoint in self.public and asked.routing_exception is None:
            rates.arrive(address, None)
            return
        mark = rates.arrive(address, asked.environ.get("HTTP_AUTHORIZATION"))
        try:
            self.identify(operation)
        except Unauthenticated:
            rates.failed(address, mark)
            raise
        rates.known(operation.principal, mark)

    def _preflight(self, cors: Cors) -> Response | None:
        """The answer to a browser that asks, without a token, whether a page may send a request."""
        if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
            return None
        allowed = cors.preflight(request.headers.get("Origin", ""))
        return Response(status=204, headers=allowed) if allowed else None

    def identify(self, operation: Operation) -> None:
        """Say who is asking, by the headers of the request.

        Raises:
            Unauthenticated: nobody that is known.
        """
        asked = the_request()
        check_not_in_query(asked.environ["QUERY_STRING"])
        token_of(asked.environ)
        principal = self.authenticate(request=asked)
        if principal is None:
            raise invalid_token()
        for name, admit in self.admissions:
            if admit(principal=principal) is False:
                log.info("a caller is kept out", extra={"plugin": name, "principal": principal.actor})
                # For the note of the refusal alone: nothing is done in this name.
                operation.principal = principal
                raise invalid_token()
        operation.principal = principal
        operation.transaction.origin = origin(principal.attributes.get("token_id"), operation.address, operation.id)


def _counted(operation: Operation, response: Response) -> Response:
    """Count a stream from here to its end, whoever opened it; one too many is closed and refused."""
    if response.is_streamed:
        try:
            operation.enter_stream()
        except TooManyRequests as fault:
            response.close()
            return error_response(fault)
    if operation.leave_stream is not None and response.is_streamed:
        response.call_on_close(operation.leave_stream)
    elif operation.leave_stream is not None:
        operation.leave_stream()
    return response


def create_app(
    settings: Settings, surface: str = "api", plugins: Plugins | None = None, rates: Rates | None = None
) -> Application:
    """Build the application of one process; call it in the worker, after the fork.

    Args:
        settings: what to serve and from where.
        surface: ``api``, or ``gateway`` for the blueprints that ask for it and nothing else.
        plugins: already loaded ones; discovered when ``None``.
        rates: what counts requests, made before the fork, so that all workers count together; of its own when ``None``.

    Raises:
        SetupError: the settings do not allow a start, or ``strict`` is on and a plugin would be set aside.
    """
    check_profile(settings)
    if settings.replica_url:
        url_of(settings.replica_url, "replica_url")
    # The gateway opens no secret.
    keyring = keyring_of(settings) if surface == "api" else None
    plugins = plugins or load_plugins(settings)
    _register_ways_in(settings, plugins)
    database = _database(settings, settings.database_url)
    plugins.apply_migration_faults(database)
    app = _build(settings, surface, plugins, database, keyring, rates)
    # Again, because a database may have set a plugin aside.
    check_authorization(settings, plugins)
    if settings.strict:
        refuse_set_aside(plugins)
    Reactions(database, plugins.implementations("ambient_after_commit"), settings.poll_interval).start()
    return app


def check_ways_in(settings: Settings, plugins: Plugins) -> None:
    """Refuse in one place and before there is any worker what none of them could start with.

    Args:
        plugins: that are used for nothing else afterwards.

    Raises:
        SetupError: nobody could come in, or nothing decides who may do what; names the setting.
    """
    _register_ways_in(settings, plugins)
    check_authorization(settings, plugins)


def _database(settings: Settings, url: str) -> Database:
    request, statement = settings.request_timeout, settings.statement_timeout
    return Database(
        url,
        pool_size=settings.pool_size,
        pool_timeout=settings.pool_timeout,
        statement_timeout=statement,
        limits=Limits(
            settings.lock_timeout,
            settings.idle_timeout,
            settings.stream_limit,
            settings.stream_timeout,
            # The last statement of a request begins in time, and the commit follows it: the server ends each of them.
            longest_use=request + 2 * statement if request and statement else 0,
        ),
    )


def _register_ways_in(settings: Settings, plugins: Plugins) -> None:
    if settings.profile == "development":
        plugins.hooks_of_core(DevelopmentAccess(settings))
    else:
        plugins.hooks_of_core(ControlPlaneAccess(settings))
    if configured(settings):
        plugins.hooks_of_core(OidcAccess(settings, lambda: plugins.implementations("ambient_person")))


def describe(settings: Settings) -> Application:
    """Build the application for its contract alone: nothing is connected, nobody is let in.

    Raises:
        SetupError: a plugin would be set aside; its operations would silently leave the contract.
    """
    plugins = load_plugins(settings)
    app = _build(settings, "api", plugins, Database("postgresql://contract.invalid/none"))
    refuse_set_aside(plugins)
    return app


def try_out(settings: Settings, plugins: Plugins) -> None:
    """Set aside the plugins whose parts do not fit onto one application, as every worker will; nothing is connected."""
    _build(settings, "api", plugins, Database("postgresql://contract.invalid/none"))


def _build(
    settings: Settings,
    surface: str,
    plugins: Plugins,
    database: Database,
    keyring: Keyring | None = None,
    rates: Rates | None = None,
) -> Application:
    while True:
        try:
            app = _assembled(settings, surface, plugins, database, keyring, rates)
        except Unfit as fault:
            log.debug("plugin %s does not fit", fault.plugin, exc_info=True)
            plugins.set_aside_plugin(fault.plugin, fault.reason)
            continue
        return app


def _assembled(
    settings: Settings,
    surface: str,
    plugins: Plugins,
    database: Database,
    keyring: Keyring | None,
    rates: Rates | None,
) -> Application:
    app = Application("ambient_core", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config.update(MAX_CONTENT_LENGTH=settings.body_limit, PROPAGATE_EXCEPTIONS=False, TRAP_HTTP_EXCEPTIONS=False)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.plugins = plugins
    app.surface = surface
    app.discovery = Discovery(settings)
    origins = origins_of(settings.cors_origins)
    app.cors = Cors(origins) if origins else None
    guard = Guard(plugins.implementations("ambient_may"), plugins.implementations("ambient_scope"))
    hub = Hub(database, settings.poll_interval, settings.watch_limit)
    before_write = plugins.implementations("ambient_before_write")
    replica = Replica(database, _database(settings, settings.replica_url)) if settings.replica_url else None
    app.runtime = Runtime(
        settings,
        database,
        plugins.registry,
        guard,
        before_write,
        hub,
        Gate(plugins.registry.plurals),
        rates or Rates(settings),
        Recorder(database, plugins.registry),
        keyring,
        OpenStreams(settings.open_stream_limit, settings.principal_stream_limit),
        Semaphore(settings.batch_limit),
        replica=replica,
    )
    if replica is not None:
        app.after_request(positioned)
    app.extensions["ambient"] = app.runtime
    app.authenticate = _first(plugins.implementations("ambient_authenticate"))
    app.admissions = plugins.implementations("ambient_admit")
    assemble(app, plugins, surface, app.discovery)
    app.public = frozenset(name for name, view in app.view_functions.items() if getattr(view, "public", False))
    app.addresses = Addresses(app.url_map)
    one_error_shape(app)
    if surface == "gateway":
        app.wsgi_app = _short_paths(app.wsgi_app)  # type: ignore[method-assign]
    return app


def _first(implementations: Iterable[tuple[str, Callable[..., Any]]]) -> Callable[..., Any]:
    functions = [function for _, function in implementations]

    def authenticate(**arguments: Any) -> Any:
        return next((found for function in functions if (found := function(**arguments)) is not None), None)

    return authenticate


def _short_paths(wsgi: Callable[..., Any]) -> Callable[..., Any]:
    """The gateway answers ``/sessions/...`` as well as the full path."""

    def shortened(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        path = environ.get("PATH_INFO", "")
        if not path.startswith("/api/"):
            environ["PATH_INFO"] = BASE_PATH + path
        return wsgi(environ, start_response)

    return shortened
