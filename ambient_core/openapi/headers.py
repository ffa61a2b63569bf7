"""The headers of answers, as OpenAPI says them: which there are, and which answer of which operation has which. Pure."""

from typing import Any

Document = dict[str, Any]

OPERATION, REPLAYED, DRY_RUN, POSITION = "OperationId", "IdempotencyReplayed", "DryRun", "Position"
_OF_STATUS = {
    "401": {"WWW-Authenticate": "Challenge"},
    "405": {"Allow": "Allow"},
    "409": {"Retry-After": "RetryAfter"},
    "412": {"ETag": "ETag"},
    "415": {"Accept-Patch": "AcceptPatch"},
    "429": {"Retry-After": "RetryAfter", "RateLimit-Policy": "RateLimitPolicy", "RateLimit": "RateLimit"},
    "503": {"Retry-After": "RetryAfter"},
    "504": {"Retry-After": "RetryAfter"},
}


def _header(description: str, example: str, kind: str = "string") -> Document:
    return {"description": description, "schema": {"type": kind}, "example": example}


HEADERS: dict[str, Document] = {
    "ETag": _header("The object's version, quoted.", '"3"'),
    "Location": _header("Where the new object lives.", "/api/ambient/v1/skills/01jk5x8y3v9mgq2t4w6z8b0c2d"),
    "RetryAfter": _header("Seconds after which trying again makes sense.", "2"),
    "Challenge": _header("How to say who is asking.", 'Bearer realm="ambient", error="invalid_token"'),
    "Allow": _header("The methods that there are.", "GET, POST"),
    "AcceptPatch": _header("With PATCH: the formats that there are.", "application/json, application/merge-patch+json"),
    "RateLimitPolicy": _header(
        "The limit that was met, where it is one of requests in a time: q requests in w seconds.",
        '"principal";q=6000;w=60',
    ),
    "RateLimit": _header(
        "What is left of it (r), and the seconds until it is whole again (t).", '"principal";r=0;t=12'
    ),
    OPERATION: _header(
        "Names this request in the log; the request's own, when it had one.", "01jd0000000000000000000000"
    ),
    REPLAYED: _header("`true` when this is the answer of an earlier request with the same Idempotency-Key.", "true"),
    DRY_RUN: _header("`true` when nothing of this was kept (`dry_run=true`).", "true"),
    POSITION: _header(
        "Where this server has a replica: how far a list must reach, to show this; for the header of that name.",
        "0/16B3748",
    ),
}


def reference(name: str) -> Document:
    """A reference to a header."""
    return {"$ref": f"#/components/headers/{name}"}


def of_refusal(status: int) -> Document:
    """The headers of an error answer."""
    found = {"X-Operation-ID": OPERATION, **_OF_STATUS.get(str(status), {})}
    return {name: reference(component) for name, component in found.items()}


def complete(document: Document) -> None:
    """Add what is said with the answers of operations that do what they are asked."""
    for item in document.get("paths", {}).values():
        for method, operation in item.items():
            if not isinstance(operation, dict) or "responses" not in operation:
                continue
            for status, answer in operation["responses"].items():
                if "$ref" not in answer and status < "400":
                    answer["headers"] = {**_of_success(method, status, operation), **answer.get("headers", {})}


def _of_success(method: str, status: str, operation: Document) -> Document:
    names = {parameter.get("$ref", "").rsplit("/", 1)[-1] for parameter in operation.get("parameters", ())}
    found = {"X-Operation-ID": OPERATION}
    if "IdempotencyKey" in names:
        found["Idempotency-Replayed"] = REPLAYED
    if "DryRun" in names:
        found["Ambient-Dry-Run"] = DRY_RUN
    if POSITION in names or (method != "get" and status < "300"):
        found["Ambient-Position"] = POSITION
    return {name: reference(component) for name, component in found.items()}
