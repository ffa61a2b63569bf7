"""Writes that wait for another write of the same row: they answer for the row as it is when their turn comes."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from conftest import Caller
from tests.e2e.conftest import wait_for

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture
def skill(call: Caller, project: str) -> Iterator[str]:
    made = call("POST", "/skills", json={"project_id": project, "name": "waiting", "description": "first"})
    yield made.json["id"]
    call("DELETE", f"/skills/{made.json['id']}")


def behind(database_url: str, statement: str, act: Callable[[], Any]) -> Any:
    """Run a statement, let ``act`` wait for it, then commit; what ``act`` answered."""
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(act()))
    with psycopg.connect(database_url) as writer, psycopg.connect(database_url, autocommit=True) as looker:
        writer.execute(statement)
        thread.start()
        wait_for(lambda: looker.execute(_WAITING).fetchone()[0] == 1, "the waiting write")
        writer.commit()
        thread.join()
    return answers[0]


def test_if_match_that_became_stale_while_waiting_is_412(call: Caller, database_url: str, skill: str) -> None:
    overtaking = f"UPDATE skills SET description = 'other', version = version + 1 WHERE id = '{skill}'"

    def patch() -> Any:
        return call("PATCH", f"/skills/{skill}", json={"description": "mine"}, headers={"If-Match": '"1"'})

    answer = behind(database_url, overtaking, patch)
    assert (answer.status_code, answer.headers["ETag"]) == (412, '"2"')
    assert call("GET", f"/skills/{skill}").json["description"] == "other"


def test_a_patch_that_changes_nothing_any_more_answers_the_present_object(
    call: Caller, database_url: str, skill: str
) -> None:
    overtaking = f"UPDATE skills SET description = 'same', version = version + 1 WHERE id = '{skill}'"

    def patch() -> Any:
        return call("PATCH", f"/skills/{skill}", json={"description": "same"})

    answer = behind(database_url, overtaking, patch)
    assert (answer.status_code, answer.json["version"]) == (200, 2)


def test_a_patch_of_what_is_deleted_meanwhile_is_404(call: Caller, database_url: str, skill: str) -> None:
    def patch() -> Any:
        return call("PATCH", f"/skills/{skill}", json={"description": "late"})

    assert behind(database_url, f"DELETE FROM skills WHERE id = '{skill}'", patch).status_code == 404
