"""What an import says: a line for each object that is not as it was, and a sum."""

from collections import Counter
from collections.abc import Iterable, Iterator

from ambient_sessions.importing.plan import Step

_DONE = {
    "create": "created",
    "update": "updated",
    "unchanged": "unchanged",
    "conflict": "conflict",
    "left": "left alone",
    "gone": "gone",
}
_WILL = {**_DONE, "create": "would create", "update": "would update"}


def lines(steps: Iterable[Step], *, dry: bool, quiet: bool = False) -> Iterator[str]:
    """The report.

    Args:
        dry: whether nothing was done.
        quiet: leave out what is not news: for one round of many.
    """
    words = _WILL if dry else _DONE
    counts: Counter[tuple[str, str]] = Counter()
    for step in steps:
        counts[step.kind, step.outcome] += 1
        if step.outcome == "unchanged" or (quiet and step.outcome in ("left", "gone") and not step.body):
            continue
        yield f"{words[step.outcome]:12}  {step.kind:7}  {step.name}{f': {step.reason}' if step.reason else ''}"
        for note in step.notes if step.outcome in ("create", "update") else ():
            yield f"{'':12}  {'':7}  {note}"
    if not quiet or any(outcome in ("create", "update", "conflict") for _, outcome in counts):
        yield _sum(counts, words)


def _sum(counts: "Counter[tuple[str, str]]", words: dict[str, str]) -> str:
    parts = []
    for kind in ("project", "session"):
        told = [f"{number} {words[outcome]}" for (of, outcome), number in sorted(counts.items()) if of == kind]
        parts.append(f"{kind}s: {', '.join(told) or 'none'}")
    return "; ".join(parts)
