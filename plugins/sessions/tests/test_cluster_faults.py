"""What the API server's refusals mean for us."""

from typing import Any

import pytest
from ambient_sessions.cluster.faults import AlreadyThere, Expired, Moved, NotThere, fault_of
from ambient_sessions.runtimes import Waiting

ENDING = {"details": {"causes": [{"reason": "NamespaceTerminating"}]}, "message": "it ends"}
QUOTA = {"message": 'pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'}
CASES: list[tuple[int, Any, type[Waiting], str, bool]] = [
    (401, {}, Waiting, "Unauthorized", True),
    (403, {"message": "cannot get secrets"}, Waiting, "Forbidden", False),
    (403, QUOTA, Waiting, "QuotaExceeded", False),
    (403, ENDING, Waiting, "NamespaceTerminating", False),
    (404, {}, NotThere, "NotFound", False),
    (409, {"reason": "AlreadyExists"}, AlreadyThere, "AlreadyExists", False),
    (409, {"reason": "Conflict"}, Moved, "Conflict", False),
    (410, {}, Expired, "Expired", False),
    (422, {"message": "spec.x: Invalid value"}, Waiting, "Invalid", False),
    (429, {}, Waiting, "TooManyRequests", True),
    (500, {}, Waiting, "ServerError", True),
    (503, {}, Waiting, "ServerError", True),
    (418, {}, Waiting, "Refused", False),
]


@pytest.mark.parametrize(("status", "body", "kind", "reason", "outage"), CASES)
def test_a_refusal_has_a_reason(status: int, body: Any, kind: type[Waiting], reason: str, outage: bool) -> None:
    fault = fault_of(status, body)
    assert (type(fault), fault.reason, fault.outage) == (kind, reason, outage)


def test_the_server_s_words_are_kept() -> None:
    assert fault_of(422, {"message": "spec.x: Invalid value"}).message == "spec.x: Invalid value"
    assert len(fault_of(422, {"message": "x" * 100000}).message) <= 1000


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("0", 5.0), ("99999", 300.0), (None, 5.0)])
def test_retry_after_is_honoured_within_reason(status: int, header: str | None, seconds: float) -> None:
    assert fault_of(status, {}, header).after == seconds


def test_what_is_stuck_is_not_asked_for_often() -> None:
    lasting = [case for case in CASES if case[0] not in (404, 409, 410)]
    assert all(fault_of(status, body).after >= 5.0 for status, body, *_ in lasting)
