"""A control plane that can be stopped, killed and cut off between any two of its requests: the real reconciler and queue."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from ambient_sdk import AmbientError
from ambient_sessions.plan import Limits
from ambient_sessions.reconcile import SessionReconciler
from greenlet import GreenletExit, getcurrent, greenlet

from ambient_core import Again
from ambient_core.controlplane.queue import KeyedQueue
from ambient_core.controlplane.reconciler import Context, Deposed, NotNow, is_deposed

from .database import Database, Sessions, Transport
from .world import View, World

LEASE = 5.0
LIMITS = Limits(start=20, waiting=60, stop=10, force=10, missing=5)
RESYNC = 30.0
AT_ONCE = 2
_SETTINGS = SimpleNamespace(api_url="http://api", gateway_url="http://gateway")
_HOOKS = SimpleNamespace(ambient_session_inputs=lambda **_: (), ambient_session_variables=lambda **_: ())


@dataclass
class Lock:
    """The advisory lock of the database."""

    holder: "Plane | None" = None


class Term:
    """One time of leadership: what `ambient_core.controlplane.term` is in the real one."""

    def __init__(self, plane: "Plane", fence: int) -> None:
        self.plane = plane
        self.fence = fence
        self.queue = KeyedQueue(lambda: plane.database.now, plane.dice.random)
        self.over = False
        self.looked = float("-inf")
        sessions = Sessions(plane.database, fence, plane.pause)
        client: Any = SimpleNamespace(sessions=sessions, transport=Transport(sessions))
        self.reconciler = SessionReconciler()
        context = Context(client, _SETTINGS, _HOOKS, self.queue.add, plane.database.time, self.check)  # type: ignore[arg-type]
        self.reconciler.begin(context, View(plane.world, fence, plane.pause), LIMITS)
        plane.mistake(self.reconciler)

    def check(self) -> None:
        if self.over or self.plane.term is not self or not self.plane.believes():
            raise Deposed("another leads by now")

    def look_at_all(self) -> None:
        try:
            for key, again in iter(self.reconciler.keys()):
                self.queue.add(key, again.after)
        except Exception as fault:
            self.plane.expected(fault)
            self.looked = self.plane.database.now - RESYNC + 2.0

    def look_at(self, key: str) -> None:
        try:
            again: Again | None = self.reconciler.reconcile(key)
        except Exception as fault:
            self.plane.expected(fault)
            self.queue.failed(key, str(fault))
            if is_deposed(fault):
                self.plane.step_down()
        else:
            self.queue.done(key, again.after if again else None, stuck=bool(again and again.stuck))


@dataclass
class Plane:
    """A process that competes for the lock, and works while it holds it."""

    name: str
    database: Database
    world: World
    lock: Lock
    dice: random.Random
    mistake: Callable[[SessionReconciler], None]
    history: list[str]
    term: Term | None = None
    until: float = 0.0
    stopped_until: float = 0.0
    read: int = 0
    mail: list[tuple[float, str]] = field(default_factory=list)
    looks: list[tuple[greenlet, str]] = field(default_factory=list)

    def believes(self) -> bool:
        return self.database.now < self.until

    def pause(self, what: str) -> None:
        """Let everybody else go on; whatever happens meanwhile, this look goes on from here, or never."""
        self.history.append(f"{self.database.now:7.1f} {self.name} {what}")
        parent = getcurrent().parent
        if parent is not None:
            parent.switch()

    def expected(self, fault: Exception) -> None:
        """Let pass what may happen."""
        from ambient_sessions.runtimes import Waiting

        if not isinstance(fault, AmbientError | Waiting | Deposed | NotNow):
            raise fault

    def passes(self) -> None:
        """The lease: the server hears of a process that runs, and frees the lock of one that it has not heard of."""
        now = self.database.now
        if now >= self.stopped_until and self.lock.holder is self and self.term is not None:
            self.until = now + LEASE
        elif self.lock.holder is self and now >= self.until:
            self.lock.holder = None

    def step_down(self) -> None:
        if self.term is not None:
            self.history.append(f"{self.database.now:7.1f} {self.name} steps down")
            self.term.over = True
        self.term = None
        self.until = 0.0
        if self.lock.holder is self:
            self.lock.holder = None

    def dies(self) -> None:
        self.history.append(f"{self.database.now:7.1f} {self.name} is killed")
        for look, _ in self.looks:
            look.throw(GreenletExit)
        self.looks.clear()
        self.step_down()
        self.stopped_until = self.database.now + self.dice.uniform(0, 4)

    def step(self) -> bool:
        """Do one small thing; answers whether there was one."""
        if self.database.now < self.stopped_until:
            return False
        if self.term is None or not self.believes():
            if self.looks and self.dice.random() < 0.5:
                return self._resume()
            return self._compete()
        self._take_news(self.term)
        if self.looks and (len(self.looks) >= AT_ONCE or self.dice.random() < 0.7):
            return self._resume()
        return self._begin(self.term) or (bool(self.looks) and self._resume())

    def _compete(self) -> bool:
        if self.term is not None:
            self.step_down()
        if self.lock.holder is not None:
            return False
        self.lock.holder, self.until = self, self.database.now + LEASE
        self.database.fence += 1
        self.history.append(f"{self.database.now:7.1f} {self.name} leads as {self.database.fence}")
        self.term = Term(self, self.database.fence)
        self.read, self.mail = len(self.database.changes), []
        return True

    def _resume(self) -> bool:
        number = self.dice.randrange(len(self.looks))
        look, _ = self.looks[number]
        look.switch()
        if look.dead:
            del self.looks[number]
        return True

    def _begin(self, term: Term) -> bool:
        if self.database.now - term.looked > RESYNC:
            term.looked = self.database.now
            self._spawn(term.look_at_all, "")
            return True
        if (key := term.queue.take(0)) is None:
            return False
        self._spawn(lambda: term.look_at(key), key)
        return True

    def _spawn(self, work: Callable[[], None], key: str) -> None:
        look = greenlet(work)
        self.looks.append((look, key))
        look.switch()
        if look.dead:
            self.looks.remove((look, key))

    def hears(self, key: str) -> None:
        """News: in time, late, twice or never."""
        for _ in range(self.dice.choices((0, 1, 2), (1, 8, 1))[0] if not self.world.calm else 1):
            self.mail.append((self.database.now + self.dice.choice((0, 0, 0.5, 4)), key))

    def _take_news(self, term: Term) -> None:
        while self.read < len(self.database.changes):
            self.hears(self.database.changes[self.read])
            self.read += 1
        due = [entry for entry in self.mail if entry[0] <= self.database.now]
        if due:
            self.mail = [entry for entry in self.mail if entry[0] > self.database.now]
            self.dice.shuffle(due)
            for _, key in due:
                term.queue.add(key)
