"""What an answer of the API server means for us, in one table. Pure.

======  ===========================  ======================================================================
status  the server says              we say
======  ===========================  ======================================================================
401     anything                     Unauthorized, an outage: our token is not taken (it was read anew before)
403     the namespace is ending      NamespaceTerminating
403     exceeded quota               QuotaExceeded
403     anything else                Forbidden: a right is missing, or admission refuses
404                                  `NotThere`
409     AlreadyExists                `AlreadyThere`
409     anything else                `Moved`: somebody wrote meanwhile, or the uid is another
410                                  `Expired`: list again
422                                  Invalid, in the server's words
429     Retry-After                  TooManyRequests; after as long as the server asks
5xx     Retry-After, if any          ServerError, an outage
======  ===========================  ======================================================================

No answer at all (refused, reset, timed out) is Unreachable, an outage.
"""

from collections.abc import Mapping
from typing import Any

from ambient_sessions.runtimes import Waiting

_LONGEST_WORDS = 1000
# An attempt at a start takes up to five requests; what is stuck sends less than one a second.
SHORTEST_PAUSE = 5.0


class NotThere(Waiting):
    """There is no such object, or no such resource."""


class AlreadyThere(Waiting):
    """An object of that name exists."""


class Moved(Waiting):
    """The object is not what it was when it was read."""


class Expired(Waiting):
    """The version to go on from is too old."""


def fault_of(status: int, body: Mapping[str, Any], retry_after: str | None = None) -> Waiting:
    """What a refusal means.

    Args:
        status: of HTTP.
        body: the server's ``Status`` object, or nothing.
        retry_after: that header, if there was one.
    """
    words = str(body.get("message") or body.get("reason") or f"the server answered {status}")[:_LONGEST_WORDS]
    pause = _seconds(retry_after)
    if status == 403:
        return _refusal(body, words)
    if status == 409:
        return (
            AlreadyThere("AlreadyExists", words) if body.get("reason") == "AlreadyExists" else Moved("Conflict", words)
        )
    if status >= 500:
        return Waiting("ServerError", words, after=pause, outage=True)
    return {
        401: Waiting("Unauthorized", words, after=10.0, outage=True),
        404: NotThere("NotFound", words),
        410: Expired("Expired", words, after=0.0),
        422: Waiting("Invalid", words, after=60.0),
        429: Waiting("TooManyRequests", words, after=pause, outage=True),
    }.get(status, Waiting("Refused", words, after=30.0))


def _refusal(body: Mapping[str, Any], words: str) -> Waiting:
    causes = {cause.get("reason") for cause in (body.get("details") or {}).get("causes") or []}
    if "NamespaceTerminating" in causes or "because it is being terminated" in words:
        return Waiting("NamespaceTerminating", words, after=5.0)
    reason = reason_of(words, "Forbidden")
    return Waiting(reason, words, after=30.0 if reason == "Forbidden" else 15.0)


def reason_of(words: str, otherwise: str) -> str:
    """Why something was refused, by the server's words, whoever passes them on.

    Args:
        otherwise: the reason when it was no quota.
    """
    return "QuotaExceeded" if "exceeded quota" in words else otherwise


def _seconds(text: str | None) -> float:
    try:
        return min(max(float(text or ""), SHORTEST_PAUSE), 300.0)
    except ValueError:
        return SHORTEST_PAUSE
