"""What is there of one resource, kept up by list and watch. A watch fills the store and wakes; it decides nothing."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import orjson

from ambient_sessions.cluster.client import Cluster, Object, Scope
from ambient_sessions.cluster.faults import Expired
from ambient_sessions.cluster.resources import KubeResource
from ambient_sessions.runtimes import Waiting

log = logging.getLogger(__name__)
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
QUICK = 1.0
FIRST_LIST = 20.0
"""Seconds that a first list may take: whoever goes on without it decides on nothing, and looks at everything twice."""
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """One object, and when it was last heard of.

    Thousands are kept, and are read one at a time: as text an object takes a fifth of what it takes as dictionaries.

    Args:
        text: JSON of the object as the server gave it, without what nobody here reads of it (`slim`).
        at: seconds on the monotonic clock.
        key: namespace and name.
        uid: of the object.
        version: its resource version.
        group: what it is found by, beside its name.
    """

    text: bytes
    at: float
    key: Key
    uid: str
    version: int
    group: str

    @property
    def object(self) -> Object:
        """The object; a copy of its own."""
        found: Object = orjson.loads(self.text)
        return found


class Informer:
    """Follows one resource, from a thread of its own.

    Args:
        cluster: to ask.
        resource: what to follow.
        scope: which of its objects.
        changed: called with every object that came, changed or went since somebody could look at it.
        group: what objects are found by, beside their name.
        met: called with each object that a list brings, before the list is whole.
    """

    def __init__(
        self,
        cluster: Cluster,
        resource: KubeResource,
        scope: Scope,
        changed: Callable[[Seen], None],
        group: Callable[[Object], str] = lambda _object: "",
        met: Callable[[Object], None] = lambda _object: None,
    ) -> None:
        self._cluster = cluster
        self._resource = resource
        self._scope = scope
        self._changed = changed
        self._group = group
        self._met = met
        self._groups: dict[str, set[Key]] = {}
        self._lock = threading.Lock()
        self._objects: dict[Key, Seen] = {}
        self._stopping = threading.Event()
        self._version = ""
        self._tried = threading.Event()
        self._doubted = False
        self._trouble: Waiting | None = Waiting(
            "NotListed", f"{resource.plural} were not listed yet", after=1.0, outage=True
        )

    def start(self) -> None:
        """Begin to follow."""
        name = f"informer-{self._resource.plural}-{self._scope.namespace or 'all'}"
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def stop(self) -> None:
        """End; a watch that is open ends by itself, unread."""
        self._stopping.set()
        # Nobody need wait any longer for the first list.
        self._tried.set()

    def trouble(self, patience: float = FIRST_LIST) -> Waiting | None:
        """Why the store says nothing now; ``None`` when it can be trusted.

        Args:
            patience: seconds that the first list may take; it is waited for once.
        """
        self._tried.wait(patience)
        with self._lock:
            # Whoever is told so decides without the store, and must look again when it can be trusted.
            self._doubted = self._doubted or self._trouble is not None
            return self._trouble

    def check(self) -> None:
        """Refuse to go on when the store cannot be trusted.

        Raises:
            Waiting: why.
        """
        if (trouble := self.trouble()) is not None:
            raise trouble

    def find(self, namespace: str, name: str) -> Seen | None:
        """One object, as it was heard of last."""
        with self._lock:
            return self._objects.get((namespace, name))

    def all(self) -> list[Object]:
        """Every object."""
        with self._lock:
            kept = list(self._objects.values())
        return [seen.object for seen in kept]

    def of(self, group: str) -> list[Object]:
        """The objects of one group."""
        with self._lock:
            kept = [self._objects[key] for key in self._groups.get(group, ())]
        return [seen.object for seen in kept]

    def put(self, found: Object) -> None:
        """Take in what the server said elsewhere, such as the answer to a write, unless something newer is known."""
        self._put(self._seen(found))

    def _put(self, seen: Seen) -> None:
        with self._lock:
            known = self._objects.get(seen.key)
            if known is None or seen.version >= known.version:
                self._keep(seen)

    def drop(self, namespace: str, name: str, uid: str | None = None) -> None:
        """Forget an object that the server said is not there; with ``uid`` only if it is that one."""
        with self._lock:
            known = self._objects.get((namespace, name))
            if known is not None and uid in (None, known.uid):
                self._lose((namespace, name))

    def _seen(self, found: Object) -> Seen:
        # A copy: what orjson gives keeps the whole of its buffer, three times as much.
        text, place = bytes(memoryview(orjson.dumps(slim(found)))), _key(found)
        return Seen(text, time.monotonic(), place, _uid(found), _version(found), self._group(found))

    def _listed(self, found: Object) -> Seen:
        self._met(found)
        return self._seen(found)

    def _keep(self, seen: Seen) -> None:
        self._lose(seen.key)
        self._objects[seen.key] = seen
        self._groups.setdefault(seen.group, set()).add(seen.key)

    def _lose(self, key: Key) -> None:
        known = self._objects.pop(key, None)
        if known is None:
            return
        self._groups[known.group].discard(key)
        if not self._groups[known.group]:
            del self._groups[known.group]

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            begun = time.monotonic()
            try:
                if not self._version:
                    self._relist()
                self._follow()
            except Expired:
                self._version = ""
            except Waiting as fault:
                self._stumbled(fault)
            except Exception as fault:
                log.exception("following %s failed and is tried again", self._resource.plural)
                self._stumbled(Waiting("ServerError", f"{type(fault).__name__}: {fault}", outage=True))
            # What ends at once is not well, whatever it says; each further time is waited for longer.
            failures = 0 if time.monotonic() - begun > QUICK and self._trouble is None else failures + 1
            if failures:
                self._stopping.wait(self._pause(failures))

    def _pause(self, failures: int) -> float:
        pause = min(FIRST_PAUSE * 2.0 ** min(failures - 1, 16), LONGEST_PAUSE) * random.uniform(0.5, 1.0)  # noqa: S311
        asked = self._trouble.after if self._trouble is not None and self._trouble.reason == "TooManyRequests" else 0.0
        return max(pause, asked)

    def _stumbled(self, fault: Waiting) -> None:
        self._trouble = fault
        self._tried.set()
        log.warning("%s cannot be followed: %s", self._resource.plural, fault)

    def _relist(self) -> None:
        listed, version = self._cluster.list(self._resource, self._scope, self._listed)
        with self._lock:
            before, self._objects, self._groups = self._objects, {}, {}
            for seen in listed:
                self._keep(seen)
            gone = [seen for key, seen in before.items() if key not in self._objects]
            first = not self._tried.is_set()
            # Nobody has looked at anything before the first list, unless it was waited for in vain: then all of it is news.
            known = {} if self._doubted else self._objects if first else before
            self._version, self._trouble, self._doubted = version, None, False
        self._tried.set()
        for seen in (*news(listed, known), *gone):
            self._changed(seen)

    def _follow(self) -> None:
        events = self._cluster.watch(self._resource, self._scope, self._version)
        self._trouble = None
        for kind, found in events:
            if self._stopping.is_set():
                return
            self._version = found["metadata"]["resourceVersion"]
            if kind == "BOOKMARK":
                continue
            seen = self._seen(found)
            if kind == "DELETED":
                self.drop(*seen.key, seen.uid)
            else:
                self._put(seen)
            self._changed(seen)


def news(listed: Iterable[Seen], known: Mapping[Key, Seen]) -> list[Seen]:
    """What a list has that is not as it is known already."""
    return [seen for seen in listed if (before := known.get(seen.key)) is None or before.text != seen.text]


def _key(found: Object) -> Key:
    return found["metadata"].get("namespace", ""), found["metadata"]["name"]


def _uid(found: Object) -> str:
    return str(found["metadata"].get("uid", ""))


def _version(found: Object) -> int:
    text = str(found["metadata"].get("resourceVersion", ""))
    return int(text) if text.isdigit() else 0


def slim(found: Object) -> Object:
    """What is read of a followed object: who it is, how it is, and whether it is suspended.

    The rest of a specification is most of an object.
    """
    metadata = {name: value for name, value in found["metadata"].items() if name != "managedFields"}
    spec = {name: value for name, value in (found.get("spec") or {}).items() if name == "suspend"}
    return {"metadata": metadata, "spec": spec, "status": found.get("status") or {}}
