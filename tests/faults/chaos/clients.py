"""Clients of mixed load: what they do is drawn from a seed, what they do to the same objects is meant to collide."""

import secrets
import threading
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

from tests.faults.chaos.history import Attempt, Recorder, Shown
from tests.faults.chaos.wire import Line, Reply

PROJECT = "chaos"
PATHS = {"Skill": "/skills", "Session": "/sessions", "Task": "/tasks"}
MARKERS = {"Skill": "description", "Session": "prompt", "Task": "name"}
"""The field of each kind that holds the text which only one write carries."""
_PAUSE = 0.05
_HOT = 6


def shown(body: dict[str, Any]) -> Shown:
    """An object of an answer or of the log, as the history keeps it."""
    return Shown(body["kind"], body["id"], body["version"], body.get(MARKERS[body["kind"]]))


def note(attempt: Attempt, reply: Reply | None) -> None:
    """Write an answer down; one that did not come leaves no trace."""
    if reply is None:
        return
    attempt.status = reply.status
    attempt.again = "retry-after" in reply.headers
    attempt.tag = reply.tag
    if attempt.acknowledged and reply.body is not None:
        items = reply.body["items"] if attempt.verb == "list" else [reply.body]
        attempt.shown = tuple(shown(item) for item in items)


class Objects:
    """The objects that clients know of, and which of them are hot: most writes go to few."""

    def __init__(self) -> None:
        self._hot: dict[str, deque[str]] = {kind: deque(maxlen=_HOT) for kind in PATHS}
        self._all: dict[str, list[str]] = {kind: [] for kind in PATHS}
        self._lock = threading.Lock()

    def add(self, kind: str, object_id: str) -> None:
        """An object was made."""
        with self._lock:
            self._all[kind].append(object_id)
            if len(self._hot[kind]) < _HOT or len(self._all[kind]) % 20 == 0:
                self._hot[kind].append(object_id)

    def pick(self, kind: str, random: Random) -> str | None:
        """One of them, a hot one most of the time."""
        with self._lock:
            known = self._hot[kind] if random.random() < 0.7 else self._all[kind]
            return random.choice(known) if known else None

    def hot(self, kind: str) -> list[str]:
        """The hot ones."""
        with self._lock:
            return list(self._hot[kind])


