"""Read a request's JSON strictly: what PostgreSQL or another reader could not carry never gets past here."""

import json
from typing import Any, NoReturn

import orjson
from flask import Request

from ambient_core.errors import Fault, Malformed, TooLarge, UnsupportedMediaType

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
DEEPEST = 200
"""Levels of a body; what writes JSON takes a few more."""


def raw_body(request: Request, *types: str) -> bytes:
    """The bytes of a request's body; empty when there is none.

    Args:
        types: what it may be declared as, when it is not empty.

    Raises:
        UnsupportedMediaType: the body is declared as something else.
        TooLarge: it has more bytes than the settings allow.
    """
    raw = request.get_data()
    limit = request.max_content_length
    if request.content_length is None and limit is not None and len(raw) >= limit:
        # A chunked body says no length, and Werkzeug silently stops reading at the limit.
        raise TooLarge(f"The body is larger than {limit} bytes; send less.")
    taken = {"Accept-Patch": ", ".join(types)} if request.method == "PATCH" else {}
    if raw and request.mimetype not in types:
        # A patch may say that it is a merge, and hears so.
        wanted = " or ".join(types if request.method == "PATCH" else types[:1])
        got = f"it came as {request.mimetype[:100]!r}" if request.mimetype else "it came without one"
        reason = f"Send the body as Content-Type: {wanted}; {got}."
        raise UnsupportedMediaType(reason, headers=taken)
    if raw and request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the body without Content-Encoding.", headers=taken)
    return raw


def json_body(request: Request, *, optional: bool = False) -> Any:
    """The parsed body of a request (RFC 8259, and I-JSON's rule of unique names, RFC 7493).

    Args:
        optional: whether an absent body is an empty object.

    Raises:
        UnsupportedMediaType: the body is declared as something else.
        Malformed: it is no JSON, or JSON that systems read differently.
        TooLarge: it has more bytes than the settings allow.
    """
    raw = raw_body(request, JSON, MERGE_PATCH)
    return {} if optional and not raw else parse(raw)


def parse(raw: bytes) -> Any:
    """Parse JSON text.

    Raises:
        Malformed: no JSON; a name twice in an object; NaN, an infinite number, a lone surrogate, NUL, or too deep.
    """
    if not raw:
        raise Malformed("The body is empty; send a JSON object.")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as fault:
        raise Malformed(
            f"The body is no valid JSON: {fault.msg} (line {fault.lineno}, column {fault.colno})."
        ) from None
    # Every name brings a colon, and none that two slashes follow: with no more of those than names that were kept, none can
    # stand twice.
    names, colons = _names(body), raw.count(b":")
    if names < colons and names < colons - raw.count(b"://"):
        _refuse_duplicates(raw)
    # One character is found at a tenth of what six cost, and most bodies have none.
    if b"\\" in raw and b"\\u0000" in raw:
        _refuse_nul(body, "")
    return body


def _names(value: Any) -> int:
    """How many names the objects of a parsed text have together.

    Raises:
        Malformed: they are nested too deep.
    """
    found, level = 0, [value]
    for _ in range(DEEPEST + 1):
        below: list[Any] = []
        for item in level:
            if type(item) is dict:
                found += len(item)
                below.extend(item.values())
            elif type(item) is list:
                below.extend(item)
        if not below:
            return found
        level = below
    raise Malformed(f"The body is nested too deep; {DEEPEST} levels are the most.")


def _refuse_duplicates(raw: bytes) -> None:
    def pairs(items: list[tuple[str, Any]]) -> None:
        if len(items) > 1 and len({name for name, _ in items}) < len(items):
            names = [name for name, _ in items]
            twice = next(name for name in names if names.count(name) > 1)
            raise Malformed(f"The name {twice[:100]!r} stands twice in one object; give it once.")

    try:
        json.loads(raw, object_pairs_hook=pairs)
    except ValueError:
        raise Malformed("The body is no valid JSON in UTF-8.") from None


def _refuse_nul(value: Any, pointer: str) -> None:
    if isinstance(value, str) and "\0" in value:
        _nul(pointer)
    if isinstance(value, dict):
        for name, item in value.items():
            _refuse_nul(name, pointer)
            _refuse_nul(item, f"{pointer}/{name}")
    if isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_nul(item, f"{pointer}/{index}")


def _nul(pointer: str) -> NoReturn:
    fault = Fault(pointer, "nul", "must not hold the character U+0000.")
    raise Malformed(f"{pointer or 'the body'}: {fault.reason}", [fault])
