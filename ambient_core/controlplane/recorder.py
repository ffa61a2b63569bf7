"""Keeps what the control plane knows of each object where people can ask for it: in the database, through the API."""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

from ambient_sdk import AmbientClient, AmbientError

log = logging.getLogger(__name__)
PATH = "/api/ambient/v1/controlplane/states"
PAUSE = 1.0
_BATCH = 200
_LONGEST = 2000


class Recorder:
    """Gathers news of objects and sends them together, at most once a second; what has not changed is not sent.

    Args:
        client: the API, as the leader.
        deposed: called when the API says that another leads.
    """

    def __init__(self, client: AmbientClient, refused: Callable[[AmbientError], None]) -> None:
        self._client = client
        self._refused = refused
        self._lock = threading.Lock()
        # Kept of every object, for as long as it lives: so no more than tells news from what is known, and text.
        self._sent: dict[tuple[str, str], bytes] = {}
        self._news: dict[tuple[str, str], dict[str, Any] | None] = {}
        self._seen: dict[tuple[str, str], bytes] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more."""
        self._stopping.set()
        self._thread.join()

    def saw(self, kind: str, key: str, seen: Mapping[str, Any] | None) -> None:
        """What a reconciler saw of an object; ``None`` when it is deleted and nothing of it is left."""
        with self._lock:
            if seen is None:
                self._seen.pop((kind, key), None)
                self._news[kind, key] = None
            else:
                self._seen[kind, key] = json.dumps(seen).encode()

    def looked(self, kind: str, key: str, *, waiting_for: str, tries: int, error: str, next_in: float | None) -> None:
        """How a look at an object ended.

        Args:
            waiting_for: what is waited for.
            tries: in a row that did not come through.
            error: the last one.
            next_in: seconds until the next look.
        """
        with self._lock:
            seen = self._seen.get((kind, key))
            if (kind, key) in self._news and self._news[kind, key] is None and next_in is None:
                return
            state = {
                "kind": kind,
                "id": key,
                "waiting_for": _clean(waiting_for),
                "attempts": tries,
                "last_error": _clean(error),
                "next_in": next_in,
                "seen": json.loads(seen) if seen is not None else None,
            }
            self._news[kind, key] = {name: value for name, value in state.items() if value not in (None, "")}

    def _run(self) -> None:
        while not self._stopping.wait(PAUSE):
            try:
                while self._send():
                    pass
            except AmbientError as fault:
                log.warning("what is known of objects could not be kept: %s", fault)
                self._refused(fault)
            except Exception:
                log.exception("what is known of objects could not be kept")

    def _send(self) -> bool:
        """Send one batch; answers whether there may be more."""
        with self._lock:
            batch = dict(list(self._news.items())[:_BATCH])
        changed = {key: state for key, state in batch.items() if state is None or _mark(state) != self._sent.get(key)}
        if changed:
            states = [state for state in changed.values() if state is not None]
            gone = [{"kind": kind, "id": key} for (kind, key), state in changed.items() if state is None]
            self._client.transport.send("POST", PATH, body={"states": states, "gone": gone})
        with self._lock:
            for key, state in batch.items():
                if state is None:
                    self._sent.pop(key, None)
                elif key in changed:
                    self._sent[key] = _mark(state)
                if self._news.get(key) is state:
                    del self._news[key]
            return len(batch) == _BATCH


def _mark(state: Mapping[str, Any]) -> bytes:
    """The same for states in which nothing differs but the time of the next look."""
    text = json.dumps({**state, "next_in": 0}, sort_keys=True)
    return blake2b(text.encode(), digest_size=16).digest()


def _clean(text: str) -> str:
    return text.replace("\0", "")[:_LONGEST]
