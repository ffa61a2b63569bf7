"""What callers give the gateway: the input of a run, and which run an interrupt is meant for."""

from typing import Any

from ambient_core import Fault, Invalid
from ambient_core.ids import new_id

_LONGEST_RUN_ID = 255
_PASSED = ("state", "tools", "context", "forwardedProps", "resume", "parentRunId", "protocolVersion")


def run_input(body: Any, row: dict[str, Any]) -> dict[str, Any]:
    """Check a RunAgentInput (AG-UI 1.0); what is null is left out, because clients may not send null and some do."""
    if not isinstance(body, dict):
        raise Invalid.of([Fault("", "type", "the body must be a JSON object.")])
    given = {name: value for name, value in body.items() if value is not None}
    faults = [
        Fault(f"/{name}", "type", "must be a string of 1 to 255 characters.")
        for name in ("threadId", "runId", "parentRunId")
        if name in given and not (isinstance(given[name], str) and 0 < len(given[name]) <= _LONGEST_RUN_ID)
    ]
    messages = given.get("messages", [])
    if not isinstance(messages, list):
        faults.append(Fault("/messages", "type", "must be an array."))
        messages = []
    for number, message in enumerate(messages):
        if not (
            isinstance(message, dict) and isinstance(message.get("id"), str) and isinstance(message.get("role"), str)
        ):
            faults.append(Fault(f"/messages/{number}", "type", "must be a message with id and role."))
    if faults:
        raise Invalid.of(faults)
    passed = {name: given[name] for name in _PASSED if name in given}
    whole = {"state": {}, "tools": [], "context": [], "forwardedProps": {}, **passed}
    return {
        **whole,
        "threadId": given.get("threadId", row["id"]),
        "runId": given.get("runId", new_id()),
        "messages": messages,
    }


def wanted_run(body: Any) -> str | None:
    """The run that an interrupt is meant for; ``None`` for the one that is on."""
    if not isinstance(body, dict):
        raise Invalid.of([Fault("", "type", "the body must be a JSON object.")])
    wanted = body.get("runId")
    if wanted is not None and not isinstance(wanted, str):
        raise Invalid.of([Fault("/runId", "type", "must be a string.")])
    return wanted
