"""The change log as server-sent events: what a watch asks for, and the stream that answers it.

The room has all that HTTP shows of the log: a watch, the list of changes, the versions of an object, the past of a kind.
"""

import logging
import time
from collections.abc import Callable, Generator, Iterator

import orjson
from flask import Response, request

from ambient_core import changes, metrics
from ambient_core.changes import Position
from ambient_core.changes.frames import Frame
from ambient_core.changes.present import Initial
from ambient_core.changes.visibility import View
from ambient_core.changes.watchers import Hub, Watcher
from ambient_core.errors import AmbientError, BadQuery, Internal, Unavailable
from ambient_core.identity import Principal
from ambient_core.ids import new_id
from ambient_core.rest import credential
from ambient_core.rest.credential import UNCONFIRMED, Credential, abort_of
from ambient_core.rest.operation import Operation, current
from ambient_core.rest.parameters import one
from ambient_core.search.paging import truth

log = logging.getLogger(__name__)
EVENT_STREAM = "text/event-stream"
HEARTBEAT = 10.0
BOOKMARK = 30.0
_PAUSE = 1.0
_HEARTBEAT = b": heartbeat\n\n"

ViewOf = Callable[[Principal], View]


def wanted() -> bool:
    """Whether the request asks for a stream rather than a document."""
    best = request.accept_mimetypes.best_match(["application/json", EVENT_STREAM])
    return best == EVENT_STREAM


def flag(name: str) -> bool:
    """A query parameter that is true or false; false when it is not there.

    Raises:
        BadQuery: it is neither.
    """
    return truth(name, one(name), default=False)


def stream(view_of: ViewOf, initial: "Callable[[View], Initial] | None" = None) -> Response:
    """Answer with a stream of what the caller sees of the log.

    Args:
        view_of: what a principal may see by now; asked again while the stream lasts.
        initial: gives the present objects, when they shall come first.

    Raises:
        AmbientError: the caller may not watch, the cursor is no good, or there are too many watches.
    """
    operation = current()
    view = view_of(operation.principal)
    after = _start(operation, anew=initial is not None)
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    if request.method == "HEAD":
        # Nobody would read what comes, nor say that it is over.
        return Response(iter(()), mimetype=EVENT_STREAM, headers=headers)
    hub = operation.runtime.hub
    session = Session(hub, view, Credential(), view_of, Watcher(abort_of(request.environ)))
    operation.release()
    told = session.open(after, initial if after is None else None)
    return Response(Frames(session, told), mimetype=EVENT_STREAM, headers=headers)


def _start(operation: Operation, *, anew: bool) -> Position | None:
    # A browser's EventSource repeats its address and adds the header: the header is the newer word.
    header, query = request.headers.get("Last-Event-ID"), one("after")
    if header:
        return changes.position_of(operation.transaction.raw, header, "Last-Event-ID")
    if query is not None and anew:
        raise BadQuery("initial=true begins anew and 'after' goes on; give one of them.")
    return changes.position_of(operation.transaction.raw, query, "after") if query is not None else None


