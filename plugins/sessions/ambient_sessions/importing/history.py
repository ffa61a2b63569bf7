"""The messages of a legacy session, from its AG-UI events: a folder of exports, or the legacy backend's own address.

The backend keeps one JSON event a line, and compacts it after each run: deltas go, ``MESSAGES_SNAPSHOT`` stays. What people and
the agent have said can be had from either. Tool calls and reasoning are not taken: what compaction left of them is not whole.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import httpx

Event = Mapping[str, Any]
_ROLES = ("user", "assistant")
_NAMES = ("agui-events.jsonl", "export.json")


class History(Protocol):
    """Where events of legacy sessions are found."""

    def events(self, namespace: str, name: str) -> list[Event] | None:
        """The events of one session, oldest first; ``None`` when there are none to be had.

        Raises:
            ValueError: what is there cannot be read; says why.
        """


class ExportFolder:
    """A copy of the legacy backend's volume, or exports that somebody has saved.

    Looked for, in this order: ``NAMESPACE/NAME.jsonl`` or ``.json``, then ``NAMESPACE/NAME/agui-events.jsonl``, then
    ``sessions/NAME/agui-events.jsonl``, as the volume has it. The last one does not say of which project it is: it is taken only
    where no other project has a session of that name.

    Args:
        folder: where they lie.
        ambiguous: names that several projects have.
    """

    def __init__(self, folder: Path, ambiguous: Iterable[str] = ()) -> None:
        self._folder = folder
        self.ambiguous = frozenset(ambiguous)

    def events(self, namespace: str, name: str) -> list[Event] | None:
        """See `History`."""
        inside = self._folder / namespace
        candidates = [inside / f"{name}.jsonl", inside / f"{name}.json", *(inside / name / file for file in _NAMES)]
        if name not in self.ambiguous:
            candidates.append(self._folder / "sessions" / name / _NAMES[0])
        found = next((path for path in candidates if path.is_file()), None)
        if found is None:
            return None
        try:
            return read_events(found.read_text())
        except (OSError, UnicodeDecodeError) as fault:
            raise ValueError(f"{found} cannot be read: {fault}") from fault


class LegacyBackend:
    """The legacy backend's export route.

    Args:
        url: its address, such as ``http://backend-service.ambient-code.svc:8080``.
        token: of somebody who may read the sessions there.
    """

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
            trust_env=False,
            follow_redirects=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def events(self, namespace: str, name: str) -> list[Event] | None:
        """See `History`."""
        path = f"/api/projects/{quote(namespace, safe='')}/agentic-sessions/{quote(name, safe='')}/export"
        try:
            answer = self._http.get(path)
        except httpx.HTTPError as fault:
            raise ValueError(f"the legacy backend does not answer: {type(fault).__name__}") from fault
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise ValueError(f"the legacy backend answers {answer.status_code} for the export")
        return read_events(answer.text)


def read_events(text: str) -> list[Event]:
    """Events from one JSON object a line, a JSON array, or an export with ``aguiEvents``.

    Raises:
        ValueError: it is none of them.
    """
    try:
        whole = json.loads(text)
    except ValueError:
        return [_event(line, number) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if isinstance(whole, dict) and "type" not in whole:
        whole = whole.get("aguiEvents") or []
    found = whole if isinstance(whole, list) else [whole]
    if not all(isinstance(event, dict) for event in found):
        raise ValueError("the export holds something that is no event")
    return found


def _event(line: str, number: int) -> Event:
    try:
        event = json.loads(line)
    except ValueError as fault:
        raise ValueError(f"line {number} of the export is no JSON") from fault
    if not isinstance(event, dict):
        raise ValueError(f"line {number} of the export is no event")
    return event


def messages_of(events: Iterable[Event]) -> list[dict[str, Any]]:
    """What people and the agent have said, oldest first; each is said once, however often it is told."""
    said: dict[str, dict[str, Any]] = {}
    for event in events:
        for identifier, role, text, whole in _told(event):
            entry = said.setdefault(identifier, {"event_type": role, "payload": ""})
            entry["payload"] = text if whole else entry["payload"] + text
            if role in _ROLES:
                entry["event_type"] = role
            if (at := _time(event)) is not None:
                entry.setdefault("created_at", at)
    return [entry for entry in said.values() if entry["payload"] and entry["event_type"] in _ROLES]


def _told(event: Event) -> Iterator[tuple[str, str, str, bool]]:
    """What one event says of messages: (message, role, text, whether that is all of it)."""
    kind, identifier = event.get("type"), str(event.get("messageId") or "")
    if kind == "MESSAGES_SNAPSHOT":
        for message in event.get("messages") or []:
            if isinstance(message, dict) and message.get("role") in _ROLES and message.get("id"):
                yield str(message["id"]), message["role"], _text(message.get("content")), True
    elif kind == "TEXT_MESSAGE_START" and identifier:
        yield identifier, str(event.get("role") or "assistant"), "", False
    elif kind == "TEXT_MESSAGE_CONTENT" and identifier:
        yield identifier, "", str(event.get("delta") or ""), False


def _time(event: Event) -> str | None:
    """When a message began, where the event says so; a snapshot's own time is not that of its messages."""
    at = event.get("timestamp")
    if event.get("type") == "MESSAGES_SNAPSHOT" or not isinstance(at, int | float) or isinstance(at, bool):
        return None
    try:
        return datetime.fromtimestamp(at / 1000, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
