"""One run: two control planes, a database, a runtime, users and misfortune, all from one seed."""

import random
from collections.abc import Callable

from ambient_sessions.conditions import REACHABLE, READY, find
from ambient_sessions.lifecycle import TERMINAL, started, stopped
from ambient_sessions.reconcile import SessionReconciler

from ambient_core import Conflict

from .database import Database, Row, Violation
from .planes import Lock, Plane
from .world import World

CHAOS = 120.0
CALM = 600.0
_OF_THE_RUNNER = ("RunnerExit", "Completed", "NodeLost", "RunnerStopped", "RunnerLost")


class Simulation:
    """A seed's run.

    Args:
        seed: everything follows from it.
        mistake: changes a reconciler for the worse.
        fenced: whether the API refuses old leaders.
        careful: whether it checks anything.
    """

    def __init__(
        self,
        seed: int,
        mistake: Callable[[SessionReconciler], None] = lambda _: None,
        *,
        fenced: bool = True,
        careful: bool = True,
    ) -> None:
        self.dice = random.Random(seed)
        self.history: list[str] = []
        self.database = Database(fenced, careful)
        self.world = World(self.database, self.dice)
        lock = Lock()
        self.planes = [
            Plane(name, self.database, self.world, lock, self.dice, mistake, self.history) for name in ("one", "two")
        ]
        self.database.watchers.append(self.follow)
        for plane in self.planes:
            self.world.listeners.append(plane.hears)
        self.wishes: dict[str, str] = {}
        self.keys = ["a", "b"]
        for key in self.keys:
            self.create(key)

    def create(self, key: str) -> None:
        self.database.create(
            key,
            pending_message_id="m" if self.dice.random() < 0.6 else None,
            stop_on_run_finished=self.dice.random() < 0.4,
            timeout=self.dice.choice((None, None, 15)),
            inactivity_timeout=self.dice.choice((None, None, 10)),
        )

    def run(self) -> None:
        """Chaos, then calm; the promises hold all the time, and at the end everything is as it should be.

        Raises:
            Violation: they do not.
        """
        while self.database.now < CHAOS:
            self.chaos()
        self.calm_down()
        end = self.database.now + CALM
        while faults := self.unsettled():
            if self.database.now > end:
                raise Violation(f"not settled after {CALM:g} quiet seconds: {faults}")
            while any(plane.step() for plane in self.planes):
                pass
            self.advance(1.0)

    def chaos(self) -> None:
        roll = self.dice.random()
        if roll < 0.6:
            plane = self.dice.choice(self.planes)
            for _ in range(self.dice.randrange(1, 9)):
                plane.step()
        elif roll < 0.86:
            self.advance(self.dice.choice((0.1, 0.5, 1.0, 2.0)))
        elif roll < 0.95:
            self.user()
        else:
            self.misfortune()

    def advance(self, seconds: float) -> None:
        self.database.now += seconds
        for plane in self.planes:
            plane.passes()
        self.world.goes_on(seconds)
        if self.dice.random() < 0.1 * seconds:
            self.world.quota = False
            self.away(False)

    def away(self, away: bool) -> None:
        if away is not self.world.away:
            self.world.away = away
            self.history.append(f"{self.database.now:7.1f} the runtime is {'away' if away else 'back'}")

    def user(self) -> None:
        number = self.dice.randrange(len(self.keys))
        key = self.keys[number]
        row = self.database.rows.get(key)
        act = self.dice.choices(("start", "stop", "message", "delete"), (6, 3, 3, 1))[0]
        self.history.append(f"{self.database.now:7.1f} a user: {act} {key}")
        if row is None:
            self.keys[number] = key = f"{key}x"
            self.create(key)
            return
        if act == "delete":
            self.database.delete(key)
            self.wishes.pop(key, None)
        elif act == "message":
            self.database.write(key, {"pending_message_id": f"m{self.database.now}"})
        else:
            self.ask(act, key, row)

    def ask(self, act: str, key: str, row: Row) -> None:
        try:
            now = self.database.time()
            self.database.write(key, started(row, now) if act == "start" else stopped(row, now, "a user"))
        except Conflict:
            return
        self.wishes[key] = act

    def misfortune(self) -> None:
        plane = self.dice.choice(self.planes)
        fate = self.dice.choice(("kill", "stop", "cut", "outage", "quota"))
        if fate == "kill":
            plane.dies()
        elif fate == "stop":
            self.history.append(f"{self.database.now:7.1f} {plane.name} is stopped")
            plane.stopped_until = self.database.now + self.dice.uniform(1, 15)
        elif fate == "cut":
            plane.step_down()
        elif fate == "outage":
            self.away(True)
        else:
            self.world.quota = True

    def calm_down(self) -> None:
        self.history.append(f"{self.database.now:7.1f} calm")
        self.world.away = self.world.quota = False
        self.world.calm = True
        for plane in self.planes:
            plane.stopped_until = 0.0

    def follow(self, row: Row, before: str | None) -> None:
        """Every change of a phase: the end of a start is told once, and is true."""
        key, phase = row["id"], row["phase"]
        reason = (find(row, READY) or {}).get("reason")
        self.history.append(f"{self.database.now:7.1f} {key} start {row['starts']}: {before} -> {phase} ({reason})")
        if before in TERMINAL and phase != "Pending":
            raise Violation(f"{key} left {before} by itself")
        if phase not in TERMINAL or reason == "StopTimedOut":
            return
        thing = self.world.things.get(key)
        if thing is not None and thing.alive and thing.starts == row["starts"] and not thing.stray:
            raise Violation(f"{key} is {phase} ({reason}) while its runner runs: {thing}")
        if reason in _OF_THE_RUNNER and (key, row["starts"]) not in self.world.ends:
            raise Violation(
                f"start {row['starts']} of {key} is {phase} ({reason}), and nothing like that happened to it"
            )

    def unsettled(self) -> list[str]:
        """What is not yet as it should be."""
        found = [
            f"{key} is deleted, and {t} is left"
            for key, t in self.world.things.items()
            if key not in self.database.rows
        ]
        for key, row in self.database.rows.items():
            thing, phase = self.world.things.get(key), row["phase"]
            if phase == "Running":
                found += self._of_a_running_one(row)
            elif phase is not None and phase not in TERMINAL:
                found.append(f"{key} is still {phase}")
            elif thing is not None and thing.alive:
                found.append(f"{key} is {phase}, and {thing} runs")
            if self.wishes.get(key) == "stop" and phase not in TERMINAL:
                found.append(f"{key} was to stop and is {phase}")
            if phase in TERMINAL and not (find(row, READY) or {}).get("message"):
                found.append(f"{key} is {phase} without a word")
        return found

    def _of_a_running_one(self, row: Row) -> list[str]:
        key = row["id"]
        thing = self.world.things.get(key)
        if thing is None or not thing.alive or thing.starts != row["starts"]:
            return [f"{key} is Running, and there is {thing}"]
        found = []
        if thing.token not in self.database.tokens.get(key, ()):
            raise Violation(f"the runner of {key} has a token that is dead")
        if self.database.endpoints.get(key, {}).get("starts") != row["starts"]:
            found.append(f"{key} is Running, and nobody knows where")
        if row["pending_message_id"] and row["run_state"] != "active":
            found.append(f"{key} has a message that nobody answers")
        if (find(row, REACHABLE) or {}).get("status") == "False":
            found.append(f"{key} is said to be out of reach")
        return found