class Client:
    """One client; it never sends what it cannot account for.

    Args:
        number: of the client.
        line: to the replicas.
        recorder: where everything is written down.
        objects: what all clients know of.
        stopping: when to stop.
    """

    def __init__(
        self, number: int, line: Line, recorder: Recorder, objects: Objects, stopping: threading.Event
    ) -> None:
        self.number = number
        self.random = Random(number)
        self._line = line
        self._recorder = recorder
        self._objects = objects
        self._stopping = stopping

    def run(self) -> None:
        """Work until told to stop."""
        acts: tuple[tuple[Callable[[str], object], int], ...] = (
            (self.create, 6),
            (self.patch, 6),
            (self.read_then_patch, 6),
            (self.delete, 1),
            (self.get, 3),
            (self.list, 1),
            (self.start_or_stop, 2),
            (self.run_task, 1),
        )
        functions, weights = zip(*acts, strict=True)
        while not self._stopping.is_set():
            act = self.random.choices(functions, weights)[0]
            act(self.random.choice(("Skill", "Session")))
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._line.drop()

    def create(self, kind: str) -> Shown | None:
        """Make an object, under one key until there is an answer."""
        marker = self._marker()
        return self._post(Attempt(self.number, "create", kind, marker=marker), PATHS[kind], _body(kind, marker))

    def patch(self, kind: str, object_id: str | None = None, if_match: int | None = None) -> Attempt | None:
        """Change an object, once, whatever is answered."""
        target = object_id or self._objects.pick(kind, self.random)
        if target is None:
            return None
        marker = self._marker()
        headers = {"If-Match": f'"{if_match}"'} if if_match is not None else {}
        attempt = Attempt(self.number, "patch", kind, target=target, marker=marker, if_match=if_match)
        return self._send(attempt, "PATCH", f"{PATHS[kind]}/{target}", {MARKERS[kind]: marker}, headers)

    def read_then_patch(self, kind: str) -> None:
        """Change an object as it was read, or not at all."""
        read = self.get(kind)
        if read is not None and read.acknowledged:
            self.patch(kind, read.shown[0].object_id, read.tag)

    def delete(self, kind: str) -> Attempt | None:
        """Delete an object."""
        target = self._objects.pick(kind, self.random)
        if target is None:
            return None
        return self._send(Attempt(self.number, "delete", kind, target=target), "DELETE", f"{PATHS[kind]}/{target}")

    def get(self, kind: str, object_id: str | None = None) -> Attempt | None:
        """Read an object."""
        target = object_id or self._objects.pick(kind, self.random)
        if target is None:
            return None
        return self._send(Attempt(self.number, "get", kind, target=target), "GET", f"{PATHS[kind]}/{target}")

    def list(self, kind: str) -> Attempt:
        """Read a page of objects."""
        path = f"{PATHS[kind]}?size=20&orderBy=updated_at%20desc"
        return self._send(Attempt(self.number, "list", kind), "GET", path)

    def start_or_stop(self, _kind: str) -> None:
        """An action on a session: allowed in some phases, refused in others."""
        target = self._objects.pick("Session", self.random)
        if target is not None:
            verb = self.random.choice(("start", "stop"))
            self._post(Attempt(self.number, verb, "Session", target=target), f"/sessions/{target}/{verb}", None)

    def run_task(self, _kind: str) -> None:
        """A task and its run: an action that makes an object of another kind."""
        name, prompt = self._marker(), self._marker()
        task = {"project_id": PROJECT, "name": name, "prompt": prompt}
        made = self._post(Attempt(self.number, "create", "Task", marker=name), "/tasks", task)
        if made is not None:
            attempt = Attempt(self.number, "run", "Session", target=made.object_id, marker=prompt)
            self._post(attempt, f"/tasks/{made.object_id}/run", None)

    def _post(self, first: Attempt, path: str, body: Any) -> Shown | None:
        first.key = secrets.token_hex(12)
        while True:
            attempt = Attempt(self.number, first.verb, first.kind, first.target, first.key, first.marker)
            self._send(attempt, "POST", path, body, {"Idempotency-Key": first.key})
            if not attempt.lost or self._stopping.is_set():
                break
        if not attempt.acknowledged:
            return None
        made = attempt.shown[0]
        if attempt.verb in ("create", "run"):
            self._objects.add(made.kind, made.object_id)
        return made

    def _send(
        self, attempt: Attempt, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Attempt:
        with self._recorder.attempt(attempt):
            note(attempt, self._line.send(method, path, body, headers))
        if attempt.lost:
            # Give a server that is away a moment; it would refuse thousands of times otherwise.
            self._stopping.wait(_PAUSE)
        return attempt

    def hang_up(self, kind: str) -> Attempt:
        """Make an object and do not wait for the answer; gives the attempt, whose key may be tried again."""
        marker = self._marker()
        attempt = Attempt(self.number, "create", kind, key=secrets.token_hex(12), marker=marker)
        with self._recorder.attempt(attempt):
            self._line.leave("POST", PATHS[kind], _body(kind, marker), {"Idempotency-Key": str(attempt.key)})
        return attempt

    def retry(self, first: Attempt) -> Attempt:
        """Send a create again, with its key."""
        again = Attempt(self.number, "create", first.kind, key=first.key, marker=first.marker)
        headers = {"Idempotency-Key": str(first.key)}
        return self._send(again, "POST", PATHS[first.kind], _body(first.kind, str(first.marker)), headers)

    def _marker(self) -> str:
        return f"m{self.number}-{self.random.getrandbits(32):08x}-{secrets.token_hex(4)}"


def _body(kind: str, marker: str) -> dict[str, str]:
    return {"project_id": PROJECT, "name": marker, MARKERS[kind]: marker}
