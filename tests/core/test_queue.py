"""The keyed queue, on a clock of its own: one entry a key, one worker a key, back-off for the key that fails."""

import threading

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ambient_core.controlplane.queue import BURST, FIRST_PAUSE, LONGEST_PAUSE, REST, KeyedQueue


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> KeyedQueue:
    return KeyedQueue(clock, jitter=lambda: 1.0)


def test_a_key_that_is_added_twice_is_taken_once(queue: KeyedQueue) -> None:
    queue.add("a")
    queue.add("a")
    assert (queue.take(0), queue.take(0)) == ("a", None)


def test_the_earlier_due_time_wins(queue: KeyedQueue, clock: Clock) -> None:
    queue.add("a", after=10)
    queue.add("a", after=5)
    queue.add("a", after=20)
    assert queue.take(0) is None
    clock.now += 5
    assert queue.take(0) == "a"


def test_keys_come_in_the_order_of_their_due_times(queue: KeyedQueue, clock: Clock) -> None:
    for key, after in (("c", 3), ("a", 1), ("b", 2)):
        queue.add(key, after=after)
    clock.now += 5
    assert [queue.take(0) for _ in range(3)] == ["a", "b", "c"]


def test_what_comes_during_the_work_is_looked_at_once_more(queue: KeyedQueue) -> None:
    queue.add("a")
    assert queue.take(0) == "a"
    queue.add("a")
    assert queue.take(0) is None
    queue.done("a")
    assert queue.take(0) == "a"
    queue.done("a")
    assert (queue.take(0), queue.waiting()) == (None, [])


def test_a_key_that_is_stuck_or_failed_rests_whatever_the_news(queue: KeyedQueue, clock: Clock) -> None:
    queue.add("a")
    assert queue.take(0) == "a"
    queue.done("a", 30, "a quota", stuck=True)
    queue.add("a")
    assert queue.take(0) is None
    clock.now += 1.25 * REST
    assert queue.take(0) == "a"
    queue.add("a")
    queue.failed("a", "no")
    assert (queue.take(0), queue.tries("a")) == (None, 2)
    clock.now += 1.25 * REST
    assert queue.take(0) == "a"


def test_a_key_that_news_never_leave_alone_is_looked_at_once_a_second_in_the_end(
    queue: KeyedQueue, clock: Clock
) -> None:
    looks = 0
    for _ in range(1000):
        queue.add("a")
        if queue.take(0) == "a":
            looks += 1
            queue.add("a")
            queue.done("a")
        clock.now += 0.02
    assert BURST < looks <= BURST + 20 / REST + 1


def test_figures_tell_how_late_the_latest_is(queue: KeyedQueue, clock: Clock) -> None:
    for key in ("a", "b", "c"):
        queue.add(key)
    assert queue.take(0) == "a"
    queue.failed("a", "no")
    assert queue.take(0) == "b"
    clock.now += 7
    found = queue.figures()
    assert (found["keys"], found["depth"], found["working"], found["failing"]) == (3, 2, 1, 1)
    assert (found["lag_seconds"], found["oldest_seconds"], queue.stalled(5)) == (7, 7, 1)


def test_pauses_grow_with_failures_up_to_the_longest_and_go_with_success(queue: KeyedQueue, clock: Clock) -> None:
    queue.add("a")
    pauses = []
    for _ in range(12):
        assert queue.take(0) == "a"
        queue.failed("a", "no")
        pauses.append(queue.waiting()[0].due - clock.now)
        clock.now += pauses[-1]
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE
    assert (queue.waiting()[0].failures, queue.waiting()[0].reason) == (12, "no")
    queue.take(0)
    queue.done("a", again=1)
    assert queue.waiting()[0].failures == 0


def test_jitter_takes_at_most_half(clock: Clock) -> None:
    queue = KeyedQueue(clock, jitter=lambda: 0.0)
    queue.add("a")
    queue.take(0)
    queue.failed("a", "no")
    assert queue.waiting()[0].due - clock.now == FIRST_PAUSE / 2


def test_a_poisoned_key_stands_in_nobody_s_way(queue: KeyedQueue, clock: Clock) -> None:
    queue.add("poisoned")
    for number in range(20):
        if queue.take(0) == "poisoned":
            queue.failed("poisoned", "no")
        queue.add(f"good-{number}")
        assert queue.take(0) == f"good-{number}"
        queue.done(f"good-{number}")
    assert [entry.key for entry in queue.waiting()] == ["poisoned"]


def test_closing_lets_those_go_who_wait() -> None:
    queue = KeyedQueue()
    taken: list[str | None] = []
    thread = threading.Thread(target=lambda: taken.append(queue.take(60)))
    thread.start()
    queue.close()
    thread.join(5)
    assert taken == [None]


KEYS = st.sampled_from("abc")


class QueueMachine(RuleBasedStateMachine):
    """Whatever is asked for: a key that was added is taken, and never by two at once."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.queue = KeyedQueue(self.clock, jitter=lambda: 0.5)
        self.working: set[str] = set()
        self.owed: set[str] = set()

    @rule(key=KEYS, after=st.sampled_from([0.0, 1.0, 30.0]))
    def add(self, key: str, after: float) -> None:
        self.queue.add(key, after=after)
        self.owed.add(key)

    @rule(seconds=st.sampled_from([0.1, 1.0, 100.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def take(self) -> None:
        key = self.queue.take(0)
        if key is not None:
            assert key not in self.working
            self.working.add(key)
            self.owed.discard(key)

    @precondition(lambda self: self.working)
    @rule(failed=st.booleans())
    def finish(self, failed: bool) -> None:
        key = self.working.pop()
        if failed:
            self.queue.failed(key, "no")
            self.owed.add(key)
        else:
            self.queue.done(key)

    @invariant()
    def nothing_is_lost(self) -> None:
        waiting = {entry.key for entry in self.queue.waiting()}
        assert self.owed <= waiting
        assert self.working <= waiting

    def teardown(self) -> None:
        for key in list(self.working):
            self.queue.done(key)
        self.clock.now += 1000
        taken = set()
        while (key := self.queue.take(0)) is not None:
            taken.add(key)
            self.queue.done(key)
        assert self.owed <= taken


QueueMachine.TestCase.settings = settings(deadline=None, max_examples=60)
TestQueue = QueueMachine.TestCase
