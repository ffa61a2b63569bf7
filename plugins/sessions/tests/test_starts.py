"""30: many start one session at once; it is started once, and whoever was late is told so."""

import threading
from typing import Any

import pytest

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
