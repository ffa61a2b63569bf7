"""Reads a history and says what it breaks; pure, so that hand-made histories show what it can tell apart."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from tests.faults.chaos.history import READS, Attempt, Entry, Event, History

Object = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that this history breaks.

    Args:
        rule: name of the promise.
        text: what was seen instead.
    """

    rule: str
    text: str


def check(history: History) -> list[Violation]:
    """Every violation of every promise."""
    return [Violation(rule.__name__, text) for rule in RULES for text in rule(history)]


def every_acknowledged_write_is_there_once(history: History) -> Iterator[str]:
    """A write that was answered with success is in the log once, and one that was refused is not in it."""
    by_version = Counter((*_object(entry), entry.shown.version, entry.verb == "delete") for entry in history.log)
    by_marker = _changes_by_marker(history.log)
    deleted = Counter(_object(entry) for entry in history.log if entry.verb == "delete")
    for attempt in history.attempts:
        if attempt.verb in READS:
            continue
        found = len(by_marker[attempt.marker]) if attempt.marker is not None else None
        if attempt.acknowledged and attempt.verb == "delete":
            if (count := deleted[attempt.kind, str(attempt.target)]) != 1:
                yield f"{_named(attempt)} was acknowledged and is in the log {count} times"
        elif attempt.acknowledged:
            shown = attempt.shown[0]
            count = by_version[shown.kind, shown.object_id, shown.version, False]
            if count != 1 or found not in (1, None):
                yield f"{_named(attempt)} was acknowledged and is in the log {count if count != 1 else found} times"
        elif attempt.refused and found and attempt.key is None:
            yield f"{_named(attempt)} was refused with {attempt.status} and is in the log"


def a_retried_post_makes_one_object(history: History) -> Iterator[str]:
    """All attempts with one key make one object, and all answers name it."""
    by_marker = _changes_by_marker(history.log)
    for key, attempts in _by_key(history.attempts).items():
        made = {entry.shown.object_id for a in attempts if a.marker for entry in by_marker[a.marker]}
        answered = {attempt.shown[0] for attempt in attempts if attempt.acknowledged}
        refusals = {attempt.status for attempt in attempts if attempt.refused}
        if len(made) > 1:
            yield f"key {key}: {len(attempts)} attempts made {len(made)} objects"
        if len(answered) > 1:
            yield f"key {key}: its answers differ: {sorted(map(str, answered))}"
        if refusals and (answered or made):
            yield f"key {key}: one attempt was refused with {refusals}, and another one wrote"


def versions_have_no_gap_and_no_fork(history: History) -> Iterator[str]:
    """The changes of an object are a create, then one version after the other, then perhaps a delete."""
    chains: dict[Object, list[Entry]] = defaultdict(list)
    for entry in history.log:
        chains[_object(entry)].append(entry)
    for identity, chain in chains.items():
        lives = chain[:-1] if chain[-1].verb == "delete" else chain
        versions = [entry.shown.version for entry in lives]
        if versions != list(range(1, len(lives) + 1)) or lives[0].verb != "create":
            yield f"{identity}: {[(entry.verb, entry.shown.version) for entry in chain]}"
        if any(entry.verb in ("create", "delete") for entry in lives[1:]):
            yield f"{identity}: goes on after its end, or begins twice"
        present = history.present.get(identity)
        if lives is not chain and present is not None:
            yield f"{identity}: was deleted and is there at version {present}"
        if lives is chain and present != versions[-1]:
            yield f"{identity}: the log ends at version {versions[-1]}, the row is at {present}"
    for identity in history.present.keys() - chains.keys():
        yield f"{identity}: is there and has no change"


def if_match_is_honoured(history: History) -> Iterator[str]:
    """No two acknowledged patches were built on the same version, and each made the next one."""
    built: dict[tuple[str, str, int], Attempt] = {}
    for attempt in history.attempts:
        if attempt.if_match is None or not attempt.acknowledged or attempt.verb == "delete":
            continue
        place = (attempt.kind, str(attempt.target), attempt.if_match)
        if place in built:
            yield f"{_named(attempt)} and {_named(built[place])} were both built on version {attempt.if_match}"
        elif attempt.shown[0].version != attempt.if_match + 1:
            yield f"{_named(attempt)} was built on version {attempt.if_match} and made {attempt.shown[0].version}"
        built[place] = attempt


