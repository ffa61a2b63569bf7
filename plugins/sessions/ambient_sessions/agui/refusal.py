"""What a runner says instead of a stream: whose fault it is, and what is wrong."""

from collections.abc import Iterator
from typing import Any

import httpx
import orjson

from ambient_core import AmbientError, Fault, Invalid
from ambient_core.errors import BadGateway

_LONGEST = 64 * 1024
_MOST = 20


def refusal_of(response: httpx.Response) -> AmbientError:
    """The error for an answer that is no event stream; of an input that the runner does not take, with its faults."""
    status = response.status_code
    if status in (400, 422) and (faults := list(_faults(_read(response)))):
        return Invalid.of(faults[:_MOST])
    return BadGateway(f"The session's runner answered with status {status} and no event stream.")


def _read(response: httpx.Response) -> Any:
    raw = b""
    try:
        for chunk in response.iter_bytes():
            raw += chunk
            if len(raw) > _LONGEST:
                return None
        return orjson.loads(raw)
    except (httpx.HTTPError, orjson.JSONDecodeError):
        return None


def _faults(body: Any) -> Iterator[Fault]:
    """As our runner names them, ``errors: [{field, reason}]``, and as FastAPI does, ``detail: [{loc, msg}]``."""
    given = body if isinstance(body, dict) else {}
    for entry in _entries(given.get("errors")):
        if isinstance(entry.get("field"), str) and isinstance(entry.get("reason"), str):
            yield Fault(entry["field"][:200], "runner", entry["reason"][:300])
    for entry in _entries(given.get("detail")):
        if isinstance(entry.get("loc"), list) and isinstance(entry.get("msg"), str):
            steps = entry["loc"][1:] if entry["loc"][:1] == ["body"] else entry["loc"]
            yield Fault("".join(f"/{step}" for step in steps)[:200], "runner", entry["msg"][:300])


def _entries(given: Any) -> Iterator[dict[str, Any]]:
    yield from (entry for entry in (given if isinstance(given, list) else []) if isinstance(entry, dict))
