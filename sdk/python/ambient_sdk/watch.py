"""Watches: the server's changes as an iterator that goes on after every break, from where it was."""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

import httpx

from ambient_sdk.errors import ApiError, BadAnswer, ConnectionFailed, Gone, error_of
from ambient_sdk.transport import Transport

T = TypeVar("T")
PATIENCE = 300.0
_SILENCE = 45.0
"""Seconds without a word after which a stream is dead: the server says something every 15."""
_BROKEN = frozenset({429, 500, 502, 503, 504})
_LONGEST_FRAME = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Event(Generic[T]):
    """What a watch tells.

    Attributes:
        type: ``ADDED``, ``MODIFIED`` or ``DELETED``; ``BOOKMARK`` where bookmarks were asked for; ``RESET`` when changes were
            lost and the present objects follow: forget what you know.
        object: the object as it is after the change, or was before it went; ``None`` where there is none.
        kind: of the object.
        id: of the object.
        version: of the object after the change.
        cursor: where to go on; ``None`` for objects that were there first.
        facts: the rest: ``verb``, ``actor``, ``at``, ``project_id``.
    """

    type: str
    object: T | None = None
    kind: str = ""
    id: str = ""
    version: int = 0
    cursor: str | None = None
    facts: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """Where a watch begins.

    Attributes:
        since: the cursor to go on after; from now on without.
        initial: whether the present objects come first.
        bookmarks: whether bookmarks are told; `Watch.cursor` moves with them either way.
    """

    since: str | None = None
    initial: bool = False
    bookmarks: bool = False


class Watch(Generic[T]):
    """An endless iterator of events; ends when it is closed, or with an error that repeating cannot cure.

    Each change comes once and in order, however often the connection breaks. When the server no longer keeps what came after
    the cursor (410), the watch says ``RESET`` and begins anew with the present objects.

    Args:
        transport: where requests go.
        path: what is watched.
        query: its parameters.
        read: makes the object of an event.
        start: where it begins.

    Attributes:
        cursor: where another watch could go on; ``None`` until the server has said it.

    Example::

        with client.sessions.watch(search="phase = 'Failed'", initial=True) as watch:
            for event in watch:
                print(event.type, event.object)
    """

    def __init__(
        self,
        transport: Transport,
        path: str,
        query: Mapping[str, Any],
        read: Callable[[Any], T],
        start: Start,
    ) -> None:
        self._transport = transport
        self._path = path
        self._query = {key: value for key, value in query.items() if value is not None}
        self._read = read
        self._initial = start.initial
        self._bookmarks = start.bookmarks
        self._told = False
        self._failures = 0
        self._waited = 0.0
        self._closed = False
        self.cursor = start.since
        self._events = self._follow()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event[T]:
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the watch."""
        self._closed = True
        self._events.close()

    def _follow(self) -> "Generator[Event[T], None, None]":
        while not self._closed:
            try:
                yield from self._connected()
                self._pause(None)
            except (httpx.TransportError, httpx.StreamError) as fault:
                self._pause(fault)
            except Gone:
                if self.cursor is None or not self._may_begin_anew():
                    raise
                self.cursor, self._initial, self._told = None, True, False
                yield Event("RESET")
            except ApiError as fault:
                if fault.status not in _BROKEN:
                    raise
                self._pause(fault, fault.headers.get("Retry-After"))
            if self.cursor is None and self._told and self._initial:
                # The present objects came in part: the next ones are the whole again.
                self._told = False
                yield Event("RESET")

    def _may_begin_anew(self) -> bool:
        return not {"actor", "verb"} & set(self._query)

    def _connected(self) -> "Iterator[Event[T]]":
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        query = dict(self._query)
        if self.cursor is not None:
            headers["Last-Event-ID"] = self.cursor
        elif self._initial:
            query["initial"] = "true"
        timeout = httpx.Timeout(10.0, read=_SILENCE)
        with self._transport.stream("GET", self._path, params=query, headers=headers, timeout=timeout) as response:
            if not response.is_success:
                response.read()
                raise error_of(response)
            if not response.headers.get("Content-Type", "").startswith("text/event-stream"):
                raise BadAnswer(f"GET {self._path}: the server answered a watch with no event stream.")
            for name, data in frames(response.iter_bytes()):
                self._failures, self._waited = 0, 0.0
                event = self._event(name, data)
                if event is not None:
                    self._told = True
                    yield event

    def _event(self, name: str, data: str) -> Event[T] | None:
        try:
            body = json.loads(data)
            kind = str(body["type"])
        except (ValueError, KeyError, TypeError) as fault:
            raise BadAnswer(
                f"GET {self._path}: the server sent an event that is none ({name or 'no name'})."
            ) from fault
        if kind == "ERROR":
            raise error_of(httpx.Response(int(body.get("status", 500)), json=body.get("object")))
        self.cursor = body.get("cursor") or self.cursor
        if kind == "BOOKMARK":
            return Event("BOOKMARK", cursor=self.cursor) if self._bookmarks else None
        content = body.get("object")
        return Event(
            kind,
            self._read(content) if content is not None else None,
            str(body.get("kind", "")),
            str(body.get("object_id", "")),
            int(body.get("version", 0)),
            body.get("cursor"),
            {name: body[name] for name in ("verb", "actor", "at", "project_id") if name in body},
        )

    def _pause(self, fault: Exception | None, retry_after: str | None = None) -> None:
        """Wait before the next try, longer each time; what heals is waited for, up to a limit."""
        self._failures += 1
        pause = self._transport.pause(min(self._failures, 6), retry_after)
        if self._waited > PATIENCE:
            reason = f"{type(fault).__name__}: {fault}" if fault is not None else "the stream ended again and again"
            raise ConnectionFailed(f"GET {self._path}: {reason}") from fault
        self._waited += pause
        self._transport.sleep(pause)


def frames(chunks: Iterator[bytes]) -> Iterator[tuple[str, str]]:
    """(event, data) of each server-sent event, from bytes in whatever pieces they come; comments are left out.

    Lines end with a line feed alone here: text in the data may hold other characters that some call line ends.

    Raises:
        BadAnswer: an event is larger than any that the server sends.
    """
    rest, name, data = b"", "", b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) + len(data) > _LONGEST_FRAME:
            raise BadAnswer("The server sent an event without an end.")
        for line in (one.removesuffix(b"\r") for one in lines):
            if line:
                field, _, value = line.partition(b":")
                value = value.removeprefix(b" ")
                name = value.decode(errors="replace") if field == b"event" else name
                data += value if field == b"data" else b""
            else:
                if data:
                    yield name, data.decode(errors="replace")
                name, data = "", b""
