"""Why a session stands where it stands, told from what was written down."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ambient_sessions.explain import explanation

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def row(phase: str | None, since: float = 42, **fields: Any) -> dict[str, Any]:
    at = ago(since) if phase else None
    return {
        "id": "s",
        "name": "Tidy",
        "starts": 1,
        "phase": phase,
        "phase_changed_at": at,
        "conditions": None,
        **fields,
    }


STUCK = {
    "waiting_for": "QuotaExceeded: exceeded quota: pods",
    "since": ago(30),
    "attempts": 4,
    "last_error": "QuotaExceeded: exceeded quota: pods",
    "next_at": NOW + timedelta(seconds=5),
    "at": ago(2),
    "seen": {
        "runtime": "operator",
        "stage": "absent",
        "happenings": [
            {"at": "2026-01-31T11:59:50Z", "source": "pod s-runner", "reason": "Failed", "message": "no node"}
        ],
    },
}


def test_a_session_that_is_stuck_tells_the_whole_chain() -> None:
    found = explanation(row("Pending"), ("start", "person:ann", ago(42)), STUCK, NOW)
    assert found["wanted"] | {"since": 0, "at": 0} == {
        "what": "to run", "phase": "Pending", "since": 0, "starts": 1, "asked": "start", "by": "person:ann", "at": 0,
    }  # fmt: skip
    assert found["waiting"]["attempts"] == 4
    assert found["deadline"] == {
        "at": ago(42) + timedelta(seconds=3600),
        "then": "it is stopped and Failed (StartTimedOut).",
    }
    assert found["text"].splitlines() == [
        "Session s (Tidy) is Pending since 2026-01-31 11:59:18Z (42 s ago).",
        "Wanted: to run; person:ann did start 2026-01-31 11:59:18Z (42 s ago) (start 1).",
        "Seen 2026-01-31 11:59:58Z (2 s ago) by the runtime operator: absent.",
        "Waiting since 2026-01-31 11:59:30Z (30 s ago) for: QuotaExceeded: exceeded quota: pods, tried 4 times; next look at "
        "2026-01-31 12:00:05Z.",
        "If it goes on like this: at 2026-01-31 12:59:18Z it is stopped and Failed (StartTimedOut).",
        "What the runtime tells:",
        "  2026-01-31T11:59:50Z  pod s-runner  Failed: no node",
    ]


def test_no_deadline_is_told_while_the_runtime_does_not_answer() -> None:
    away = [{"type": "RuntimeReachable", "status": "False", "reason": "Unreachable", "message": "refused"}]
    found = explanation(row("Stopping", conditions=away), None, {}, NOW)
    assert "deadline" not in found
    assert "does not answer (Unreachable: refused)" in found["text"]


@pytest.mark.parametrize(("since", "then"), [(10, "forced"), (71, "Failed (StopTimedOut)")])
def test_a_stop_tells_what_comes_next(since: float, then: str) -> None:
    assert then in explanation(row("Stopping", since), None, {}, NOW)["deadline"]["then"]


def test_what_is_over_or_not_started_waits_for_nothing() -> None:
    for phase in ("Completed", None):
        assert not {"waiting", "deadline"} & set(explanation(row(phase), None, STUCK, NOW))


def test_any_copy_of_the_api_answers_and_the_control_plane_alone_is_believed(
    call: Any, control_plane: Any, project: str
) -> None:
    made = call("POST", "/sessions", json={"name": "s", "project_id": project}).json["id"]
    assert call("POST", f"/sessions/{made}/start").status_code == 200
    state = {"kind": "Session", "id": made, "waiting_for": "the runner", "attempts": 2, "seen": {"stage": "preparing"}}
    assert call("POST", "/controlplane/states", json={"states": [state]}).status_code == 403
    before = call("GET", f"/sessions/{made}").json
    assert control_plane("POST", "/controlplane/states", json={"states": [state]}).status_code == 204
    found = call("GET", f"/sessions/{made}/explain").json
    assert (found["waiting"]["what"], found["waiting"]["attempts"]) == ("the runner", 2)
    assert (found["wanted"]["asked"], found["wanted"]["by"]) == ("start", "person:developer")
    assert call("GET", f"/sessions/{made}").json == before
    assert call("GET", "/sessions/nope/explain").status_code == 404
