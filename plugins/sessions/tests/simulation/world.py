"""A small world in which runners start, work, crash and refuse to end; and what one control plane sees of it, late."""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ambient_sessions.runtimes import Happening, LaunchOrder, LogsWanted, Observed, Target, Waiting

from .database import Database, Violation

STALE = 3.0
_NEXT = {"preparing": "starting", "starting": "ready"}


@dataclass(frozen=True)
class Thing:
    """What there is of one session.

    Args:
        starts: which start it belongs to.
        stage: as the runtime says.
        token: that its runner got.
        grace: seconds that it takes to end when it is asked to.
        deaf: whether it ends only when it is forced; 2 for one that does not end then either, for long.
        asked: when it was asked to end.
        forced: when it was forced to.
        code: of its exit.
        reason: of its end.
        stray: whether one who led no more launched it, stopped between the last check and the request; nothing can keep
            such a request from the runtime, so all that is promised is that the next leader ends what came of it.
    """

    starts: int
    stage: str
    token: str
    uid: str
    grace: float
    deaf: int
    asked: float | None = None
    forced: float | None = None
    code: int | None = None
    reason: str = ""
    stray: bool = False

    @property
    def alive(self) -> bool:
        return self.stage not in ("exited", "lost")

    def observed(self) -> Observed:
        stage: Any = "stopping" if self.asked is not None and self.alive else self.stage
        endpoint = {"host": "127.0.0.1", "port": self.starts, "token": "t"} if stage == "ready" else None
        identity = {"kube_cr_uid": self.uid}
        return Observed(
            self.starts, self.alive, stage, self.reason or stage, stage, self.code, endpoint=endpoint, identity=identity
        )


@dataclass
class World:
    """Where sessions run.

    Args:
        database: tells the time.
        dice: of the seed.
    """

    database: Database
    dice: random.Random
    things: dict[str, Thing] = field(default_factory=dict)
    ends: dict[tuple[str, int], tuple[str, int | None]] = field(default_factory=dict)
    away: bool = False
    quota: bool = False
    calm: bool = False
    count: int = 0
    listeners: list[Callable[[str], None]] = field(default_factory=list)

    def change(self, key: str, thing: Thing | None) -> None:
        if self.things.get(key) == thing:
            return
        if thing is None:
            self.things.pop(key, None)
        else:
            self.things[key] = thing
            if not thing.alive:
                self.ends[key, thing.starts] = (thing.reason, thing.code)
        for listener in self.listeners:
            listener(key)

    def launch(self, key: str, starts: int, token: str, known: Observed, *, stray: bool) -> None:
        thing = self.things.get(key)
        if thing is not None and thing.alive:
            if thing.starts == starts:
                return
            if known.alive:
                raise Violation(f"start {starts} of {key} was launched beside {thing}, which was seen as {known}")
            raise Waiting("EarlierStart", "something of another start runs", after=1.0)
        if thing is not None and thing.starts > starts:
            raise Waiting("Superseded", "a later start was asked for", after=5.0)
        self.count += 1
        deaf = self.dice.choices((0, 1, 2), (8, 2, 1))[0]
        made = Thing(starts, "preparing", token, str(self.count), self.dice.uniform(0, 8), deaf, stray=stray)
        self.change(key, made)

    def goes_on(self, seconds: float) -> None:
        """Time passes: runners come up, end, crash; runs finish."""
        for key, thing in list(self.things.items()):
            if thing.alive:
                self._goes_on(key, thing, seconds)
        for key, row in list(self.database.rows.items()):
            if row["run_state"] == "active" and self._happens(0.3, seconds):
                state = self.dice.choice(("finished", "finished", "error", "cancelled"))
                self.database.write(key, {"run_state": state, "run_changed_at": self.database.time()})

    def _goes_on(self, key: str, thing: Thing, seconds: float) -> None:
        now = self.database.now
        if thing.forced is not None and (thing.deaf < 2 or now - thing.forced > 40):
            self.change(key, replace(thing, stage="exited", code=137, reason="Stopped"))
        elif thing.asked is not None and not thing.deaf and now - thing.asked > thing.grace:
            self.change(key, replace(thing, stage="exited", code=0, reason="Stopped"))
        elif thing.asked is None and thing.stage in _NEXT and self._happens(0.5, seconds):
            self.change(key, replace(thing, stage=_NEXT[thing.stage]))
        elif not self.calm and self._happens(0.03, seconds):
            stage, code, reason = self.dice.choice(
                (("exited", 0, "Completed"), ("exited", 1, "RunnerExit"), ("lost", None, "NodeLost"))
            )
            self.change(key, replace(thing, stage=stage, code=code, reason=reason))
        elif not self.calm and self._happens(0.005, seconds):
            # Somebody deletes it by hand.
            self.ends[key, thing.starts] = ("Deleted", None)
            self.change(key, None)

    def _happens(self, rate: float, seconds: float) -> bool:
        return self.dice.random() < 1 - (1 - rate) ** seconds


