"""What goes wrong, and when: drawn from a seed, every kind of fault at least once."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from random import Random

import psycopg

from tests.faults.chaos.clients import PATHS, PROJECT, Objects
from tests.faults.chaos.fleet import Fleet

_TABLES = {kind: path.strip("/") for kind, path in PATHS.items()}


class Faults:
    """A schedule of faults; the same seed draws the same one.

    Args:
        fleet: what is hurt.
        objects: to know which rows are hot.
        seed: of the schedule.
    """

    def __init__(self, fleet: Fleet, objects: Objects, seed: int) -> None:
        self.happened: Counter[str] = Counter()
        self._fleet = fleet
        self._objects = objects
        self._random = Random(seed)
        self._slow: list[threading.Thread] = []
        self._kinds: tuple[Callable[[], None], ...] = (
            self.worker_killed,
            self.worker_killed,
            self.worker_frozen,
            self.connections_cut,
            self.postgres_restarted,
            self.postgres_crashed,
            self.slow_transaction,
            self.slow_transaction,
            self.slow_transaction,
        )

    def run(self, seconds: float, stopping: threading.Event) -> None:
        """Let faults happen for a time, and at least every kind of them once."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for fault in self._random.sample(self._kinds, len(self._kinds)):
                fault()
                self.happened[fault.__name__] += 1
                stopping.wait(self._random.uniform(0.3, 2.0))
        for thread in self._slow:
            thread.join()

    def worker_killed(self) -> None:
        """One API worker ends with -9."""
        self._fleet.kill_worker(self._random.randrange(1000))

    def worker_frozen(self) -> None:
        """One API worker stands still for a while."""
        with self._fleet.frozen(self._random.randrange(1000)):
            threading.Event().wait(self._random.uniform(0.5, 2.5))

    def connections_cut(self) -> None:
        """Every connection of the API to PostgreSQL is terminated."""
        self._fleet.cut_connections()

    def postgres_restarted(self) -> None:
        """PostgreSQL is stopped and started."""
        self._fleet.restart_postgres()

    def postgres_crashed(self) -> None:
        """PostgreSQL ends at once and recovers."""
        self._fleet.crash_postgres()

    def slow_transaction(self) -> None:
        """A transaction holds rows for seconds, and others overtake those who wait for them.

        Who waits for a hot object has its transaction id and has written nothing yet; who waits for the project has made a
        new object in it, change row included, and cannot commit.
        """
        kind = self._random.choice(("Skill", "Session", "Project"))
        table, rows = ("projects", [PROJECT]) if kind == "Project" else (_TABLES[kind], self._objects.hot(kind)[:2])
        seconds = self._random.uniform(0.5, 3.0)
        thread = threading.Thread(target=self._hold, args=(table, rows, seconds))
        thread.start()
        self._slow.append(thread)

    def _hold(self, table: str, rows: list[str], seconds: float) -> None:
        try:
            with self._fleet.operator() as connection, connection.transaction():
                connection.execute("SELECT pg_current_xact_id()")
                connection.execute(f"SELECT id FROM {table} WHERE id = ANY(%s) FOR UPDATE", [rows])
                threading.Event().wait(seconds)
        except psycopg.Error:
            # PostgreSQL was restarted meanwhile: this transaction is over as well.
            return
