"""What a verb gives back."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

_NONE: Mapping[str, str] = MappingProxyType({})


class Answer(NamedTuple):
    """What a verb gives back: JSON bytes as they go out.

    Args:
        body: JSON text in UTF-8; empty for 204.
        status: HTTP status.
        version: the object's version, which becomes its ETag.
        headers: further response headers.
    """

    body: bytes
    status: int = 200
    version: int | None = None
    headers: Mapping[str, str] = _NONE
