"""Every refusal and fault as one exception family with one wire shape.

The numbers are those that stock clients of the predecessor know; where it had none, the HTTP status is the number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

BASE_PATH = "/api/ambient/v1"
CODE_PREFIX = "ambient-api-server"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request.

    Args:
        field: JSON pointer into the body (RFC 6901), or the name of the query parameter.
        rule: short name of the broken rule, such as ``max_length``.
        reason: a sentence: what is wrong and what would be right.
    """

    field: str
    rule: str
    reason: str


class AmbientError(Exception):
    """What the API answers instead of a result.

    Args:
        reason: a sentence for the caller: what happened and what to do.
        faults: the single faults, when there are several or they belong to fields.
        headers: response headers that go with the answer.
        details: further members of the error body, by name, such as ``current_version``.
    """

    status: ClassVar[int] = 500
    number: ClassVar[int] = 9
    title: ClassVar[str] = "Unspecified error"

    def __init__(
        self,
        reason: str,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.faults = tuple(faults)
        self.headers = dict(headers or {})
        self.details = dict(details or {})

    def body(self, operation_id: str) -> dict[str, Any]:
        """The error object of the wire, as a JSON-ready mapping."""
        body: dict[str, Any] = {**self.reference(), "reason": self.reason, "operation_id": operation_id}
        body |= self.details
        if self.faults:
            body["errors"] = [{"field": f.field, "rule": f.rule, "reason": f.reason} for f in self.faults]
        return body

    @classmethod
    def reference(cls) -> dict[str, str]:
        """What identifies the kind of error: id, kind, href and code."""
        number = str(cls.number)
        return {
            "id": number,
            "kind": "Error",
            "href": f"{BASE_PATH}/errors/{number}",
            "code": f"{CODE_PREFIX}-{number}",
        }


class Invalid(AmbientError):
    """The body is well formed, but its values break rules (all of them are named)."""

    status, number, title = 400, 8, "Validation failure"

    @classmethod
    def of(cls, faults: Sequence[Fault]) -> "Invalid":
        """Build the error from its faults; the reason repeats the first one, so that a log line is enough."""
        first = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        where = f"{first.field}: " if first.field else ""
        return cls(f"{where}{first.reason}{more}", faults)


class Malformed(AmbientError):
    """The body cannot be read at all."""

    status, number, title = 400, 17, "Malformed request"


class BadQuery(AmbientError):
    """A query parameter breaks its rule."""

    status, number, title = 400, 21, "Bad request"


class Unauthenticated(AmbientError):
    """Nobody known is asking."""

    status, number, title = 401, 15, "Unauthenticated"

    def __init__(self, reason: str, faults: Sequence[Fault] = (), headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason, faults, {"WWW-Authenticate": 'Bearer realm="ambient"', **(headers or {})})


class Forbidden(AmbientError):
    """The caller is known and may not do this."""

    status, number, title = 403, 4, "Forbidden"


class NotFound(AmbientError):
    """There is no such object, or none that the caller may see."""

    status, number, title = 404, 7, "Not found"


class NoRoute(AmbientError):
    """There is no such address."""

    status, number, title = 404, 404, "No such address"


class MethodNotAllowed(AmbientError):
    """The address exists and does not take this method."""

    status, number, title = 405, 405, "Method not allowed"


class NotAcceptable(AmbientError):
    """The caller accepts no format that this address has."""

    status, number, title = 406, 406, "Not acceptable"


class RequestTimeout(AmbientError):
    """The body did not come in time."""

    status, number, title = 408, 408, "Request timeout"


class Conflict(AmbientError):
    """The request is right in itself and clashes with what is stored."""

    status, number, title = 409, 6, "Conflict"


class Gone(AmbientError):
    """What the cursor points at is no longer kept."""

    status, number, title = 410, 410, "Gone"


class PreconditionFailed(AmbientError):
    """``If-Match`` or ``If-None-Match`` does not hold; ``current_version`` says what is stored, if anything is."""

    status, number, title = 412, 412, "Precondition failed"


class TooLarge(AmbientError):
    """The body is larger than the server takes."""

    status, number, title = 413, 413, "Content too large"


class UnsupportedMediaType(AmbientError):
    """The body's format is not one that this address takes."""

    status, number, title = 415, 415, "Unsupported media type"


class Unprocessable(AmbientError):
    """The request contradicts an earlier one (a reused Idempotency-Key)."""

    status, number, title = 422, 422, "Unprocessable content"


class FailedDependency(AmbientError):
    """An operation of a batch is undone, or never begun, because another one of it failed."""

    status, number, title = 424, 424, "Failed dependency"


class PreconditionRequired(AmbientError):
    """This change is refused without ``If-Match``: the caller must say which version it builds on."""

    status, number, title = 428, 428, "Precondition required"


class TooManyRequests(AmbientError):
    """The caller is asked to slow down."""

    status, number, title = 429, 429, "Too many requests"


class Internal(AmbientError):
    """A fault of ours; the details are in the log, under the operation id."""

    status, number, title = 500, 9, "Internal error"


class BadGateway(AmbientError):
    """What stands behind us answered nonsense or refused."""

    status, number, title = 502, 502, "Bad gateway"


class Unavailable(AmbientError):
    """Something we need does not answer now; the same request may succeed later.

    Args:
        reason: what is away.
        retry_after: seconds after which trying again makes sense.
    """

    status, number, title = 503, 503, "Service unavailable"

    def __init__(self, reason: str, retry_after: int = 2) -> None:
        super().__init__(reason, headers={"Retry-After": str(retry_after)})


class GatewayTimeout(AmbientError):
    """What stands behind us did not answer in time.

    Args:
        reason: what took too long.
        retry_after: seconds after which trying again makes sense, if it does.
    """

    status, number, title = 504, 504, "Gateway timeout"

    def __init__(self, reason: str, retry_after: int | None = None) -> None:
        super().__init__(reason, headers={} if retry_after is None else {"Retry-After": str(retry_after)})


class SetupError(Exception):
    """A plugin, a setting or the database is not as this program needs it; the text says what to do."""


CATALOGUE: tuple[type[AmbientError], ...] = (
    Forbidden,
    Conflict,
    NotFound,
    Invalid,
    Internal,
    Unauthenticated,
    Malformed,
    BadQuery,
    NoRoute,
    MethodNotAllowed,
    NotAcceptable,
    RequestTimeout,
    Gone,
    PreconditionFailed,
    TooLarge,
    UnsupportedMediaType,
    Unprocessable,
    FailedDependency,
    PreconditionRequired,
    TooManyRequests,
    BadGateway,
    Unavailable,
    GatewayTimeout,
)
"""Every error class by number, as ``GET /errors`` lists them."""
