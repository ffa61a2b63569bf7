"""Watchers: each follows every change of some kinds, from the beginning to a last object, whatever breaks in between."""

import json
import threading
from random import Random

import psycopg

from tests.faults.chaos.clients import PATHS, shown
from tests.faults.chaos.history import Entry, Recorder

_COLUMNS = "SELECT xid::text, seq, verb, object::text FROM changes WHERE kind = ANY(%(kinds)s)"
_READ = (
    f"{_COLUMNS} AND (xid, seq) > (%(xid)s::xid8, %(seq)s) AND xid < pg_snapshot_xmin(pg_current_snapshot()) "
    "ORDER BY changes.xid, seq LIMIT 500"
)
_POLL = 0.05


def read_log(connection: "psycopg.Connection[tuple[object, ...]]") -> list[Entry]:
    """The whole log of the watched kinds, in commit order."""
    rows = connection.execute(f"{_COLUMNS} ORDER BY changes.xid, seq", {"kinds": list(PATHS)}).fetchall()
    return [Entry(str(verb), shown(json.loads(str(content)))) for _, _, verb, content in rows]


class Watcher:
    """Reads the log by itself.

    Args:
        name: of the watcher.
        url: of the database.
        recorder: where its events are written down.
        last: marker of the object that ends the watch.
        restless: whether it hangs up all the time.
    """

    def __init__(self, name: str, url: str, recorder: Recorder, last: str, *, restless: bool = False) -> None:
        self.name = name
        self.resumed = 0
        self.finished = threading.Event()
        self._url = url
        self._recorder = recorder
        self._last = last
        self._random = Random(name)
        self._restless = restless
        self._cursor: tuple[object, object] = ("0", -1)

    def run(self) -> None:
        """Follow until the last object was seen, or the watch is given up."""
        while not self.finished.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True, application_name="chaos-watcher") as connection:
                    self._follow(connection)
            except psycopg.Error:
                self.finished.wait(_POLL)
            self.resumed += 1

    def _follow(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        left = self._random.randrange(1, 200) if self._restless else None
        while not self.finished.is_set() and (left is None or left > 0):
            xid, seq = self._cursor
            parameters = {"kinds": list(PATHS), "xid": xid, "seq": seq}
            for xid, seq, verb, content in connection.execute(_READ, parameters).fetchall():
                event = Entry(str(verb), shown(json.loads(str(content)))).event
                self._recorder.saw(self.name, event)
                self._cursor = (xid, seq)
                left = left - 1 if left is not None else None
                if event.shown.marker == self._last:
                    self.finished.set()
                if left == 0:
                    return
            self.finished.wait(_POLL)