def a_refused_precondition_was_stale(history: History) -> Iterator[str]:
    """Nobody is refused with 412 whose version was the present one."""
    for attempt in history.attempts:
        if attempt.status == 412 and attempt.tag == attempt.if_match:
            yield f"{_named(attempt)} was refused at the version that it named"


def answers_show_what_was_written(history: History) -> Iterator[str]:
    """Whatever an answer shows is a state that the log has, and never one older than what was acknowledged before."""
    states = {entry.shown for entry in history.log}
    known = _acknowledged_versions(history.attempts)
    for attempt in history.attempts:
        for shown in attempt.shown:
            if shown not in states:
                yield f"{_named(attempt)} shows {shown}, which the log does not have"
            if attempt.key is None and shown.version < known(shown.kind, shown.object_id, attempt.invoked):
                yield f"{_named(attempt)} shows {shown}; a later version was acknowledged before it was asked for"


def every_watcher_saw_every_change_once_in_order(history: History) -> Iterator[str]:
    """What a watcher was told is what the log says, for each object in its order, nothing twice and nothing left out."""
    wanted = _by_object([entry.event for entry in history.log])
    for watcher, events in history.events.items():
        seen = _by_object(events)
        for identity in wanted.keys() | seen.keys():
            due, told = wanted.get(identity, []), seen.get(identity, [])
            if due != told:
                yield f"{watcher}, {identity}: {_difference(due, told)}"


def _difference(due: list[Event], told: list[Event]) -> str:
    missed, doubled = Counter(due) - Counter(told), Counter(told) - Counter(due)
    words = [f"missed {_short(event)}" for event in missed] + [
        f"was told {_short(event)} too much" for event in doubled
    ]
    return "; ".join(words) or f"was told in the order {[_short(event) for event in told]}"


def _short(event: Event) -> str:
    return f"{event.type} {event.shown.version}"


def _object(entry: Entry) -> Object:
    return entry.shown.kind, entry.shown.object_id


def _named(attempt: Attempt) -> str:
    return f"{attempt.verb} {attempt.kind} {attempt.target or attempt.marker} of client {attempt.client}"


def _changes_by_marker(log: list[Entry]) -> dict[str, list[Entry]]:
    """The changes that a marker came in with: an entry that only carries it on, or a delete, is none of them."""
    found: dict[str, list[Entry]] = defaultdict(list)
    last: dict[Object, str | None] = {}
    for entry in log:
        marker = entry.shown.marker
        if marker is not None and entry.verb != "delete" and last.get(_object(entry)) != marker:
            found[marker].append(entry)
        last[_object(entry)] = marker
    return found


def _by_key(attempts: list[Attempt]) -> dict[str, list[Attempt]]:
    found: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        if attempt.key is not None:
            found[attempt.key].append(attempt)
    return found


def _by_object(events: list[Event]) -> dict[Object, list[Event]]:
    found: dict[Object, list[Event]] = defaultdict(list)
    for event in events:
        found[event.shown.kind, event.shown.object_id].append(event)
    return found


def _acknowledged_versions(attempts: list[Attempt]) -> Callable[[str, str, float], int]:
    """Answers the highest version of an object that was acknowledged before a time."""
    answers: dict[Object, list[tuple[float, int]]] = defaultdict(list)
    for attempt in attempts:
        if attempt.answered is not None:
            for shown in attempt.shown:
                answers[shown.kind, shown.object_id].append((attempt.answered, shown.version))
    times: dict[Object, list[float]] = {}
    highest: dict[Object, list[int]] = {}
    for identity, found in answers.items():
        found.sort()
        times[identity] = [moment for moment, _ in found]
        highest[identity] = list(accumulate((version for _, version in found), max))

    def known(kind: str, object_id: str, moment: float) -> int:
        place = bisect_left(times.get((kind, object_id), []), moment)
        return highest[kind, object_id][place - 1] if place else 0

    return known


RULES: tuple[Callable[[History], Iterator[str]], ...] = (
    every_acknowledged_write_is_there_once,
    a_retried_post_makes_one_object,
    versions_have_no_gap_and_no_fork,
    if_match_is_honoured,
    a_refused_precondition_was_stale,
    answers_show_what_was_written,
    every_watcher_saw_every_change_once_in_order,
)
