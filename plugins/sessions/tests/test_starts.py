"""30: many start one session at once; it is started once, and whoever was late is told so."""

import threading
from typing import Any

import pytest

from tests.wrong_clock import set_wrong

RACERS = 12


@pytest.mark.parametrize("headers", [{}, {"If-Match": '"1"'}], ids=["plain", "with the version that was read"])
def test_30_of_many_starts_at_once_one_counts(app: Any, call: Any, project: str, headers: dict[str, str]) -> None:
    made = call("POST", "/sessions", json={"name": "s", "project_id": project}).json
    statuses: list[int] = []

    def start() -> None:
        everything = {**call.headers, **headers}
        statuses.append(app.test_client().post(f"{made['href']}/start", headers=everything).status_code)

    threads = [threading.Thread(target=start) for _ in range(RACERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (statuses.count(200), len(statuses)) == (1, RACERS)
    assert set(statuses) <= {200, 409, 412}
    history = call("GET", f"/sessions/{made['id']}/history").json["items"]
    assert [entry["verb"] for entry in history] == ["start", "create"]


@pytest.mark.parametrize("seconds", [600, -600])
def test_what_the_api_writes_down_to_be_counted_from_is_the_database_s_time(
    app: Any, call: Any, control_plane: Any, project: str, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    set_wrong(seconds, monkeypatch.setattr)
    made = call("POST", "/sessions", json={"name": "s", "project_id": project}).json
    times = [made["created_at"], call("POST", f"{made['href']}/start").json["phase_changed_at"]]
    status = {"starts": 1, "phase": "Creating"}
    times.append(control_plane("PATCH", f"{made['href']}/status", json=status).json["phase_changed_at"])
    stopping = call("POST", f"{made['href']}/stop").json
    times += [stopping["phase_changed_at"], stopping["conditions"][0]["last_transition_time"].replace("+00:00", "Z")]
    ended = control_plane("PATCH", f"{made['href']}/status", json={"starts": 1, "phase": "Stopped"}).json
    times.append(ended["completion_time"])
    with app.runtime.database.transaction() as transaction:
        times.append(transaction.now().isoformat())
    assert times == sorted(times)
