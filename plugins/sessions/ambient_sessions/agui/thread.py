"""What a stream of AG-UI events amounts to: what is open, which messages there are, which state. Pure.

Follows AG-UI 1.0: events in order, a run between RUN_STARTED and exactly one of RUN_FINISHED and RUN_ERROR.
"""

import copy
from typing import Any

import jsonpatch

Event = dict[str, Any]
TERMINAL = frozenset({"RUN_FINISHED", "RUN_ERROR"})

# start -> (end, name of the id)
_SPANS = {
    "TEXT_MESSAGE_START": ("TEXT_MESSAGE_END", "messageId"),
    "TOOL_CALL_START": ("TOOL_CALL_END", "toolCallId"),
    "REASONING_MESSAGE_START": ("REASONING_MESSAGE_END", "messageId"),
    "REASONING_START": ("REASONING_END", "messageId"),
    "STEP_STARTED": ("STEP_FINISHED", "stepName"),
    "SUBAGENT_STARTED": ("SUBAGENT_FINISHED", "subagentRunId"),
}
_ENDS = {end: (start, name) for start, (end, name) in _SPANS.items()} | {
    "SUBAGENT_ERROR": ("SUBAGENT_STARTED", "subagentRunId")
}


class Thread:
    """A conversation, as its events made it.

    Args:
        thread_id: of the conversation.
        messages: what it starts with.
    """

    def __init__(self, thread_id: str, messages: list[Event] | None = None) -> None:
        self.thread_id = thread_id
        self.messages: list[Event] = copy.deepcopy(messages or [])
        self.state: Any = None
        self.has_state = False
        self.run_id: str | None = None
        self.open: dict[tuple[str, str], Event] = {}

    def accept(self, event: Event) -> None:
        """Take one event in."""
        kind = event["type"]
        if kind == "RUN_STARTED":
            self.run_id = str(event.get("runId", ""))
            self.open.clear()
            self.add_messages((event.get("input") or {}).get("messages") or [])
        elif kind in TERMINAL:
            self.run_id = None
            self.open.clear()
        elif kind in _SPANS:
            self.open[(kind, str(event.get(_SPANS[kind][1])))] = event
        elif kind in _ENDS:
            start, name = _ENDS[kind]
            self.open.pop((start, str(event.get(name))), None)
        self._reduce(kind, event)

    def add_messages(self, messages: list[Event]) -> None:
        """Messages that a run was given; known ones are left as they are."""
        known = {message.get("id") for message in self.messages}
        self.messages.extend(copy.deepcopy(m) for m in messages if m.get("id") not in known)

    def closers(self) -> list[Event]:
        """What ends everything that is open, the innermost first."""
        events: list[Event] = []
        for (start, identifier), opener in reversed(self.open.items()):
            end, name = _SPANS[start]
            event: Event = {"type": end, name: identifier}
            if opener.get("subagentRunId") is not None and name != "subagentRunId":
                event["subagentRunId"] = opener["subagentRunId"]
            events.append(event)
        return events

    def finished(self, outcome: str) -> list[Event]:
        """The end of the run that is on: closers and RUN_FINISHED with an outcome."""
        if self.run_id is None:
            return []
        end = {"type": "RUN_FINISHED", "threadId": self.thread_id, "runId": self.run_id, "outcome": {"type": outcome}}
        return [*self.closers(), end]

    def snapshot(self) -> list[Event]:
        """Messages and state, as a client that comes late needs them."""
        events: list[Event] = [{"type": "MESSAGES_SNAPSHOT", "messages": copy.deepcopy(self.messages)}]
        if self.has_state:
            events.append({"type": "STATE_SNAPSHOT", "snapshot": self.state})
        return events

    def prelude(self, run_id: str) -> list[Event]:
        """What an attaching client needs before the tail of the run that is on.

        A snapshot holds what a partial message has so far; opening it again lets the following deltas append to it.
        """
        started = {"type": "RUN_STARTED", "threadId": self.thread_id, "runId": self.run_id or run_id}
        return [started, *self.snapshot(), *self.open.values()]

    def _reduce(self, kind: str, event: Event) -> None:
        if kind == "MESSAGES_SNAPSHOT":
            self._replace_messages(event.get("messages") or [])
        elif kind == "STATE_SNAPSHOT":
            self.state, self.has_state = copy.deepcopy(event.get("snapshot")), True
        elif kind == "STATE_DELTA":
            self._patch_state(event.get("delta") or [])
        elif kind.startswith("TEXT_MESSAGE_"):
            self._text(kind, event)
        elif kind.startswith("REASONING_MESSAGE_"):
            self._text(kind, {**event, "role": "reasoning"})
        elif kind.startswith("TOOL_CALL_"):
            self._tool_call(kind, event)

    def _replace_messages(self, messages: list[Event]) -> None:
        kept_roles = {"activity", "reasoning"} - {message.get("role") for message in messages}
        given = {message.get("id") for message in messages}
        kept = [m for m in self.messages if m.get("role") in kept_roles and m.get("id") not in given]
        self.messages = [*copy.deepcopy(messages), *kept]

    def _patch_state(self, delta: list[Event]) -> None:
        try:
            self.state = jsonpatch.apply_patch(self.state, delta)
            self.has_state = True
        except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, KeyError):
            # As the reference client does: a patch that does not fit is passed over.
            return

    def _message(self, identifier: Any) -> Event | None:
        return next((m for m in reversed(self.messages) if m.get("id") == identifier), None)

    def _text(self, kind: str, event: Event) -> None:
        identifier = event.get("messageId")
        message = self._message(identifier)
        if message is None and identifier is not None and not kind.endswith("_END"):
            message = {"id": identifier, "role": event.get("role") or "assistant", "content": ""}
            if event.get("name"):
                message["name"] = event["name"]
            self.messages.append(message)
        if message is not None and event.get("delta"):
            content = message.get("content")
            message["content"] = (content if isinstance(content, str) else "") + event["delta"]

    def _tool_call(self, kind: str, event: Event) -> None:
        call_id = event.get("toolCallId")
        if kind == "TOOL_CALL_RESULT":
            self._tool_result(event)
            return
        call = self._call(call_id)
        if call is None and kind in ("TOOL_CALL_START", "TOOL_CALL_CHUNK") and call_id is not None:
            call = {
                "id": call_id,
                "type": "function",
                "function": {"name": event.get("toolCallName", ""), "arguments": ""},
            }
            parent = self._message(event.get("parentMessageId"))
            if parent is None:
                parent = {"id": event.get("parentMessageId") or call_id, "role": "assistant"}
                self.messages.append(parent)
            parent.setdefault("toolCalls", []).append(call)
        if call is not None and event.get("delta"):
            call["function"]["arguments"] += event["delta"]

    def _call(self, call_id: Any) -> Event | None:
        calls = (call for message in reversed(self.messages) for call in message.get("toolCalls") or [])
        return next((call for call in calls if call.get("id") == call_id), None)

    def _tool_result(self, event: Event) -> None:
        result = {
            "id": event.get("messageId"),
            "role": "tool",
            "toolCallId": event.get("toolCallId"),
            "content": event.get("content", ""),
        }
        for position, message in enumerate(self.messages):
            if any(call.get("id") == event.get("toolCallId") for call in message.get("toolCalls") or []):
                after = position + 1
                while after < len(self.messages) and self.messages[after].get("role") == "tool":
                    after += 1
                self.messages.insert(after, result)
                return
        self.messages.append(result)


