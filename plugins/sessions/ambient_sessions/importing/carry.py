"""Carries the messages of mirrored sessions over, in pieces that a request may hold."""

from collections.abc import Iterable, Iterator
from typing import Any

from ambient_sdk import AmbientClient, ApiError, ServerError

from ambient_sessions.importing.history import History, messages_of
from ambient_sessions.importing.plan import Step

_MOST = 200
_BYTES = 400_000
Message = dict[str, Any]


def carry(steps: Iterable[Step], history: History, client: AmbientClient | None) -> Iterator[str]:
    """Write the messages of the sessions that are mirrored by now; answers a line for each that has news.

    Args:
        steps: of the import, as they went.
        history: where the messages are.
        client: the API; ``None`` when nothing shall be written.
    """
    for step in steps:
        if step.kind != "session" or step.outcome not in ("create", "update", "unchanged"):
            continue
        namespace, name = step.name.split("/")
        try:
            events = history.events(namespace, name)
        except ValueError as fault:
            yield f"{'conflict':12}  history  {step.name}: {fault}"
            continue
        if events is None:
            yield f"{'none':12}  history  {step.name}: no messages are to be had"
        elif client is None:
            yield f"{'would carry':12}  history  {step.name}: {len(messages_of(events))} messages"
        elif step.identifier is not None:
            yield from _written(step, step.identifier, messages_of(events), client)


def _written(step: Step, identifier: str, messages: list[Message], client: AmbientClient) -> Iterator[str]:
    added = after = 0
    try:
        for piece in pieces(messages):
            added += client.sessions.import_messages(identifier, after=after, items=piece).added
            after += len(piece)
    except ServerError:
        raise
    except ApiError as fault:
        yield f"{'conflict':12}  history  {step.name}: {fault.reason}"
        return
    if added:
        yield f"{'carried':12}  history  {step.name}: {added} of {len(messages)} messages are new"


def pieces(messages: list[Message]) -> Iterator[list[Message]]:
    """Messages in groups that a request may hold; one that is too large by itself goes alone, and is refused by the API."""
    piece: list[Message] = []
    size = 0
    for message in messages:
        weight = len(message["payload"].encode()) + 64
        if piece and (len(piece) == _MOST or size + weight > _BYTES):
            yield piece
            piece, size = [], 0
        piece.append(message)
        size += weight
    if piece:
        yield piece
