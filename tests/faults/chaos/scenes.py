"""Short scenes, each made so that one mechanism decides how it ends; they are played over a fleet and give a history."""

import threading
from collections.abc import Callable

from tests.e2e.conftest import wait_for
from tests.faults.chaos.clients import PROJECT
from tests.faults.chaos.fleet import Fleet
from tests.faults.chaos.history import Event, History, Shown
from tests.faults.chaos.run import Run

Scene = Callable[[Run], None]

_MADE = "SELECT count(*) FROM sessions WHERE prompt = %s"
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


def two_patches_of_one_version(run: Run) -> None:
    """Two clients read an object, and both change it as they read it."""
    first, second = run.clients[:2]
    made = first.create("Skill")
    assert made is not None
    for client in (first, second):
        client.patch("Skill", made.object_id, made.version)


def an_answer_that_is_lost(run: Run) -> None:
    """A client hangs up before the answer to its POST, and sends it again."""
    client = run.clients[0]
    first = client.hang_up("Session")
    with run.fleet.operator() as connection:
        wait_for(lambda: connection.execute(_MADE, [first.marker]).fetchone() == (1,), "the object")
    assert client.retry(first).acknowledged


def a_write_that_is_overtaken(run: Run, until: Callable[[Shown], object] = lambda overtaking: None) -> None:
    """A new object is written and its transaction waits for its project; another write, begun later, commits first.

    Args:
        run: whose clients write.
        until: waits, with the later write done, before the first one may go on.
    """
    slow, fast = run.clients[:2]
    made = fast.create("Skill")
    assert made is not None
    waiting = threading.Thread(target=slow.create, args=("Skill",))
    with run.fleet.operator() as holder, run.fleet.operator() as looker:
        with holder.transaction():
            holder.execute("SELECT id FROM projects WHERE id = %s FOR UPDATE", [PROJECT])
            waiting.start()
            wait_for(lambda: looker.execute(_WAITING).fetchone() != (0,), "the write that waits")
            overtaking = fast.patch("Skill", made.object_id)
            assert overtaking is not None
            until(overtaking.shown[0])
        waiting.join()


def a_write_that_is_overtaken_and_missed(run: Run) -> None:
    """The same; the first write goes on when every watcher has been told of the later one."""
    events = run.recorder.history.events

    def told(overtaking: Shown) -> None:
        wait_for(lambda: all(Event("MODIFIED", overtaking) in seen for seen in events.values()), "the later write")

    a_write_that_is_overtaken(run, told)


def play(fleet: Fleet, *scenes: Scene) -> History:
    """Play scenes, one after the other, watched."""
    run = Run(fleet)
    with run.watched():
        for scene in scenes:
            scene(run)
    for client in run.clients:
        client.close()
    return run.recorder.history
