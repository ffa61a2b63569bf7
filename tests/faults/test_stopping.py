"""A server that is asked to stop: not ready at once, running requests finish, new ones find nobody, and it ends well."""

import threading
from typing import Any

import httpx
import psycopg
import pytest

from tests.e2e.conftest import wait_for
from tests.faults.conftest import Parts

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("parts")]
BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def readiness(parts: Parts) -> tuple[int, dict[str, str]]:
    answer = httpx.get(f"http://127.0.0.1:{parts.ports['health-port']}/readyz", trust_env=False)
    return answer.status_code, answer.json()["checks"]


def test_a_running_request_is_answered_while_the_server_drains(parts: Parts) -> None:
    user = parts.ask("POST", "/users", json={"username": "slow", "name": "slow"}).json()["id"]
    answers: list[httpx.Response] = []

    def change() -> None:
        answers.append(parts.ask("PATCH", f"/users/{user}", json={"name": "changed"}))

    waiting = threading.Thread(target=change)
    with psycopg.connect(parts.postgres.url) as holder, psycopg.connect(parts.postgres.url, autocommit=True) as watch:
        holder.execute("SELECT 1 FROM users WHERE id = %s FOR UPDATE", [user])
        waiting.start()
        wait_for(lambda: watch.execute(BLOCKED).fetchone() != (0,), "the request at the lock")
        assert readiness(parts)[0] == 200
        parts.parts["api"].terminate()
        wait_for(lambda: readiness(parts)[0] == 503, "the word that it is not ready")
        assert readiness(parts)[1]["draining"] == "the server is stopping."
        wait_for(lambda: refused(parts), "the end of new connections")
        holder.rollback()
    waiting.join(30)
    assert [(answer.status_code, answer.json()["name"]) for answer in answers] == [(200, "changed")]
    assert parts.parts["api"].wait(40) == 0


def refused(parts: Parts) -> Any:
    try:
        parts.ask("GET", "/users")
    except httpx.TransportError:
        return True
    return False
