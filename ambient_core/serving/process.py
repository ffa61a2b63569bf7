"""What the system does for our processes: children end with us, however we end, and memory is shared and given back."""

import ctypes
import gc
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

_PR_SET_PDEATHSIG = 1
_M_ARENA_MAX = -8
_COLLECTIONS = (20_000, 20, 50)
"""Allocations between collections: a request, or a page of a list, makes thousands of short-lived objects and few in cycles."""


class StopSignal:
    """That a signal asked this process to stop; made in the main thread, and waited for in one place.

    Args:
        others: that ask as well as SIGTERM and SIGINT, unless this process was started deaf to them, as by nohup(1).

    A `threading.Event` that a handler sets takes a lock, which the main thread may hold at that moment, or the handler of an earlier
    signal: then the process hears nothing any more. `SimpleQueue.put` may interrupt itself.
    """

    def __init__(self, *others: signal.Signals) -> None:
        self._asked = False
        self._news: SimpleQueue[None] = SimpleQueue()
        heard = [number for number in others if signal.getsignal(number) != signal.SIG_IGN]
        for number in (signal.SIGINT, signal.SIGTERM, *heard):
            signal.signal(number, self._handle)

    def is_set(self) -> bool:
        """Whether it has come."""
        return self._asked

    def wait(self, seconds: float) -> bool:
        """Wait for it, at most so long; answers whether it has come."""
        if not self._asked:
            with suppress(Empty):
                self._news.get(timeout=seconds)
        return self._asked

    def _handle(self, *_: object) -> None:
        self._asked = True
        self._news.put(None)


def ends_with_parent(
    ending: signal.Signals,
    *,
    uid: int | None = None,
    gid: int | None = None,
    then: Callable[[], None] = lambda: None,
) -> Callable[[], None]:
    """What a child runs between fork and exec, so that the kernel signals it when its parent is gone (prctl(2)).

    Args:
        ending: the signal it gets then.
        uid: user to become first; the setting would not survive the change of user.
        gid: group to become.
        then: what else the child does first.
    """
    parent = os.getpid()

    def prepare() -> None:
        if uid is not None and gid is not None:
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)
        os.umask(0o077)
        end_with(parent, ending)
        then()

    return prepare


def yields_to_callers() -> None:
    """Let a process that is woken wait until who woke it has used its turn (``SCHED_BATCH``, sched(7)); children do the same.

    For a server that shares a few cores with its own clients: it then answers several of them in a row, instead of taking the
    core from the one that has just sent its question.
    """
    # Only Linux has it, and a container may forbid it.
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def end_with(parent: int, ending: signal.Signals) -> None:
    """Let the kernel signal this process when its parent is gone; ends at once when it is gone already.

    Args:
        parent: process id of the parent.
        ending: the signal.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(ending), 0, 0, 0)
    # The parent may have gone before the kernel was asked to watch it.
    if os.getppid() != parent:
        os._exit(1)


def share_arenas(most: int = 2) -> None:
    """Let all threads of this process take memory from the same few heaps (mallopt(3)); call it before threads start.

    glibc gives nearly each thread a heap of its own, and what one gives back no other can use: for a process of many threads
    that take turns, that is memory for nothing.

    Args:
        most: heaps at most.
    """
    _allocator("mallopt", _M_ARENA_MAX, most)


def give_memory_back() -> None:
    """Return what was freed to the system (malloc_trim(3)): after a burst of work the rest of it is kept otherwise."""
    _allocator("malloc_trim", 0)


def collect_seldom() -> None:
    """Let the garbage collector come after thousands of allocations; call it when everything that stays is imported.

    By itself it looks at all that a process has loaded again and again while JSON is read, which has no cycles.
    """
    gc.set_threshold(*_COLLECTIONS)
    keep_what_is_there()


def keep_what_is_there() -> None:
    """What is there now stays until the end: no collection need look at it again."""
    gc.collect()
    gc.freeze()


def _allocator(name: str, *arguments: int) -> None:
    # Another C library has no such thing, and needs none.
    function = getattr(ctypes.CDLL(None), name, None)
    if function is not None:
        function(*arguments)