class Session:
    """One stream: what was sent, what comes next, and whether its reader may still hear it.

    Args:
        hub: everybody who watches in this process.
        view: what the caller sees at the start.
        credential: asks who the caller is.
        view_of: says what the caller sees.
        watcher: where the changes come in.
    """

    def __init__(self, hub: Hub, view: View, credential: Credential, view_of: ViewOf, watcher: Watcher) -> None:
        self._hub = hub
        self._view = view
        self._credential = credential
        self._view_of = view_of
        self.watcher = watcher
        self._sent = changes.START
        self._included: frozenset[int] = frozenset()
        self._initial: Initial | None = None
        self._checked = self._confirmed = self._spoke = self._marked = time.monotonic()

    def open(self, after: Position | None, initial: "Callable[[View], Initial] | None") -> Iterator[bytes]:
        """Count the stream in; answers what it says.

        Args:
            after: where to go on; at the end of the log when ``None``.
            initial: gives the present objects, when they come first.

        Raises:
            Unavailable: the database does not answer.
            TooManyRequests: there are too many watches.
        """
        self._hub.admit(self.watcher)
        try:
            live = self._hub.join(self.watcher, self._view)
            if after is not None:
                self._sent = after
            else:
                self._initial = initial(self._view) if initial is not None else None
                now = self._initial.now if self._initial is not None else self._hub.now()
                self._sent, self._included = now.position, now.included
        except BaseException:
            self.close()
            raise
        return self._told(live)

    def close(self) -> None:
        """Count the stream out."""
        self._hub.leave(self.watcher, self._view)
        self._hub.dismiss(self.watcher)
        if self._initial is not None:
            self._initial.close()

    def _told(self, live: Position) -> Iterator[bytes]:
        yield b": connected\n\n"
        try:
            if self._initial is not None:
                yield from self._initial
            yield self._bookmark()
            while True:
                yield from self._caught_up(live)
                live = yield from self._live()
        except AmbientError as reason:
            yield _ended(reason)
        except Exception:
            log.exception("a watch failed")
            yield _ended(Internal("Something went wrong on our side; resume with Last-Event-ID."))

    def _caught_up(self, live: Position) -> Iterator[bytes]:
        """What the log holds between what was sent and what the watcher hears of."""
        while self._sent < live:
            try:
                frames, batch = self._hub.earlier(self._view, self._sent, live)
            except Unavailable:
                time.sleep(_PAUSE)
                yield _HEARTBEAT
            else:
                yield from self._shown(frames)
                self._sent = batch.position if batch.more else live
                yield from self._signs()
            live = self._renewed() or live

    def _live(self) -> Generator[bytes, None, Position]:
        """What comes, until the caller sees something else than before; answers from where on it is heard of."""
        while True:
            now = time.monotonic()
            wait = min(self._checked + credential.RECHECK, self._spoke + HEARTBEAT, self._marked + BOOKMARK) - now
            frames, judged = self.watcher.take(max(wait, 0.0))
            if time.monotonic() >= self._checked + credential.RECHECK and (moved := self._renewed()) is not None:
                return moved
            yield from self._shown(frames)
            self._sent = max(self._sent, judged)
            yield from self._signs()

    def _shown(self, frames: list[Frame]) -> Iterator[bytes]:
        data = [f.data for f in frames if f.position > self._sent and f.position.seq not in self._included]
        if frames:
            self._sent = max(self._sent, frames[-1].position)
        if data:
            self._spoke = time.monotonic()
            yield b"".join(data)

    def _signs(self) -> Iterator[bytes]:
        now = time.monotonic()
        if now >= self._marked + BOOKMARK:
            yield self._bookmark()
        elif now >= self._spoke + HEARTBEAT:
            self._spoke = now
            yield _HEARTBEAT

    def _bookmark(self) -> bytes:
        self._spoke = self._marked = time.monotonic()
        text = changes.cursor(self._hub.log_name(), self._sent)
        body = orjson.dumps({"type": "BOOKMARK", "cursor": text})
        return b"id: %b\nevent: BOOKMARK\ndata: %b\n\n" % (text.encode(), body)

    def _renewed(self) -> Position | None:
        """Ask again who the caller is and what it may see; the new start of hearing, when that has changed.

        Raises:
            AmbientError: the caller may hear nothing any more.
        """
        if time.monotonic() < self._checked + credential.RECHECK:
            return None
        self._checked = time.monotonic()
        try:
            view = self._credential.ask(lambda operation: self._view_of(operation.principal))
        except Unavailable:
            if self._checked > self._confirmed + UNCONFIRMED:
                raise
            return None
        self._confirmed = self._checked
        if view.key == self._view.key:
            return None
        self._hub.leave(self.watcher, self._view)
        self._view = view
        return self._hub.join(self.watcher, view)


class Frames:
    """The stream's bytes for the server; notes how long one of them is under way, and counts the stream out at the end."""

    def __init__(self, session: Session, told: Iterator[bytes]) -> None:
        self._session = session
        self._told = told

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        watcher = self._session.watcher
        watcher.sending_since = None
        data = next(self._told)
        watcher.sending_since = time.monotonic()
        return data

    def close(self) -> None:
        """The server is done with the stream, or its reader is gone."""
        self._session.watcher.sending_since = None
        self._session.close()
        closing = getattr(self._told, "close", None)
        if closing is not None:
            closing()


def _ended(reason: AmbientError) -> bytes:
    metrics.observe_cut_watch(reason.status)
    body = orjson.dumps({"type": "ERROR", "status": reason.status, "object": reason.body(new_id())})
    return b"event: ERROR\ndata: %b\n\n" % body
