"""HTTP/1.1 as a proxy sees it: heads, bodies, chunks."""

from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections.abc import AsyncIterator
from dataclasses import dataclass

import orjson

_REASONS = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 410: "Expired"}
_REASONS |= {422: "Invalid", 429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout"}


@dataclass(slots=True)
class Head:
    """The first line and the headers (names in lower case) of a message, and its bytes as they came."""

    first: list[str]
    headers: dict[str, str]
    raw: bytes

    @property
    def chunked(self) -> bool:
        """Whether a chunked body follows."""
        return "chunked" in self.headers.get("transfer-encoding", "")

    @property
    def length(self) -> int:
        """The length of the body that follows."""
        return int(self.headers.get("content-length") or 0)


async def read_head(reader: StreamReader) -> Head | None:
    """The next message's head; None when the other side has closed."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except IncompleteReadError:
        return None
    first, *lines = raw.decode("latin-1").split("\r\n")
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return Head(first.split(" ", 2), {name.strip().lower(): value.strip() for name, value in pairs}, raw)


async def parts(reader: StreamReader, head: Head) -> AsyncIterator[bytes]:
    """The pieces of a message's body: whole chunks, framing included, or what has come of a known length."""
    if not head.chunked:
        left = head.length
        while left:
            piece = await reader.read(min(left, 65536))
            if not piece:
                raise IncompleteReadError(b"", left)
            left -= len(piece)
            yield piece
        return
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        yield line + await reader.readexactly(size + 2)
        if not size:
            return


def answer(status: int, message: str, retry_after: int | None = None) -> bytes:
    """A whole answer as an API server gives it: a ``Status``."""
    body = orjson.dumps(status_object(status, message, retry_after))
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(body)}", *([f"Retry-After: {retry_after}"] if retry_after is not None else [])]
    return "\r\n".join([*lines, "", ""]).encode() + body


def status_object(status: int, message: str, retry_after: int | None = None) -> dict[str, object]:
    """A failure as an API server tells it."""
    told: dict[str, object] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": _REASONS.get(status, "Unknown"),
        "code": status,
    }
    if retry_after is not None:
        told["details"] = {"retryAfterSeconds": retry_after}
    return told


def last_event(status: int, message: str) -> bytes:
    """The last chunks of a watch: an ERROR event, and the end."""
    line = orjson.dumps({"type": "ERROR", "object": status_object(status, message)}) + b"\n"
    return f"{len(line):x}\r\n".encode() + line + b"\r\n0\r\n\r\n"


def abort(writer: StreamWriter) -> None:
    """Break a connection at once."""
    writer.transport.abort()
