"""HTTP to one server: the token, retries that honour Retry-After, and typed errors."""

import json
import random
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from functools import cache
from typing import Any

import httpx

from ambient_sdk.errors import BadAnswer, ConnectionFailed, error_of

_RETRIED = frozenset({429, 502, 503, 504})
_LONGEST_WAIT = 30.0
_LONGEST_LINE = 32 * 2**20
NDJSON = "application/x-ndjson"


@cache
def _trusted() -> ssl.SSLContext:
    # Reading the authorities takes longer than a request does, and all clients trust the same.
    return httpx.create_ssl_context(trust_env=False)


class _Bearer(httpx.Auth):
    def __init__(self, token: str | Callable[[], str]) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = self._token if isinstance(self._token, str) else self._token()
        request.headers["Authorization"] = f"Bearer {token}"
        yield request


class Positions:
    """Lets the server's replica answer lists, and never shows less than what this client wrote or saw."""

    HEADER = "Ambient-Position"

    def __init__(self) -> None:
        self._reached = (0, "0")
        self._lock = threading.Lock()

    def ask(self, request: httpx.Request) -> None:
        """Say how far an answer must reach."""
        if request.method == "GET":
            request.headers[self.HEADER] = self._reached[1]

    def learn(self, response: httpx.Response) -> None:
        """Remember how far an answer reached."""
        text = response.headers.get(self.HEADER, "")
        high, _, low = text.partition("/")
        with suppress(ValueError), self._lock:
            self._reached = max(self._reached, ((int(high, 16) << 32) + int(low, 16), text))


class Transport:
    """Sends requests.

    Args:
        base_url: ``http://host:port``.
        token: bearer token, or what gives it for each request: one that is renewed while the client lives.
        project: sent as ``X-Ambient-Project``, so that lists and new objects belong to it.
        timeout: seconds for one try.
        attempts: tries in all.
        sleep: waits so many seconds; tests give their own.

    Attributes:
        base_url: as given.
    """

    def __init__(
        self,
        base_url: str,
        token: str | Callable[[], str],
        project: str | None = None,
        *,
        timeout: float = 30.0,
        attempts: int = 4,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base_url = base_url
        headers = {"Accept": "application/json"}
        if project is not None:
            headers["X-Ambient-Project"] = project
        self._http = httpx.Client(
            base_url=base_url,
            headers=headers,
            auth=_Bearer(token),
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
            verify=_trusted(),
        )
        self._attempts = attempts
        self.sleep = sleep

    def carry(self, headers: Mapping[str, str]) -> None:
        """Send these headers with every request from now on."""
        self._http.headers.update(headers)

    def allow_replicas(self) -> None:
        """Let a replica of the server answer lists from now on."""
        positions = Positions()
        self._http.event_hooks = {"request": [positions.ask], "response": [positions.learn]}

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> httpx.Response:
        """Send one request; asked again where that is safe.

        Every POST carries an Idempotency-Key, so a POST is as safe to repeat as the others.

        Args:
            token: bearer token of this request, in place of the client's.

        Raises:
            ApiError: the server refused, or failed every time.
            ConnectionFailed: it never answered.
        """
        sent = dict(headers or {})
        if method == "POST":
            sent.setdefault("Idempotency-Key", uuid.uuid4().hex)
        who: dict[str, Any] = {} if token is None else {"auth": _Bearer(token)}
        for attempt in range(1, self._attempts + 1):
            try:
                response = self._http.request(method, path, params=query, json=body, headers=sent, **who)
            except httpx.TransportError as fault:
                if attempt == self._attempts:
                    raise ConnectionFailed(f"{method} {path}: {type(fault).__name__}: {fault}") from fault
                self.sleep(self.pause(attempt, None))
                continue
            if response.is_success:
                return response
            if response.status_code not in _RETRIED or attempt == self._attempts:
                raise error_of(response)
            self.sleep(self.pause(attempt, response.headers.get("Retry-After")))
        raise AssertionError("unreachable")

    def json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Send one request and read the JSON object of its answer; the arguments are those of `send`.

        Raises:
            ApiError: the server refused, or failed every time.
            BadAnswer: it answered with something else.
        """
        response = self.send(method, path, **options)
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise BadAnswer(f"{method} {path}: the server answered {response.status_code} with no JSON object.")
        return body

    def stream(self, method: str, path: str, **options: Any) -> "AbstractContextManager[httpx.Response]":
        """Open a stream (server-sent events); never retried, no read time-out."""
        options.setdefault("timeout", httpx.Timeout(10.0, read=None))
        return self._http.stream(method, path, **options)

    def values(self, path: str, *, query: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """The JSON values of a list that comes as lines (application/x-ndjson); never asked for again in the middle.

        Raises:
            ApiError: the server refused.
            BadAnswer: a line is no JSON, or the answer is something else.
            ConnectionFailed: there was no answer, or it broke off.
        """
        try:
            wait = httpx.Timeout(10.0, read=60.0)
            with self.stream("GET", path, params=query, headers={"Accept": NDJSON}, timeout=wait) as response:
                if not response.is_success:
                    response.read()
                    raise error_of(response)
                if response.headers.get("Content-Type", "").split(";")[0] != NDJSON:
                    raise BadAnswer(f"GET {path}: the server answered with no lines of JSON.")
                # Not by httpx's own lines: a JSON string may hold U+2028, which is the end of a line to it.
                rest = b""
                for chunk in response.iter_bytes():
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        yield json.loads(line)
                    if len(rest) > _LONGEST_LINE:
                        raise BadAnswer(f"GET {path}: the server sent a line of more than {_LONGEST_LINE} bytes.")
                if rest:
                    raise ConnectionFailed(f"GET {path}: the answer ended in the middle of a line.")
        except httpx.TransportError as fault:
            raise ConnectionFailed(f"GET {path}: {type(fault).__name__}: {fault}") from fault
        except ValueError as fault:
            raise BadAnswer(f"GET {path}: the server sent a line that is no JSON.") from fault

    def lines(self, method: str, path: str, *, query: Mapping[str, Any] | None = None) -> Iterator[str]:
        """The lines of a text, as they come; asked once.

        Raises:
            ApiError: the server refused.
            ConnectionFailed: it did not answer, or the text broke off.
        """
        given = {k: ("true" if v else "false") if isinstance(v, bool) else v for k, v in (query or {}).items()}
        try:
            with self.stream(method, path, params=given, headers={"Accept": "text/plain"}) as answer:
                if not answer.is_success:
                    answer.read()
                    raise error_of(answer)
                yield from answer.iter_lines()
        except httpx.TransportError as fault:
            raise ConnectionFailed(f"{method} {path}: {type(fault).__name__}: {fault}") from fault

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @staticmethod
    def pause(attempt: int, retry_after: str | None) -> float:
        """Seconds to wait after so many tries."""
        if retry_after is not None and retry_after.isdigit():
            return min(float(retry_after), _LONGEST_WAIT)
        # Full jitter: clients that failed together must not come back together.
        return random.uniform(0.1, min(0.25 * 2**attempt, _LONGEST_WAIT))  # noqa: S311
