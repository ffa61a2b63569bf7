"""Watchers: each follows every change of some kinds over HTTP, to a last object, whatever breaks in between."""

import http.client
import json
import threading
from collections.abc import Iterator
from random import Random
from typing import Any

import psycopg

from tests.faults.chaos.clients import PATHS, shown
from tests.faults.chaos.history import Entry, Event, Recorder
from tests.faults.chaos.wire import BASE

_SILENCE = 20.0
"""A stream says something every 15 seconds; one that does not is dead."""
_PAUSE = 0.05
_LOG = "SELECT verb, object::text FROM changes WHERE kind = ANY(%s) ORDER BY xid, seq"
_WATCH = f"{BASE}/changes?kinds={','.join(PATHS)}"


def read_log(connection: "psycopg.Connection[tuple[object, ...]]") -> list[Entry]:
    """The whole log of the watched kinds, in commit order."""
    rows = connection.execute(_LOG, [list(PATHS)]).fetchall()
    return [Entry(str(verb), shown(json.loads(str(content)))) for verb, content in rows]


class Refused(Exception):
    """The server ended the watch, or did not begin it."""


class Watcher:
    """One watcher; what it saw and where it goes on is all that survives a broken stream.

    Args:
        name: of the watcher.
        ports: of the replicas; each stream goes to the next one.
        token: the caller's.
        recorder: where its events are written down.
        last: marker of the object that ends the watch.
        restless: whether it hangs up all the time.
    """

    def __init__(
        self, name: str, ports: tuple[int, ...], token: str, recorder: Recorder, last: str, *, restless: bool = False
    ) -> None:
        self.name = name
        self.resumed = -1
        self.begun = threading.Event()
        self.finished = threading.Event()
        self._ports = ports
        self._token = token
        self._recorder = recorder
        self._last = last
        self._random = Random(name)
        self._restless = restless
        self._cursor: str | None = None

    def run(self) -> None:
        """Follow until the last object was seen, or the watch is given up."""
        while not self.finished.is_set():
            self.resumed += 1
            try:
                self._follow()
            except (OSError, http.client.HTTPException, Refused):
                self.finished.wait(_PAUSE)

    def _follow(self) -> None:
        left = self._random.randrange(1, 200) if self._restless else -1
        port = self._ports[self.resumed % len(self._ports)]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SILENCE)
        try:
            for cursor, data in _events(self._opened(connection)):
                if data["type"] != "BOOKMARK":
                    self._saw(Event(data["type"], shown(data["object"])))
                    left -= 1
                self._cursor = cursor
                self.begun.set()
                if left == 0 or self.finished.is_set():
                    return
        finally:
            connection.close()

    def _opened(self, connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "text/event-stream"}
        if self._cursor is not None:
            headers["Last-Event-ID"] = self._cursor
        connection.request("GET", _WATCH, headers=headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise Refused(answer.status)
        return answer

    def _saw(self, event: Event) -> None:
        self._recorder.saw(self.name, event)
        if event.shown.marker == self._last:
            self.finished.set()


def _events(stream: http.client.HTTPResponse) -> Iterator[tuple[str, dict[str, Any]]]:
    """Cursor and data of each event that came whole."""
    fields: dict[bytes, bytes] = {}
    while line := stream.readline():
        name, _, value = line.rstrip(b"\n").partition(b": ")
        if name:
            fields[name] = value
            continue
        if fields.get(b"event") == b"ERROR":
            raise Refused(fields[b"data"])
        if b"data" in fields:
            yield fields[b"id"].decode(), json.loads(fields[b"data"])
        fields = {}
