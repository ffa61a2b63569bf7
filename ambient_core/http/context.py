"""Flask's request context and response, with less work for what nearly every request and answer is.

Whatever is not that (another kind of address, a stream, a HEAD) goes Flask's own way.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, cast

from flask import Flask, request
from flask import Request as FlaskRequest
from flask import Response as FlaskResponse
from flask.ctx import RequestContext
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import Map, MapAdapter, Rule

BODY = "ambient.body"
"""Where a server leaves the body, when it has read all of it."""

_ID = "<string:id>"
_Found = tuple[Rule, dict[str, Any]]


class Addresses:
    """The addresses that end with an id or have no variable part: each is found by a look-up.

    Args:
        rules: every rule of the application.
    """

    def __init__(self, rules: Map) -> None:
        self._fixed: dict[tuple[str, str], Rule] = {}
        self._items: dict[tuple[str, str], Rule] = {}
        beside: defaultdict[str, set[str]] = defaultdict(set)
        for rule in rules.iter_rules():
            head, _, last = rule.rule.rpartition("/")
            if last.startswith("<"):
                beside[head].add(last)
        for rule in rules.iter_rules():
            head, _, last = rule.rule.rpartition("/")
            # Which methods an address has, Flask says; each of its rules knows only its own.
            for method in (rule.methods or set()) - {"OPTIONS"}:
                if not rule.arguments:
                    self._fixed[method, rule.rule] = rule
                elif rule.arguments == {"id"} and last == _ID and beside[head] == {_ID}:
                    self._items[method, head] = rule

    def find(self, method: str, path: str) -> _Found | None:
        """The rule of an address, and what its variable parts are; ``None`` for one that Flask has to look for."""
        if (rule := self._fixed.get((method, path))) is not None:
            return rule, {}
        head, _, last = path.rpartition("/")
        if last and path.isascii() and (rule := self._items.get((method, head))) is not None:
            return rule, {"id": last}
        return None


class Request(FlaskRequest):
    """A request that knows the blueprints of its address without taking it apart, and closes the files that it has."""

    @property
    def blueprints(self) -> list[str]:
        """The blueprint that answers, and those around it."""
        return _blueprints(self.endpoint)

    def close(self) -> None:
        """Close the files that came with it."""
        if "files" in self.__dict__:
            super().close()


@lru_cache(maxsize=1024)
def _blueprints(endpoint: str | None) -> list[str]:
    parts = (endpoint or "").split(".")[:-1]
    return [".".join(parts[:count]) for count in range(len(parts), 0, -1)]


class NoSession(SessionInterface):
    """There are no cookies here, so no session is looked for, signed or sent."""

    def open_session(self, app: Flask, request: FlaskRequest) -> NullSession:
        """The session that cannot be used."""
        return NullSession()

    def is_null_session(self, obj: object) -> bool:
        """Every one."""
        return True


class Context(RequestContext):
    """One request's context.

    Args:
        app: with its `Addresses`.
        environ: of the request.
        found: what its address means, when a look-up says so.
    """

    def __init__(self, app: Flask, environ: dict[str, Any], found: _Found) -> None:
        self._found = found
        super().__init__(app, environ)

    def match_request(self) -> None:
        """Say what the address means."""
        self.request.url_rule, self.request.view_args = self._found


def context_of(app: Flask, addresses: Addresses, environ: dict[str, Any]) -> RequestContext:
    """The context of a request.

    Args:
        app: that answers it.
        addresses: of the application.
        environ: of the request.
    """
    found = addresses.find(environ["REQUEST_METHOD"], environ["PATH_INFO"])
    context = RequestContext(app, environ) if found is None else Context(app, environ, found)
    body, limit = environ.get(BODY), app.config["MAX_CONTENT_LENGTH"]
    if body is not None and (limit is None or len(body) <= limit):
        # Where Werkzeug keeps what it has read: there is no stream to wrap, count and drain.
        context.request._cached_data = body
    return context


def adapter_of(rules: Map, environ: dict[str, Any]) -> MapAdapter:
    """What builds addresses while a request is answered whose own address is found already."""
    host = environ.get("HTTP_HOST") or environ["SERVER_NAME"]
    scheme, path, method = environ["wsgi.url_scheme"], environ["PATH_INFO"], environ["REQUEST_METHOD"]
    return MapAdapter(rules, host, environ.get("SCRIPT_NAME") or "/", None, scheme, path, method, None)


def the_request() -> Request:
    """The request itself, for who uses it often: each use of Flask's stand-in for it is a look-up."""
    found: Request = request._get_current_object()  # type: ignore[attr-defined]
    return found


class Response(FlaskResponse):
    """An answer whose body is known: it goes out as it is."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer as WSGI says."""
        shown = self.headers.to_wsgi_list()
        named = {name.lower(): value for name, value in shown}
        if not self._goes_as_it_is(environ["REQUEST_METHOD"], named.get("location")):
            return super().__call__(environ, start_response)
        body = cast("list[bytes]", self.response)
        if "content-length" not in named:
            shown.append(("Content-Length", str(len(body[0]))))
        start_response(self.status, shown)
        return body

    def _goes_as_it_is(self, method: str, location: str | None) -> bool:
        body, status = self.response, self.status_code
        if type(body) is not list or len(body) != 1 or type(body[0]) is not bytes or self._on_close:
            return False
        if method == "HEAD" or not 200 <= status < 300 or status == 204:
            return False
        return location is None or _is_plain(location)


def _is_plain(location: str) -> bool:
    """Whether an address is one of ours that goes out as it is."""
    if location[:1] != "/" or not location.isascii() or not location.isprintable():
        return False
    return set(' "<>\\^`{|}').isdisjoint(location)
