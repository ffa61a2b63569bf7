"""What the client raises: the server's own words, typed by status."""

from dataclasses import dataclass
from typing import Any

import httpx


class AmbientError(Exception):
    """Anything that went wrong between this client and the server."""


class ConnectionFailed(AmbientError):
    """The server did not answer, also not when asked again."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One field's fault, as the server named it."""

    field: str
    rule: str
    reason: str


class BadAnswer(AmbientError):
    """The server said that all is well, with a body that is not what its contract promises."""


class ApiError(AmbientError):
    """The server refused or failed.

    Attributes:
        status: HTTP status.
        code: the server's code, such as ``ambient-api-server-8``.
        reason: what is wrong and what would be right, in the server's words.
        operation_id: names the request in the server's log.
        errors: the faults by field.
        headers: the response's headers.
        body: the whole error object, such as with ``results`` of an atomic batch, or ``matched`` of a deletion by search.
    """

    def __init__(self, response: httpx.Response) -> None:
        body = self.body = _body(response)
        self.status = response.status_code
        self.code = str(body.get("code", ""))
        self.reason = str(body.get("reason") or response.reason_phrase)
        self.operation_id = str(body.get("operation_id") or response.headers.get("X-Operation-ID", ""))
        self.errors = _faults(body.get("errors"))
        self.headers = response.headers
        super().__init__(f"{self.status} {self.code}: {self.reason} (operation {self.operation_id})")


class BadRequest(ApiError):
    """400: a value breaks a rule; see `errors`."""


class Unauthenticated(ApiError):
    """401: the token is missing, unknown or expired."""


class Forbidden(ApiError):
    """403: the caller may not do this."""


class NotFound(ApiError):
    """404: no such object, or none that the caller may see."""


class Conflict(ApiError):
    """409: clashes with what is stored."""


class Gone(ApiError):
    """410: what the cursor or the time points at is not kept any more."""


class PreconditionFailed(ApiError):
    """412: the object changed since it was read."""

    @property
    def current_version(self) -> int | None:
        """The version that is stored, if the server said."""
        version = self.body.get("current_version")
        return version if isinstance(version, int) else None


class PreconditionRequired(ApiError):
    """428: this change must say which version it builds on (``if_match``, or use ``update``)."""


class TooManyRequests(ApiError):
    """429: slow down."""


class ServerError(ApiError):
    """5xx: the server failed or is away."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    412: PreconditionFailed,
    428: PreconditionRequired,
    429: TooManyRequests,
}


def error_of(response: httpx.Response) -> ApiError:
    """The error that a response means."""
    fallback = ServerError if response.status_code >= 500 else ApiError
    return _BY_STATUS.get(response.status_code, fallback)(response)


def _faults(given: Any) -> list[Fault]:
    entries = given if isinstance(given, list) else []
    return [
        Fault(str(f.get("field", "")), str(f.get("rule", "")), str(f.get("reason", "")))
        for f in entries
        if isinstance(f, dict)
    ]


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
