"""One chaos run: clients, watchers and faults over a fleet, until there is a whole history."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.e2e.conftest import wait_for
from tests.faults.chaos.clients import PATHS, PROJECT, Client, Objects
from tests.faults.chaos.faults import Faults
from tests.faults.chaos.fleet import Fleet
from tests.faults.chaos.history import READS, History, Recorder
from tests.faults.chaos.watchers import Watcher, read_log
from tests.faults.chaos.wire import Line

CLIENTS = 32
WATCHERS = 8
RESTLESS = 2
_LAST = "the last one"


@dataclass(slots=True)
class Outcome:
    """What a run gave.

    Args:
        history: for the checker.
        faults: how often each fault happened.
        resumed: how often each watcher began again.
    """

    history: History
    faults: Counter[str] = field(default_factory=Counter)
    resumed: dict[str, int] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """Figures of the run, for the report."""
        attempts = self.history.attempts
        return {
            "attempts": len(attempts),
            "acknowledged writes": sum(a.acknowledged and a.verb not in READS for a in attempts),
            "lost answers": sum(a.status is None for a in attempts),
            "answers that say try again": sum(a.again for a in attempts),
            "stale preconditions": sum(a.status == 412 for a in attempts),
            "changes": len(self.history.log),
            "events": sum(map(len, self.history.events.values())),
            "resumed watches": sum(self.resumed.values()),
            **self.faults,
        }


class Run:
    """The clients and watchers of one run.

    Args:
        fleet: what they talk to.
    """

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.recorder = Recorder()
        self.objects = Objects()
        self.stopping = threading.Event()
        self.clients = [self._client(number) for number in range(CLIENTS)]
        self.watchers = [self._watcher(number) for number in range(WATCHERS)]

    def chaos(self, seconds: float, seed: int) -> Outcome:
        """Mixed load under faults for a time."""
        faults = Faults(self.fleet, self.objects, seed)
        with self.watched():
            working = [_started(client.run) for client in self.clients]
            faults.run(seconds, self.stopping)
            self.stopping.set()
            for thread in working:
                thread.join()
        return Outcome(self.recorder.history, faults.happened, {w.name: w.resumed for w in self.watchers})

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch what the block does; at its end the history is whole."""
        watching = [_started(watcher.run) for watcher in self.watchers]
        for watcher in self.watchers:
            assert watcher.begun.wait(60), f"{watcher.name} did not begin"
        yield
        self._write_the_last_object()
        for watcher in self.watchers:
            # One that missed its end is told to stop, and the checker says what it missed.
            watcher.finished.wait(60)
            watcher.finished.set()
        for thread in watching:
            thread.join()
        self._read_the_end()

    def _write_the_last_object(self) -> None:
        """The end of the log for every watcher."""
        line = Line(self.fleet.ports, self.fleet.token)
        body = {"project_id": PROJECT, "name": "last", "description": _LAST}
        key = {"Idempotency-Key": "last"}
        wait_for(lambda: (reply := line.send("POST", "/skills", body, key)) and reply.status == 201, "the last write")
        line.drop()

    def _read_the_end(self) -> None:
        """What the log and the tables say when all is over."""
        history = self.recorder.history
        with self.fleet.operator() as connection:
            history.log = read_log(connection)
            for kind, path in PATHS.items():
                rows = connection.execute(f"SELECT id, version FROM {path.strip('/')}").fetchall()
                history.present |= {(kind, str(identifier)): int(str(version)) for identifier, version in rows}

    def _client(self, number: int) -> Client:
        line = Line(self._ports(number), self.fleet.token)
        return Client(number, line, self.recorder, self.objects, self.stopping)

    def _watcher(self, number: int) -> Watcher:
        name = f"watcher {number}"
        self.recorder.history.events[name] = []
        ports = self._ports(number)
        return Watcher(name, ports, self.fleet.token, self.recorder, _LAST, restless=number < RESTLESS)

    def _ports(self, number: int) -> tuple[int, ...]:
        turn = number % len(self.fleet.ports)
        return self.fleet.ports[turn:] + self.fleet.ports[:turn]


def _started(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
