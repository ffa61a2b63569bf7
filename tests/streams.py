"""Reads a stream of the API in a thread, as a client would."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.e2e.conftest import wait_for


class Stream:
    """The events of one watch, as they come.

    Args:
        call: sends the request.
        path: below the base path.
    """

    def __init__(self, call: Any, path: str, **headers: str) -> None:
        sent = {"Accept": "text/event-stream", **{name.replace("_", "-"): value for name, value in headers.items()}}
        self.response = call("GET", path, headers=sent, buffered=False)
        self.events: list[dict[str, Any]] = []
        self.comments = 0
        self.over = threading.Event()
        self._leaving = False
        if self.response.status_code == 200:
            threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        rest = b""
        for chunk in self.response.response:
            if self._leaving:
                break
            *frames, rest = (rest + chunk).split(b"\n\n")
            for frame in frames:
                self._take(frame.decode())
        self.response.close()
        self.over.set()

    def _take(self, frame: str) -> None:
        fields = dict(line.split(": ", 1) for line in frame.split("\n") if not line.startswith(":"))
        if not fields:
            self.comments += 1
            return
        event = json.loads(fields["data"])
        assert event["type"] == fields["event"]
        assert event.get("cursor") == fields.get("id")
        self.events.append(event)

    def until(self, count: int, *types: str) -> list[dict[str, Any]]:
        """Wait for so many events of these types (any but bookmarks without)."""
        return wait_for(lambda: found if len(found := self.of(*types)) >= count else None, f"{count} events")

    def of(self, *types: str) -> list[dict[str, Any]]:
        """The events so far."""
        return [e for e in self.events if (e["type"] in types if types else e["type"] != "BOOKMARK")]

    @property
    def cursor(self) -> str:
        """The cursor of the first bookmark, once it is there."""
        self.until(1, "BOOKMARK")
        return str(next(e["cursor"] for e in self.events if e["type"] == "BOOKMARK"))

    def leave(self) -> None:
        """Close the stream when it next says something."""
        self._leaving = True


@contextmanager
def watching(call: Any, path: str, **headers: str) -> Iterator[Stream]:
    """A watch that has begun: it has said from where on it watches."""
    stream = Stream(call, path, **headers)
    assert stream.response.status_code == 200, stream.response.data
    assert stream.cursor
    try:
        yield stream
    finally:
        stream.leave()


def told(events: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    """(type, object id, version) of each event."""
    return [(e["type"], e["object_id"], e["version"]) for e in events]