class View:
    """The runtime as one control plane has it: its own requests are seen at once, other changes up to `STALE` seconds late."""

    name = "simulated"

    def __init__(self, world: World, fence: int, pause: Callable[[str], None]) -> None:
        self.world = world
        self.fence = fence
        self.pause = pause
        self.seen: dict[str, tuple[float, Thing | None]] = {key: (0.0, t) for key, t in world.things.items()}
        self.since = world.database.now
        self.known: dict[str, Observed] = {}
        self.requests: dict[str, list[float]] = {}

    def start(self, wake: Callable[[str], None]) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def observe(self, target: Target) -> Observed:
        self.pause(f"observe {target.session_id}")
        self.known[target.session_id] = found = self._observe(target.session_id)
        return found

    def _observe(self, key: str) -> Observed:
        world = self.world
        if world.away and world.dice.random() < 0.7:
            return Observed(stage="unknown", reason="Unreachable", message="nobody answers")
        at, thing = self.seen.get(key, (self.since, None))
        if world.database.now - at > STALE or world.dice.random() < 0.5:
            thing = self._fresh(key)
        return Observed() if thing is None else thing.observed()

    def _fresh(self, key: str) -> Thing | None:
        thing = self.world.things.get(key)
        self.seen[key] = self.world.database.now, thing
        return thing

    def _ask(self, what: str, key: str) -> None:
        self.pause(f"{what} {key}")
        now, asked = self.world.database.now, self.requests.setdefault(key, [])
        asked.append(now)
        if len([at for at in asked[-30:] if now - at < 10.0]) > 25:
            raise Violation(f"{key} was asked for {what} in a hot loop")
        if self.world.away:
            raise Waiting("Unreachable", "connection refused", after=2.0, outage=True)

    def launch(self, order: LaunchOrder) -> None:
        key = order.session["id"]
        self._ask("launch", key)
        if self.world.quota:
            raise Waiting("QuotaExceeded", "exceeded quota: pods", after=3.0)
        stray = self.fence != self.world.database.fence
        self.world.launch(key, order.session["starts"], order.token, self.known[key], stray=stray)
        self._answered("launched", key)

    def terminate(self, target: Target, *, force: bool = False) -> None:
        key = target.session_id
        self._ask("terminate", key)
        thing, now = self.world.things.get(key), self.world.database.now
        if thing is not None and thing.alive:
            asked = thing.asked if thing.asked is not None else now
            forced = (thing.forced if thing.forced is not None else now) if force else thing.forced
            self.world.change(key, replace(thing, asked=asked, forced=forced))
        self._answered("terminated", key)

    def clean(self, target: Target) -> None:
        key = target.session_id
        self._ask("clean", key)
        thing = self.world.things.get(key)
        if thing is not None and thing.alive:
            raise Waiting("StillRunning", "something of it runs", after=1.0)
        self.world.change(key, None)
        self._answered("cleaned", key)

    def _answered(self, what: str, key: str) -> None:
        if self.world.dice.random() < 0.03 and not self.world.calm:
            raise Waiting("TimedOut", "the answer was lost", after=1.0, outage=True)
        self._fresh(key)
        self.pause(f"{what} {key}")

    def sessions(self) -> Iterable[Target]:
        self.pause("sessions")
        if self.world.away:
            raise Waiting("Unreachable", "connection refused", after=2.0, outage=True)
        return [Target(key, "p") for key in self.world.things]

    def logs(self, target: Target, wanted: LogsWanted) -> Iterator[bytes]:
        return iter(())

    def happenings(self, target: Target) -> Sequence[Happening]:
        return ()
