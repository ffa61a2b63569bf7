"""Web pages of other origins (CORS): each is named exactly, or a browser lets none in. Pure.

A page may call with a bearer token, which the browser never adds by itself; cookies are neither taken nor allowed.
"""

import re

from ambient_core.errors import SetupError

_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
_METHODS = "GET, POST, PATCH, DELETE"
_TAKEN = (
    "Authorization, Content-Type, Accept, If-Match, If-None-Match, Idempotency-Key, Last-Event-ID, X-Ambient-Project, "
    "X-Operation-ID, traceparent"
)
_SHOWN = "ETag, Location, Link, Retry-After, RateLimit, RateLimit-Policy, WWW-Authenticate, X-Operation-ID"
_KEPT = "600"


def origins_of(text: str) -> frozenset[str]:
    """The origins of the setting ``cors_origins``.

    Raises:
        SetupError: one is no origin, or stands for many.
    """
    found = frozenset(part.strip() for part in text.split(",") if part.strip())
    for origin in sorted(found):
        if "*" in origin:
            raise SetupError(
                f"cors_origins holds {origin!r}: any page could call with its visitor's token; name each origin, such as "
                "https://app.example.com."
            )
        if not _ORIGIN.fullmatch(origin):
            raise SetupError(
                f"cors_origins holds {origin!r}; an origin is a scheme and a host in small letters, and a port unless it is the usual "
                "one, such as https://app.example.com, without a slash at its end."
            )
    return found


class Cors:
    """Which pages may call.

    Args:
        origins: of the pages.
    """

    def __init__(self, origins: frozenset[str]) -> None:
        self._origins = origins

    def preflight(self, origin: str) -> dict[str, str]:
        """The headers that answer a browser's question whether a page may send a request; none for a page that may not."""
        if origin not in self._origins:
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": _TAKEN,
            "Access-Control-Max-Age": _KEPT,
        }

    def answer(self, origin: str) -> dict[str, str]:
        """The headers that let a page of an origin read an answer; none for a page that may not."""
        if origin not in self._origins:
            return {}
        return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": _SHOWN}
