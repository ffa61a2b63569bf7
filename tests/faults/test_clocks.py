"""Hosts whose clocks are wrong: what a deadline is counted from is the database's time. Of control planes: `tests/kube/test_conformance.py`."""

from datetime import datetime
from typing import Any

import pytest

from tests.wrong_clock import set_wrong


@pytest.mark.parametrize("seconds", [600, -600])
def test_what_the_api_writes_down_to_be_counted_from_is_the_database_s_time(
    app: Any, call: Any, control_plane: Any, project: str, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    set_wrong(seconds, monkeypatch.setattr)
    made = call("POST", "/sessions", json={"name": "s", "project_id": project}).json
    told = [made["created_at"], call("POST", f"{made['href']}/start").json["phase_changed_at"]]
    status = {"starts": 1, "phase": "Creating"}
    told.append(control_plane("PATCH", f"{made['href']}/status", json=status).json["phase_changed_at"])
    stopping = call("POST", f"{made['href']}/stop").json
    told += [stopping["phase_changed_at"], stopping["conditions"][0]["last_transition_time"]]
    ended = control_plane("PATCH", f"{made['href']}/status", json={"starts": 1, "phase": "Stopped"}).json
    times = [datetime.fromisoformat(at) for at in (*told, ended["completion_time"])]
    with app.runtime.database.transaction() as transaction:
        times += transaction.raw("SELECT clock_timestamp()").fetchone()
    assert times == sorted(times)