class Guard:
    """Lets through what a verifying client accepts as one run, and says what is missing at its end.

    Args:
        thread: the conversation before this run.
        run_id: of this run.
    """

    def __init__(self, thread: Thread, run_id: str) -> None:
        self.thread = thread
        self.run_id = run_id
        self.started = False
        self.ended: str | None = None

    def pass_on(self, event: Event) -> list[Event]:
        """What to store for one event of the runner: itself, perhaps with what it lacks before it, or nothing."""
        if self.ended is not None:
            return []
        kind = event["type"]
        events: list[Event] = []
        if kind == "RUN_STARTED":
            if self.started:
                return []
            self.started = True
        elif not self.started:
            events.append(self._begin())
        if kind == "RUN_FINISHED":
            events.extend(self.thread.closers())
        events.append(event)
        return self._note(events)

    def fail(self, code: str, message: str) -> list[Event]:
        """The end of a run that did not end by itself."""
        if self.ended is not None:
            return []
        events = [] if self.started else [self._begin()]
        return self._note([*events, {"type": "RUN_ERROR", "message": message, "code": code}])

    def cancel(self) -> list[Event]:
        """The end of a run that was stopped."""
        if self.ended is not None:
            return []
        events = self._note([] if self.started else [self._begin()])
        return [*events, *self._note(self.thread.finished("cancelled"))]

    def _begin(self) -> Event:
        self.started = True
        return {"type": "RUN_STARTED", "threadId": self.thread.thread_id, "runId": self.run_id}

    def _note(self, events: list[Event]) -> list[Event]:
        for event in events:
            self.thread.accept(event)
            if event["type"] in TERMINAL:
                self.ended = state_of(event)
        return events


def state_of(event: Event) -> str:
    """How a run ended: finished, cancelled or error."""
    if event["type"] == "RUN_ERROR":
        return "error"
    outcome = event.get("outcome")
    return "cancelled" if isinstance(outcome, dict) and outcome.get("type") == "cancelled" else "finished"
